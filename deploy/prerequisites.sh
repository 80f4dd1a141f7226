# Sourced by deploy/demo.sh and tests/run.sh: checks for what Cargo cannot bring, and installs it where it can.
#
# need PACKAGE COMMAND: makes sure that COMMAND is there, from Debian's PACKAGE if it is not.

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
