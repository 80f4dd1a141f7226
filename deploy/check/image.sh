#!/bin/sh
# Builds the runtime stage of deploy/Containerfile, and runs what is in it.
#
#   deploy/check/image.sh target/debug/hashward
#
# Registries may be out of reach: in place of the distroless base stands one with the C library's files of this machine and
# nothing else, in place of the build stage the binary given. The rest is the Containerfile's. The image's files then run
# read-only, as the image's user, without capabilities.
set -eu
cd "$(dirname "$0")/../.."
binary=$1
PATIENCE_S=60

work=$(mktemp -d /var/tmp/hashward-image.XXXXXX)
worker=
finish() {
    [ -z "$worker" ] || kill "$worker" 2>/dev/null || true
    buildah rm --all >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM
cat >"$work/storage.conf" <<STORAGE
[storage]
driver = "vfs"
graphroot = "$work/graph"
runroot = "$work/run"
STORAGE
export CONTAINERS_STORAGE_CONF="$work/storage.conf" BUILDAH_ISOLATION=chroot

mkdir -p "$work/base/tmp" "$work/build/out/state"
for library in $(ldd "$binary" | grep -o '/[^ ]*'); do
    install -D "$library" "$work/base$library"
done
install -s -m 0755 "$binary" "$work/build/out/hashward"
printf 'FROM scratch\nCOPY . /\n' >"$work/Base"
buildah build --quiet --file "$work/Base" --tag localhost/base:check "$work/base" >/dev/null
buildah build --quiet --format docker --file deploy/Containerfile --target runtime \
    --build-arg RUNTIME=localhost/base:check --build-context "build=$work/build" --tag localhost/hashward:check . >/dev/null

setting() {
    buildah inspect --type image --format "{{.Docker.Config.$1}}" localhost/hashward:check
}
expect() {
    [ "$2" = "$3" ] || { echo "$1: $2; expected $3" >&2; exit 1; }
}
expect User "$(setting User)" 65532:65532
expect Entrypoint "$(setting Entrypoint)" '[/usr/bin/hashward]'
expect Cmd "$(setting Cmd)" '[run --config /etc/hashward/hashward.toml]'
expect StopSignal "$(setting StopSignal)" SIGTERM

container=$(buildah from --pull-never localhost/hashward:check)
root=$(buildah mount "$container")
expect 'owner of /var/lib/hashward' "$(stat -c %u:%g "$root/var/lib/hashward")" 65532:65532

# The storage is closed to others.
cp -a "$root" "$work/image"
mkdir -p "$work/config" "$work/state/inbox" "$work/image/etc/hashward" "$work/image/dev" "$work/image/proc"
printf 'a listed content' | sha256sum >"$work/config/known.txt"
printf 'action = "block"\nowner = "Example Authority"\n' >"$work/config/known.toml"
cat >"$work/config/hashward.toml" <<CONFIG
[lists]
files = ["/etc/hashward/known.txt"]
[inbox]
directory = "/var/lib/hashward"
[alerts]
file = "/var/lib/hashward/alerts.ndjson"
quarantine_file = "/var/lib/hashward/quarantine.ndjson"
[http]
listen = "127.0.0.1:0"
CONFIG
chmod 0755 "$work" "$work/image" "$work/config"
chown -R 65532:65532 "$work/state"
# As an orchestrator that knows the image and nothing of the program: the root read-only, the state mounted.
setpriv --reuid=65532 --regid=65532 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
    bwrap --unshare-user --die-with-parent --ro-bind "$work/image" / --dev /dev --proc /proc \
    --ro-bind "$work/config" /etc/hashward --bind "$work/state" /var/lib/hashward --chdir /var/lib/hashward \
    /usr/bin/hashward run --config /etc/hashward/hashward.toml >"$work/log" 2>&1 &
worker=$!
for name in listed harmless; do
    printf 'a %s content' "$name" >"$work/state/inbox/.$name"
    chmod 0644 "$work/state/inbox/.$name"
    mv "$work/state/inbox/.$name" "$work/state/inbox/$name"
done
ticks=0
until [ -e "$work/state/held/listed" ] && [ -e "$work/state/passed/harmless" ]; do
    ticks=$((ticks + 1))
    if [ "$ticks" -gt $((PATIENCE_S * 10)) ] || ! kill -0 "$worker" 2>/dev/null; then
        cat "$work/log" >&2
        exit 1
    fi
    sleep 0.1
done
expect alerts "$(wc -l <"$work/state/alerts.ndjson")" 1
pkill -TERM -P "$worker"
code=0
wait "$worker" || code=$?
worker=
expect 'exit code' "$code" 0
echo "built on the C library's files alone, ran read-only as 65532"
