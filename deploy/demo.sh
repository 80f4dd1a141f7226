#!/bin/sh
# Builds Hashward and runs its main job on sample data. Needs no broker, no configuration, nothing running.
set -eu
cd "$(dirname "$0")/.."
. deploy/prerequisites.sh
need_to_build
echo "building Hashward; the first time this takes some minutes" >&2
# On a terminal Cargo shows how far it is.
if [ -t 2 ]; then quiet=; else quiet=--quiet; fi
cargo build --release --locked $quiet --bin hashward
exec cargo run --release --locked --quiet --bin hashward -- demo "$@"
