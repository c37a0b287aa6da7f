"""Hosts of a network that exists for a test only: namespaces on a bridge, one of each kind for every host.

All of them lie in a room, a set of namespaces of its own whose first process reads a pipe of the test's. However the test
ends, the pipe closes, that process ends, and the kernel ends every process in the room and takes down its network and
mounts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PREFIX = "10.77.0"
OPERATOR = f"{PREFIX}.1"
NEW_NAMESPACES = ["unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc"]
NEEDED = ("unshare", "nsenter", "ip", "sshd", "ssh", "ssh-keygen", "rsync")
ROOM = f"""
ip link set lo up
ip link add bridge type bridge
ip address add {OPERATOR}/24 dev bridge
ip link set bridge up
hostname operator
"""
PRIVATE = """
mount -t tmpfs tmpfs /mnt
index=0
for path in {shared}; do
    index=$((index + 1)); mkdir /mnt/$index; mount --bind "$path" /mnt/$index
done
for place in /tmp /run /dev/shm {home}; do mount -t tmpfs tmpfs $place; done
mkdir -p /run/sshd {home}/.ssh; echo "[ -z "\$PS1" ] && return" > {home}/.bashrc
index=0
for path in {shared}; do
    index=$((index + 1)); mkdir -p "$path"; mount --bind /mnt/$index "$path"
done
"""
HOST = """
ip link set lo up
hostname {name}
"""
SSHD = """
Port 22
HostKey {keys}/host
AuthorizedKeysFile {keys}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
LogLevel QUIET
"""
PATIENCE = 30.0


def lacking() -> str | None:
    """Why there can be no such hosts here; None where there can."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} cannot be found (Debian: openssh-server, rsync, iproute2)"
    tried = subprocess.run([*NEW_NAMESPACES, "ip", "link", "add", "name", "bridge", "type", "bridge"], capture_output=True, check=False)
    return f"namespaces are not permitted: {tried.stderr.decode().strip()}" if tried.returncode else None


class Room:
    """A network with a bridge, and the operator's place in it: who says ``ray up``."""

    def __init__(self, shared: Sequence[Path]) -> None:
        self.shared = list(shared)
        self._process = _begin([], f"{self._private()}{ROOM}\necho ready; cat; true")
        self.init = _child(self._process.pid)

    def _private(self) -> str:
        paths = " ".join(map(str, self.shared))
        return "set -e\n" + PRIVATE.format(shared=paths, home=Path.home())

    def add(self, name: str, number: int, keys: Path) -> Host:
        """A host with sshd at an address of its own, once it answers."""
        return Host(self, name, f"{PREFIX}.{number}", keys)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command of the operator's."""
        return subprocess.run(
            self.enter(*command), env={**os.environ, **environment}, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, timeout=240,
        )  # fmt: skip

    def enter(self, *command: str) -> list[str]:
        """The command line that runs a command in the room."""
        return _enter(self.init, *command)

    def link(self, *arguments: str) -> None:
        """``ip`` in the room's network, by the process numbers outside of it."""
        subprocess.run(["nsenter", f"--net=/proc/{self.init}/ns/net", "ip", *arguments], check=True)

    def close(self) -> None:
        """End all of it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(PATIENCE)


class Host:
    """A machine of its own as far as a process can tell, with its own network, processes, files and name."""

    def __init__(self, room: Room, name: str, address: str, keys: Path) -> None:
        self.room, self.name, self.address = room, name, address
        sshd = f"exec {shutil.which('sshd')} -D -f {keys}/sshd_config"
        script = f"{room._private()}{HOST.format(name=name)}\necho ready\n{sshd}"
        self._process = _begin(room.enter(), script)
        self.init = _child(_child(self._process.pid))
        room.link("link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", str(self.init))
        room.link("link", "set", f"to-{name}", "master", "bridge", "up")
        inside = ["nsenter", f"--net=/proc/{self.init}/ns/net", "ip"]
        subprocess.run([*inside, "address", "add", f"{address}/24", "dev", "eth0"], check=True)
        subprocess.run([*inside, "link", "set", "eth0", "up"], check=True)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command on the host, as its console would run it."""
        return subprocess.run(_enter(self.init, *command), capture_output=True, text=True, check=False, timeout=240)

    def processes(self) -> dict[int, str]:
        """Command lines of all its processes, but for sshd's and those that have ended, by their numbers outside."""
        found, here = {}, Path(f"/proc/{self.init}/ns/pid").readlink()
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                line = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                if (directory / "ns" / "pid").readlink() == here and line and not line.startswith(("sshd", "/usr/sbin/sshd")):
                    found[int(directory.name)] = line
            except OSError:
                continue
        return found

    def cut(self) -> None:
        """Pull its cable."""
        self.room.link("link", "set", f"to-{self.name}", "down")

    def mend(self) -> None:
        """Plug it in again."""
        self.room.link("link", "set", f"to-{self.name}", "up")


def make_keys(directory: Path, environment: str = "") -> Path:
    """Keys of the user and of the hosts, and what sshd is told. Returns the directory."""
    directory.mkdir()
    for name in ("user", "host"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)], check=True)
    (directory / "sshd_config").write_text(SSHD.format(keys=directory) + environment)
    return directory


def _begin(before: Sequence[str], script: str) -> subprocess.Popen[str]:
    """A shell as the first process of new namespaces, once it has said that it is ready."""
    process = subprocess.Popen(
        [*before, *NEW_NAMESPACES, "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    if process.stdout.readline() != "ready\n":
        raise RuntimeError("the namespaces cannot be set up")
    return process


def _child(pid: int) -> int:
    """The only child of a process."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


def _enter(init: int, *command: str) -> list[str]:
    return ["nsenter", f"--target={init}", "--net", "--mount", "--uts", "--ipc", "--pid", *command]
