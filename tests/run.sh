#!/bin/sh
# Installs what is missing and runs every check and every test, those against a real Apache Kafka broker and those of
# everything below deploy/ included.
# The broker's jars come from Maven, cargo-deny from crates.io, clients of other makers from Debian, PyPI and npm, one Go module
# from Go's proxy; deploy/check.sh says what it brings. Everything else is in this repository.
set -eu
cd "$(dirname "$0")/.."
. deploy/prerequisites.sh
need_to_build
need default-jdk-headless java
need maven mvn
need openssl openssl
need curl curl
need util-linux unshare
need coreutils sha256sum
need faketime faketime
need golang-go go
# Clients and servers of other makers, for the doors of the gate.
need clamdscan clamdscan
need_without_service clamav-daemon clamd
need_without_service c-icap c-icap-client
need_without_service squid squid
need npm npm

tools=$PWD/target/tools
cargo_tool cargo-deny 0.20.2

need_python_environment "$tools/venv" tests/python/requirements.txt

# Asks the gate by its own OpenAPI document, and two clients of clamd.
"$tools/venv/bin/pip" install --quiet --disable-pip-version-check schemathesis==4.32.5 clamd==1.0.2
npm install --silent --no-save --prefix "$tools/npm" clamscan@2.4.0

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

step cargo fmt --all --check
step cargo fmt --manifest-path benches/peers/Cargo.toml --check
step "$tools/bin/cargo-deny" --locked check bans licenses sources
step cargo clippy --locked --workspace --all-targets -- -D warnings
RUSTDOCFLAGS='-D warnings' step cargo doc --locked --workspace --no-deps --document-private-items --quiet
step cargo test --locked --workspace --no-fail-fast
step sh deploy/check.sh
