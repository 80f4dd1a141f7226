#!/bin/sh
# Checks everything below deploy/ with the tools made for it. Installs what is missing: Debian's packages by its package
# manager, the rest in the versions named here into target/tools. Needs root, as it installs the Debian package.
#
# deploy/check.sh [systemd|package|image|compose|chart|sbom]…: these checks only.
set -eu
cd "$(dirname "$0")/.."
. deploy/prerequisites.sh
if [ "$(id -u)" != 0 ]; then
    echo "deploy/check.sh installs a package and changes users: run it as root, in a container if you like" >&2
    exit 2
fi

# A higher exposure than this, in tenths, is refused: see `systemd-analyze security`.
EXPOSURE_TENTHS_MAX=12

# The programs of deploy/check/requirements.txt.
python=target/tools/python/bin
python_tools() {
    need python3 python3
    bring python3-venv "Python's venv" python3 -c 'import ensurepip, venv'
    cmp -s deploy/check/requirements.txt target/tools/python/requirements.txt && return 0
    python3 -m venv target/tools/python
    "$python/pip" install --quiet --no-deps --disable-pip-version-check --requirement deploy/check/requirements.txt
    cp deploy/check/requirements.txt target/tools/python/requirements.txt
}

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

check_image() {
    need_to_build
    python_tools
    need buildah buildah
    need bubblewrap bwrap
    need util-linux setpriv
    need procps pkill
    "$python/hadolint" deploy/Containerfile
    shellcheck deploy/check/image.sh
    cargo build --locked --quiet --bin hashward
    sh deploy/check/image.sh target/debug/hashward
}

check_compose() {
    need_to_build
    python_tools
    need prometheus promtool
    "$python/check-jsonschema" --builtin-schema vendor.compose-spec deploy/compose.yaml
    "$python/python" -B deploy/check/compose.py deploy/compose.yaml
    promtool check config --syntax-only deploy/compose/prometheus.yaml
    cargo build --locked --quiet --bin hashward
    target/debug/hashward validate --stage topology --config deploy/compose/hashward.toml
}

# The newest Kubernetes whose schemas the tools bring; the chart names the oldest.
KUBERNETES_VERSION=1.34

check_chart() {
    need_to_build
    python_tools
    go_tool helm helm.sh/helm/v3/cmd/helm v3.19.0
    need nodejs node
    need npm npm
    crds=target/tools/crds
    mkdir -p "$crds"
    cp deploy/check/crds/* "$crds"
    [ -d "$crds/node_modules/typescript" ] || npm ci --silent --no-audit --no-fund --ignore-scripts --prefix "$crds"
    cargo build --locked --quiet --bin hashward
    "$python/python" -B deploy/check/chart.py target/tools/bin/helm target/debug/hashward "$KUBERNETES_VERSION" "$crds"
}

check_sbom() {
    need_to_build
    python_tools
    sh deploy/sbom.sh
    "$python/python" -B deploy/check/sbom.py target/sbom/hashward.cdx.json
}

[ $# -gt 0 ] || set -- systemd package image compose chart sbom
for part in "$@"; do
    started=$(date +%s)
    printf '\n-- deploy: %s\n' "$part"
    "check_$part"
    printf -- '-- deploy: %s took %s s\n' "$part" "$(($(date +%s) - started))"
done
