#!/bin/sh
# Installs what is missing and runs every check and every test, those against a real Apache Kafka broker included.
# The broker's jars come from Maven, cargo-deny from crates.io; everything else from this repository.
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

DENY_VERSION=0.20.2
tools=$PWD/target/tools
if [ "$("$tools/bin/cargo-deny" --version 2>/dev/null)" != "cargo-deny $DENY_VERSION" ]; then
    cargo install --locked --debug --quiet --root "$tools" --target-dir target/tools/build \
        --version "$DENY_VERSION" cargo-deny
fi

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
step "$tools/bin/cargo-deny" --locked check bans licenses sources
step cargo clippy --locked --workspace --all-targets -- -D warnings
RUSTDOCFLAGS='-D warnings' step cargo doc --locked --workspace --no-deps --document-private-items --quiet
step cargo test --locked --workspace --no-fail-fast
