#!/bin/sh
# Builds the Debian package into target/debian. For a release: sh deploy/debian/build.sh release
set -eu
cd "$(dirname "$0")/../.."
profile=${1:-release}
case $profile in dev) folder=debug ;; *) folder=$profile ;; esac
cargo build --locked --quiet --profile "$profile" --bin hashward
hashward=target/$folder/hashward
rm -rf target/deb-assets
mkdir -p target/deb-assets/man
"$hashward" man target/deb-assets/man
"$hashward" completions bash >target/deb-assets/hashward.bash
"$hashward" completions zsh >target/deb-assets/_hashward
"$hashward" completions fish >target/deb-assets/hashward.fish
PATH=$PWD/target/tools/bin:$PATH
cargo deb --locked --no-build --profile "$profile"
