"""A repository that is written with python-tuf and served on this machine, and the client under test."""

import os
import subprocess
import tempfile
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole, Delegations, Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp,
)

TOP = ["root", "timestamp", "snapshot", "targets"]


def in_days(days):
    return datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=days)


def key(kind="ecdsa"):
    return getattr(CryptoSigner, f"generate_{kind}")()


class Repository:
    """Top-level roles with a key each, in version 1."""

    def __init__(self, kind="ecdsa", consistent=True):
        self.kind = kind
        self.states = {
            "root": Metadata(Root(expires=in_days(30), consistent_snapshot=consistent)),
            "timestamp": Metadata(Timestamp(expires=in_days(30))),
            "snapshot": Metadata(Snapshot(expires=in_days(30))),
            "targets": Metadata(Targets(expires=in_days(30))),
        }
        self.signers = {}
        self.published = {}
        self.contents = {}
        self.asked = []
        self.asked_contents = []
        self.with_hashes = False
        for role in TOP:
            self.new_keys(role)
        self.publish("targets", "snapshot", "timestamp", "root")

    def signed(self, role):
        return self.states[role].signed

    @property
    def root(self):
        return self.signed("root")

    def new_keys(self, role, signers=None, threshold=1):
        """The role's only keys from the next root on."""
        self.root.roles[role].keyids.clear()
        self.root.roles[role].threshold = threshold
        self.signers[role] = signers or [key(self.kind)]
        for signer in self.signers[role]:
            self.root.add_key(signer.public_key, role)

    def sign(self, role):
        state = self.states[role]
        state.signatures.clear()
        for signer in self.signers[role]:
            state.sign(signer, append=True)
        return state.to_bytes()

    def publish(self, *roles, bump=True):
        """Signs and serves; lists targets in the snapshot and that in the timestamp."""
        for role in roles:
            if bump and role in self.published:
                self.signed(role).version += 1
            content = self.sign(role)
            version = self.signed(role).version
            self.published.setdefault(role, {})[version] = content
            self.published[role]["newest"] = content
            listed = self.meta(role, version, content)
            if role == "snapshot":
                self.signed("timestamp").snapshot_meta = listed
            elif role not in ("root", "timestamp"):
                self.signed("snapshot").meta[f"{role}.json"] = listed

    def meta(self, role, version, content):
        if not self.with_hashes:
            return MetaFile(version)
        hashes = TargetFile.from_data(role, content, ["sha256"]).hashes
        return MetaFile(version, len(content), hashes)

    def release(self, *roles):
        """New versions of some roles, and of what leads to them."""
        self.publish(*roles, "snapshot", "timestamp")

    def put(self, path, content, role="targets"):
        self.signed(role).targets[path] = TargetFile.from_data(path, content, ["sha256"])
        self.contents[path] = content

    def delegate(self, parent, name, paths=("*",), terminating=False, expires=None, prefixes=None):
        role = DelegatedRole(name, [], 1, terminating, None if prefixes else list(paths), prefixes)
        delegations = self.signed(parent).delegations
        if delegations is None:
            delegations = self.signed(parent).delegations = Delegations({}, {})
        delegations.roles[name] = role
        if name not in self.states:
            self.states[name] = Metadata(Targets(expires=expires or in_days(30)))
            self.signers[name] = [key(self.kind)]
        self.signed(parent).add_key(self.signers[name][0].public_key, name)

    def answer(self, path):
        """The content of a URL's path, or None."""
        area, _, name = path.lstrip("/").partition("/")
        if area == "targets":
            self.asked_contents.append(name)
            folder, _, file = unquote(name).rpartition("/")
            wanted = None
            if self.root.consistent_snapshot:
                wanted, _, file = file.partition(".")
            path = f"{folder}/{file}" if folder else file
            return self.contents.get(path) if wanted is None or self.is_digest(path, wanted) else None
        stem = name.removesuffix(".json")
        if stem == "timestamp" or not (self.root.consistent_snapshot or stem.endswith(".root")):
            role, version = stem, "newest"
        else:
            number, _, role = stem.partition(".")
            version = int(number)
        self.asked.append((role, None if version == "newest" else version))
        return self.published.get(unquote(role), {}).get(version)

    def is_digest(self, path, digest):
        files = [state.signed.targets.get(path) for state in self.states.values() if hasattr(state.signed, "targets")]
        return any(file and digest in file.hashes.values() for file in files)


class Server:
    """Serves what a repository answers."""

    def __init__(self, repository):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and content are two writes; the second does not wait until the first is acknowledged.
            disable_nagle_algorithm = True

            def do_GET(self):
                content = repository.answer(self.path)
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Client:
    """The client under test."""

    def __init__(self, binary, url):
        # In memory where there is such a folder: the client waits for its disk at each step.
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.metadata = os.path.join(self.folder.name, "metadata")
        self.targets = os.path.join(self.folder.name, "targets")
        os.mkdir(self.metadata)
        os.mkdir(self.targets)
        self.binary, self.url = binary, url

    def run(self, *arguments, days=0):
        command = [self.binary, "tuf-client", *arguments]
        if days:
            command = ["faketime", "-f", f"+{days}d", *command]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        self.told = done.stderr.decode()
        return done.returncode

    def init(self, root):
        path = os.path.join(self.folder.name, "first.json")
        with open(path, "wb") as file:
            file.write(root)
        return self.run("--metadata-dir", self.metadata, "init", path)

    def refresh(self, days=0):
        return self.run(
            "--metadata-url", f"{self.url}/metadata/", "--metadata-dir", self.metadata, "refresh", days=days
        )

    def download(self, name, days=0):
        return self.run(
            "--metadata-url", f"{self.url}/metadata/", "--metadata-dir", self.metadata, "--target-name", name,
            "--target-dir", self.targets, "--target-base-url", f"{self.url}/targets/", "download", days=days,
        )

    def trusted(self, role):
        path = os.path.join(self.metadata, f"{role}.json")
        if not os.path.exists(path):
            return None
        with open(path, "rb") as file:
            return file.read()

    def version(self, role):
        content = self.trusted(role)
        return content and Metadata.from_bytes(content).signed.version

    def roles(self):
        """Trusted roles with their versions."""
        names = sorted(name for name in os.listdir(self.metadata) if name.endswith(".json"))
        return [(name.removesuffix(".json"), self.version(name.removesuffix(".json"))) for name in names]

    def downloads(self):
        found = []
        for folder, _, names in os.walk(self.targets):
            for name in names:
                if not name.startswith("."):
                    with open(os.path.join(folder, name), "rb") as file:
                        found.append(file.read())
        return sorted(found)
