#!/bin/sh
# Writes the bill of materials of the program, as CycloneDX 1.5, to target/sbom/hashward.cdx.json: every crate, those with
# the sources of librdkafka, OpenSSL, SQLite, zlib and zstd included. `sh deploy/sbom.sh`, at the commit that you ship.
set -eu
cd "$(dirname "$0")/.."
. deploy/prerequisites.sh
need_to_build
cargo_tool cargo-cyclonedx 0.5.9
mkdir -p target/sbom
# It writes beside Cargo.toml, under a name of its own.
target/tools/bin/cargo-cyclonedx cyclonedx --quiet --format json --spec-version 1.5 --describe binaries
mv hashward_bin.cdx.json target/sbom/hashward.cdx.json
