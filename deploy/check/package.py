"""Installs the Debian package, runs it as its unit would, removes and purges it, and looks at what is left.

    python3 deploy/check/package.py target/debian/hashward_*.deb

Runs as root, on a machine that has no Hashward.
"""

import contextlib
import grp
import hashlib
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import unit as units

PATIENCE_S = 60
STATE = Path("/var/lib/hashward")
CONFIG = Path("/etc/hashward/hashward.toml")
UNIT = Path("/usr/lib/systemd/system/hashward.service")
HTTP = "http://127.0.0.1:9464"
LISTED, HARMLESS = b"a listed content", b"a harmless content"


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
    return done.stdout


def wait_for(what, done):
    deadline = time.monotonic() + PATIENCE_S
    while not (found := done()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


def mode_of(path):
    status = path.stat()
    owner, group = pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid).gr_name
    return f"{owner}:{group} {stat.S_IMODE(status.st_mode):o}"


def get(path):
    try:
        with urllib.request.urlopen(HTTP + path, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def put(name, content):
    """As the documentation asks: under a hidden name first."""
    hidden = STATE / "inbox" / f".{name}"
    hidden.write_bytes(content)
    # What the group of the folder gives: a producer need not be the worker.
    hidden.chmod(0o640)
    hidden.rename(STATE / "inbox" / name)


class Manager:
    """What systemd's end of NOTIFY_SOCKET hears."""

    def __init__(self, path):
        self.heard = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        path.chmod(0o666)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            self.heard += self.socket.recv(4096).decode().splitlines()


def installed(package):
    run("dpkg", "-i", package)
    assert mode_of(STATE) == "hashward:hashward 750"
    assert mode_of(STATE / "inbox") == "hashward:hashward 2770"
    assert mode_of(CONFIG.parent / "seal.key") == "root:root 600"
    assert pwd.getpwnam("hashward").pw_shell == "/usr/sbin/nologin"
    run("systemd-analyze", "verify", "--man=no", str(UNIT))
    # Nobody starts it before a list is named, and it says so.
    validated = subprocess.run(["hashward", "validate", "--config", str(CONFIG)], capture_output=True, text=True)
    assert validated.returncode == 2 and "lists.files" in validated.stdout, validated.stdout
    key = (CONFIG.parent / "seal.key").read_bytes()
    run("dpkg", "-i", package)
    assert (CONFIG.parent / "seal.key").read_bytes() == key, "an upgrade keeps the key"


def configured():
    (CONFIG.parent / "lists").mkdir()
    (CONFIG.parent / "lists/known.txt").write_text(hashlib.sha256(LISTED).hexdigest() + "\n")
    (CONFIG.parent / "lists/known.toml").write_text('action = "block"\nowner = "Example Authority"\n')
    CONFIG.write_text(CONFIG.read_text().replace("files = []", 'files = ["/etc/hashward/lists/known.txt"]'))
    run("hashward", "validate", "--config", str(CONFIG))


def started(scratch):
    manager = Manager(Path(scratch) / "notify")
    environment = {"NOTIFY_SOCKET": str(Path(scratch) / "notify"), "WATCHDOG_USEC": "400000"}
    worker = units.launch(units.Unit(UNIT), scratch, environment)
    log = []
    reading = threading.Thread(target=lambda: log.extend(worker.stdout), daemon=True)
    reading.start()
    try:
        wait_for("READY", lambda: "READY=1" in manager.heard or worker.poll() is not None)
        assert worker.poll() is None, "".join(log)
        assert (get("/livez"), get("/readyz")) == (200, 200)
        put("listed.bin", LISTED)
        put("harmless.bin", HARMLESS)
        wait_for("the verdicts", lambda: (STATE / "held/listed.bin").exists() and (STATE / "passed/harmless.bin").exists())
        alerts = wait_for("the alert", lambda: (STATE / "alerts.ndjson").read_text().splitlines())
        assert [json.loads(alert)["subject"] for alert in alerts] == ["listed.bin"]
        assert any((STATE / "generations").iterdir()), "generations are kept"
        assert mode_of(STATE / "alerts.ndjson") == "hashward:hashward 600"
        wait_for("a sign of life", lambda: "WATCHDOG=1" in manager.heard)
        (worker_pid,) = run("pgrep", "-x", "-u", "hashward", "hashward").split()
        confined = Path(f"/proc/{worker_pid}/status").read_text()
        for line in ("Seccomp:\t2", "NoNewPrivs:\t1", "CapBnd:\t0000000000000000"):
            assert line in confined, f"{line} expected in\n{confined}"
        os.kill(int(worker_pid), signal.SIGTERM)
        assert worker.wait(PATIENCE_S) == 0, "".join(log)
        wait_for("STOPPING", lambda: "STOPPING=1" in manager.heard)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
    reading.join(PATIENCE_S)
    complaints = [line for line in log if '"ERROR"' in line or '"WARN"' in line]
    assert log and not complaints, "".join(complaints)


def removed():
    run("dpkg", "--remove", "hashward")
    assert not Path("/usr/bin/hashward").exists() and not UNIT.exists()
    assert CONFIG.exists() and (STATE / "alerts.ndjson").exists() and (CONFIG.parent / "seal.key").exists()
    said = run("dpkg", "--purge", "hashward")
    assert "evidence" in said, said
    assert not CONFIG.exists() and not (CONFIG.parent / "seal.key").exists()
    assert not (STATE / "generations").exists()
    assert (STATE / "alerts.ndjson").exists() and (STATE / "held/listed.bin").exists()
    left = sorted(str(path) for path in CONFIG.parent.rglob("*"))
    assert left == ["/etc/hashward/lists", "/etc/hashward/lists/known.toml", "/etc/hashward/lists/known.txt"], left


def main():
    (package,) = sys.argv[1:]
    if STATE.exists() or CONFIG.exists():
        sys.exit(f"{STATE} or {CONFIG} is there: this check wants a machine without Hashward")
    # Not below /tmp, which the unit hides.
    with tempfile.TemporaryDirectory(dir="/run") as scratch:
        os.chmod(scratch, 0o755)
        try:
            installed(package)
            configured()
            started(scratch)
            removed()
        finally:
            subprocess.run(["dpkg", "--purge", "hashward"], capture_output=True)
            shutil.rmtree(STATE, ignore_errors=True)
            shutil.rmtree(CONFIG.parent, ignore_errors=True)
            subprocess.run(["deluser", "--quiet", "--system", "hashward"], capture_output=True)
    print("installed, ran as its unit says, removed, purged; alerts and held content stayed")


main()
