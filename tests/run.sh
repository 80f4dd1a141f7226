#!/bin/sh
# Installs what is missing and runs every check and every test, those against a real Apache Kafka broker and those of
# everything below deploy/ included.
# The broker's jars come from Maven, cargo-deny from crates.io, python-tuf from PyPI, one Go module from Go's proxy;
# deploy/check.sh says what it brings. Everything else is in this repository.
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

tools=$PWD/target/tools
cargo_tool cargo-deny 0.20.2

need_python_environment "$tools/venv" tests/python/requirements.txt

# Asks the gate by its own OpenAPI document.
SCHEMATHESIS_VERSION=4.32.5
need python3 python3
[ -x "$tools/venv/bin/pip" ] || python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install --quiet "schemathesis==$SCHEMATHESIS_VERSION"

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
