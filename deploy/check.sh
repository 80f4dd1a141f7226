#!/bin/sh
# Checks everything below deploy/ with the tools made for it. Installs what is missing: Debian's packages by its package
# manager, the rest in the versions named here into target/tools. Needs root, as it installs the Debian package.
#
# deploy/check.sh [systemd|package]…: these checks only.
set -eu
cd "$(dirname "$0")/.."
. deploy/prerequisites.sh

# A higher exposure than this, in tenths, is refused: see `systemd-analyze security`.
EXPOSURE_TENTHS_MAX=12

check_systemd() {
    need systemd systemd-analyze
    systemd-analyze security --offline=true --no-pager --threshold="$EXPOSURE_TENTHS_MAX" \
        deploy/systemd/hashward.service >target/exposure.txt || { cat target/exposure.txt; return 1; }
    tail -n 1 target/exposure.txt
}

# Builds the package with the binary of the tests, so that nothing is compiled twice.
check_package() {
    need_to_build
    need shellcheck shellcheck
    shellcheck -x deploy/*.sh tests/run.sh deploy/debian/build.sh deploy/debian/postinst deploy/debian/postrm
    cargo_tool cargo-deb 3.8.0
    need dpkg-dev dpkg-shlibdeps
    need lintian lintian
    need adduser adduser
    need bubblewrap bwrap
    need util-linux setpriv
    need systemd systemd-analyze
    need procps pgrep
    need_module python3-seccomp seccomp
    package=$(sh deploy/debian/build.sh dev)
    lintian --profile debian --pedantic --fail-on error,warning,pedantic --allow-root "$package"
    /usr/bin/python3 -B deploy/check/package.py "$package"
}

[ $# -gt 0 ] || set -- systemd package
for part in "$@"; do
    started=$(date +%s)
    printf '\n-- deploy: %s\n' "$part"
    "check_$part"
    printf -- '-- deploy: %s took %s s\n' "$part" "$(($(date +%s) - started))"
done
