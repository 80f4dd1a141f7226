#!/bin/sh
# Installs what is missing and runs every check and every test, those against a real Apache Kafka broker included.
# The broker's jars come from Maven, cargo-deny from crates.io, two clients of clamd from PyPI and npm; everything else from
# this repository.
set -eu
cd "$(dirname "$0")/.."
. deploy/prerequisites.sh
need_to_build
need default-jdk-headless java
need maven mvn
need openssl openssl
need util-linux unshare
need coreutils sha256sum
# Clients and servers of other makers, for the doors of the gate.
need curl curl
need clamdscan clamdscan
need_without_service clamav-daemon clamd
need_without_service c-icap c-icap-client
need_without_service squid squid
need python3-venv python3
need npm npm

DENY_VERSION=0.20.2
tools=$PWD/target/tools
if [ "$("$tools/bin/cargo-deny" --version 2>/dev/null)" != "cargo-deny $DENY_VERSION" ]; then
    cargo install --locked --debug --quiet --root "$tools" --target-dir target/tools/build \
        --version "$DENY_VERSION" cargo-deny
fi

[ -x "$tools/venv/bin/python" ] || python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install --quiet clamd==1.0.2
npm install --silent --no-save --prefix "$tools/npm" clamscan@2.4.0

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

step cargo fmt --all --check
step "$tools/bin/cargo-deny" --locked check bans licenses sources
step cargo clippy --locked --workspace --all-targets -- -D warnings
RUSTDOCFLAGS='-D warnings' step cargo doc --locked --workspace --no-deps --document-private-items --quiet
step cargo test --locked --workspace --no-fail-fast
