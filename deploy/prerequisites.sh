# Sourced by deploy/demo.sh and tests/run.sh: checks for what Cargo cannot bring, and installs it where it can.
#
# need PACKAGE COMMAND: makes sure that COMMAND is there, from Debian's PACKAGE if it is not.

# Debian puts servers where only root looks for commands.
PATH=$PATH:/usr/sbin

need() {
    command -v "$2" >/dev/null 2>&1 && return 0
    if command -v apt-get >/dev/null 2>&1; then
        as_root=
        [ "$(id -u)" = 0 ] || as_root=sudo
        echo "installing $1, which brings $2" >&2
        { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends "$1"; } >&2 || true
    fi
    command -v "$2" >/dev/null 2>&1 && return 0
    echo "$2 is missing: install it (Debian: package $1) and run this again" >&2
    exit 2
}

# need_without_service PACKAGE COMMAND: the same for a package that brings a service, which is not started.
need_without_service() {
    command -v "$2" >/dev/null 2>&1 && return 0
    # invoke-rc.d(8) asks this file.
    policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ] || ! command -v apt-get >/dev/null 2>&1; then
        need "$1" "$2"
        return 0
    fi
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
    (need "$1" "$2") && status=0 || status=$?
    $as_root rm "$policy"
    [ "$status" = 0 ] || exit "$status"
}

need_to_build() {
    if ! command -v cargo >/dev/null 2>&1; then
        echo "cargo is missing: install Rust from https://rustup.rs and run this again" >&2
        exit 2
    fi
    need g++ g++
    need make make
    need perl perl
}
