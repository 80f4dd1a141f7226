# shellcheck shell=sh
# Sourced by deploy/demo.sh, deploy/check.sh and tests/run.sh: checks for what Cargo cannot bring, and installs it where it can.
#
# need PACKAGE COMMAND: makes sure that COMMAND is there, from Debian's PACKAGE if it is not.
# need_module PACKAGE MODULE: the same of a module of the system's Python.

# Debian puts servers where only root looks for commands.
PATH=$PATH:/usr/sbin

need() {
    bring "$1" "$2" command -v "$2"
}

need_module() {
    need python3 python3
    bring "$1" "Python's $2" /usr/bin/python3 -c "import $2"
}

# bring PACKAGE NAME TEST…: installs PACKAGE if TEST fails, and gives up if it still does.
bring() {
    package=$1 name=$2
    shift 2
    "$@" >/dev/null 2>&1 && return 0
    if command -v apt-get >/dev/null 2>&1; then
        as_root=
        [ "$(id -u)" = 0 ] || as_root=sudo
        echo "installing $package, which brings $name" >&2
        { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends "$package"; } >&2 || true
    fi
    "$@" >/dev/null 2>&1 && return 0
    echo "$name is missing: install it (Debian: package $package) and run this again" >&2
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

# need_python_environment FOLDER REQUIREMENTS: a virtual environment with exactly these packages.
need_python_environment() {
    need python3 python3
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        if command -v apt-get >/dev/null 2>&1; then
            as_root=
            [ "$(id -u)" = 0 ] || as_root=sudo
            echo "installing python3-venv" >&2
            { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends python3-venv; } >&2
        fi
        python3 -c 'import ensurepip, venv' || {
            echo "python3 cannot make virtual environments: install them (Debian: package python3-venv)" >&2
            exit 2
        }
    fi
    if ! cmp -s "$2" "$1/requirements.txt"; then
        python3 -m venv --clear "$1"
        "$1/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$2" >&2
        cp "$2" "$1/requirements.txt"
    fi
}

# cargo_tool NAME VERSION: a program from crates.io, of exactly this version, in target/tools.
cargo_tool() {
    [ "$(cat "target/tools/$1.version" 2>/dev/null)" = "$2" ] && return 0
    echo "building $1 $2" >&2
    cargo install --locked --debug --quiet --root target/tools --target-dir target/tools/build --version "$2" "$1"
    echo "$2" >"target/tools/$1.version"
}

# go_tool NAME MODULE VERSION: a program from Go's module proxy, of exactly this version, in target/tools.
go_tool() {
    [ "$(cat "target/tools/$1.version" 2>/dev/null)" = "$3" ] && return 0
    need golang-go go
    echo "building $1 $3" >&2
    GOBIN="$PWD/target/tools/bin" go install -ldflags='-s -w' "$2@$3"
    echo "$3" >"target/tools/$1.version"
}
