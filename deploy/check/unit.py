"""Starts a command as a systemd unit would: its user, its view of the files, its system calls.

Systemd need not run for this. It covers what can break a program: ProtectSystem, PrivateTmp, ProtectHome, PrivateDevices,
User, NoNewPrivileges, the capabilities, SystemCallFilter, RestrictAddressFamilies, MemoryDenyWriteExecute, LoadCredential,
Environment and WorkingDirectory. Needs bubblewrap, util-linux, systemd and libseccomp's Python module.

Run as a program, it is the last step of its own launch: it loads the filters and becomes the command.
"""

import errno
import os
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

PROT_WRITE, PROT_EXEC = 2, 4
# What exists only for the length of a system call is below this number: no address family is above it.
FAMILIES = 64


class Unit:
    """The settings of a unit's [Service] section. A setting that stands twice is kept as a list."""

    def __init__(self, path):
        self.path = Path(path)
        self.settings = {}
        section = None
        for line in self.path.read_text().splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif section == "Service" and "=" in line and not line.startswith("#"):
                name, value = line.split("=", 1)
                self.settings.setdefault(name, []).append(value)

    def one(self, name):
        (value,) = self.settings[name]
        return value

    def words(self, name):
        return [word for value in self.settings.get(name, []) for word in value.split()]


def launch(unit, scratch, environment):
    """Starts the unit's ExecStart, with `scratch` for what systemd keeps below /run."""
    user, state = unit.one("User"), "/var/lib/" + unit.one("StateDirectory")
    credentials = Path(scratch) / "credentials"
    credentials.mkdir(mode=0o700)
    for credential in unit.settings.get("LoadCredential", []):
        name, source = credential.split(":", 1)
        shutil.copyfile(source, credentials / name)
        (credentials / name).chmod(0o400)
        shutil.chown(credentials / name, user, user)
    shutil.chown(credentials, user, user)
    assert unit.one("ProtectSystem") == "strict" and unit.one("PrivateTmp") == "yes"
    assert unit.one("ProtectHome") == "yes" and unit.one("PrivateDevices") == "yes"
    assert unit.one("NoNewPrivileges") == "yes" and unit.one("CapabilityBoundingSet") == ""
    files = ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/var/tmp"]
    files += ["--tmpfs", "/home", "--tmpfs", "/root", "--bind", state, state]
    # This program may be in a folder that is hidden.
    me = shutil.copy(__file__, scratch)
    files += ["--bind", str(scratch), str(scratch)]
    caps = ["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs"]
    who = ["setpriv", f"--reuid={user}", f"--regid={unit.one('Group')}", "--clear-groups", *caps]
    variables = {"PATH": "/usr/bin:/bin", "CREDENTIALS_DIRECTORY": str(credentials), **environment}
    for assignment in unit.settings.get("Environment", []):
        name, value = assignment.split("=", 1)
        variables[name] = value.replace("%d", str(credentials))
    program = ["/usr/bin/python3", me, str(unit.path)]
    command = ["bwrap", *files, "--chdir", unit.one("WorkingDirectory"), "--", *who, *program]
    # A session of its own, so that all of it can be killed.
    out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, env=variables, start_new_session=True, **out)


def system_calls(names):
    """The system calls of some sets and names."""
    calls = set()
    for name in names:
        if not name.startswith("@"):
            calls.add(name)
            continue
        listed = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
        lines = [line.strip() for line in listed.stdout.splitlines()[1:]]
        calls |= system_calls([line for line in lines if line and not line.startswith("#")])
    return calls


def confine(unit):
    """Loads the unit's filters into this process, the one that forbids most as the last."""
    import seccomp

    families = {getattr(socket, name) for name in unit.words("RestrictAddressFamilies")}
    assert families, "RestrictAddressFamilies lists what is allowed"
    sockets = seccomp.SyscallFilter(seccomp.ALLOW)
    for family in set(range(FAMILIES)) - families:
        sockets.add_rule(seccomp.ERRNO(errno.EAFNOSUPPORT), "socket", seccomp.Arg(0, seccomp.EQ, family))
    sockets.add_rule(seccomp.ERRNO(errno.EAFNOSUPPORT), "socket", seccomp.Arg(0, seccomp.GE, FAMILIES))
    memory = seccomp.SyscallFilter(seccomp.ALLOW)
    if unit.one("MemoryDenyWriteExecute") == "yes":
        both = PROT_WRITE | PROT_EXEC
        memory.add_rule(seccomp.ERRNO(errno.EPERM), "mmap", seccomp.Arg(2, seccomp.MASKED_EQ, both, both))
        for call in ("mprotect", "pkey_mprotect"):
            protection = seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC, PROT_EXEC)
            memory.add_rule(seccomp.ERRNO(errno.EPERM), call, protection)
    allowed = set()
    for value in unit.settings["SystemCallFilter"]:
        calls = system_calls(value.lstrip("~").split())
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    calls = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for call in allowed:
        try:
            number = seccomp.resolve_syscall(seccomp.Arch(), call)
        except ValueError:
            continue
        if number >= 0:
            calls.add_rule(seccomp.ALLOW, call)
    for stage in (sockets, memory, calls):
        stage.load()


if __name__ == "__main__":
    me = Unit(sys.argv[1])
    arguments = shlex.split(me.one("ExecStart"))
    os.umask(int(me.one("UMask"), 8))
    confine(me)
    os.execv(arguments[0], arguments)
