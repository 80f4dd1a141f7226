#!/bin/sh
# Installs what is missing and runs every check and every test, those against a real Apache Kafka broker included.
# The broker's jars come from Maven, cargo-deny from crates.io, python-tuf from PyPI, one Go module from Go's proxy; everything
# else from this repository.
set -eu
cd "$(dirname "$0")/.."
. deploy/prerequisites.sh
need_to_build
need default-jdk-headless java
need maven mvn
need openssl openssl
need util-linux unshare
need coreutils sha256sum
need faketime faketime
need golang-go go

DENY_VERSION=0.20.2
tools=$PWD/target/tools
if [ "$("$tools/bin/cargo-deny" --version 2>/dev/null)" != "cargo-deny $DENY_VERSION" ]; then
    cargo install --locked --debug --quiet --root "$tools" --target-dir target/tools/build \
        --version "$DENY_VERSION" cargo-deny
fi

need_python_environment "$tools/venv" tests/python/requirements.txt

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
