#!/bin/sh
# Builds Hashward and runs its main job on sample data. Needs no broker, no configuration, nothing running.
set -eu
cd "$(dirname "$0")/.."
. deploy/prerequisites.sh
need_to_build
exec cargo run --release --locked --quiet --bin hashward -- demo "$@"
