"""Hosts of a network that is there for a test only: each has its own namespaces, on a bridge.

They lie in a room, namespaces around theirs whose first process reads a pipe from the test. However the test ends, that
pipe is closed, that process ends, and the kernel ends all processes of the room and takes down its network and mounts.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PREFIX = "10.77.0"
NEEDED = ("unshare", "nsenter", "ip", "pgrep", "setsid", "sshd", "ssh", "ssh-keygen", "rsync")
KINDS = ("--net", "--mount", "--uts", "--ipc", "--pid")
NEW = [shutil.which("unshare") or "", *KINDS, "--fork", "--mount-proc"]
NSENTER = shutil.which("nsenter") or ""
PRIVATE = r"""
set -e
mount -t tmpfs tmpfs /mnt
index=0
for path in {shared}; do
    index=$((index + 1)); mkdir /mnt/$index; mount --bind "$path" /mnt/$index
done
for place in /tmp /run /dev/shm {home}; do mount -t tmpfs -o mode=755 tmpfs $place; done
chmod 1777 /tmp /dev/shm
index=0
for path in {shared}; do
    index=$((index + 1)); mkdir -p "$path"; mount --bind /mnt/$index "$path"
done
mkdir /run/sshd
echo '[ -z "$PS1" ] && return' > {home}/.bashrc
ip link set lo up
hostname {name}
"""
BRIDGE = f"""
ip link add name bridge type bridge
ip address add {PREFIX}.1/24 dev bridge
ip link set bridge up
"""
READY = "ready"
SSHD = """
HostKey {keys}/host
AuthorizedKeysFile {keys}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
LogLevel QUIET
"""
PATIENCE = 120.0


def lacking() -> str | None:
    """Why there can be no such hosts here; None where there can."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} cannot be found (Debian: openssh-server, rsync, iproute2, procps)"
    bridge = ["ip", "link", "add", "name", "bridge", "type", "bridge"]
    tried = subprocess.run([*NEW, *bridge], capture_output=True, text=True, check=False)
    return f"namespaces are not permitted here: {tried.stderr.strip()}" if tried.returncode else None


class Place:
    """Namespaces of their own, with private files at /tmp, /run, /dev/shm and home, but for what is shared."""

    def __init__(self, name: str, around: Sequence[str], shared: Sequence[Path], script: str) -> None:
        self.name = name
        private = PRIVATE.format(name=name, home=Path.home(), shared=" ".join(map(str, shared)))
        self._process = subprocess.Popen(
            [*around, *NEW, "sh", "-c", f"{private}{script}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        assert self._process.stdout.readline().strip() == READY
        self.init = _last_child(self._process.pid)

    def command(self, *command: str) -> list[str]:
        """The command line that runs a command there, as its console would."""
        return [NSENTER, f"--target={self.init}", *KINDS, *command]

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command there."""
        return subprocess.run(
            self.command(*command),
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=240,
        )

    def ip(self, *arguments: str) -> None:
        """Change its network, by the process numbers outside."""
        subprocess.run([NSENTER, f"--net=/proc/{self.init}/ns/net", "ip", *arguments], check=True)


class Room(Place):
    """A network with a bridge, and the place in it of who says ``ray up``."""

    def __init__(self, shared: Sequence[Path]) -> None:
        self.shared = shared
        super().__init__("operator", [], shared, f"{BRIDGE}echo {READY}; cat; true")

    def close(self) -> None:
        """End all that is in it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(PATIENCE)


class Host(Place):
    """A machine of its own as far as a process can tell, with sshd; ``keys`` are those of `make_keys`."""

    def __init__(self, room: Room, name: str, number: int, keys: Path) -> None:
        self.address, self._room = f"{PREFIX}.{number}", room
        sshd = f"echo {READY}; exec {shutil.which('sshd')} -D -f {keys}/sshd_config"
        super().__init__(name, room.command(), room.shared, sshd)
        room.ip("link", "add", self._port, "type", "veth", "peer", "name", "eth0", "netns", str(self.init))
        room.ip("link", "set", self._port, "master", "bridge", "up")
        self.ip("address", "add", f"{self.address}/24", "dev", "eth0")
        self.ip("link", "set", "eth0", "up")

    @property
    def _port(self) -> str:
        """Of the bridge, where its cable ends."""
        return f"to-{self.name}"

    def processes(self, title: str = "") -> dict[int, str]:
        """Command lines by number, outside, of its processes that contain ``title``; without sshd's own."""
        found, here = {}, Path(f"/proc/{self.init}/ns/pid").readlink()
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                line = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if (directory / "ns" / "pid").readlink() == here and title in line and "sshd" not in line:
                    found[int(directory.name)] = line
            except OSError:
                continue
        return {pid: line for pid, line in found.items() if line}

    def kill(self, title: str) -> None:
        """Kill, at once, its processes that contain ``title``."""
        for pid in self.processes(title):
            os.kill(pid, signal.SIGKILL)

    def cut(self) -> None:
        """Pull its cable."""
        self._room.ip("link", "set", self._port, "down")

    def mend(self) -> None:
        """Plug it in again."""
        self._room.ip("link", "set", self._port, "up")


def make_keys(directory: Path, environment: str) -> Path:
    """Make keys of the user and of the hosts; every login has the environment, ``NAME=VALUE`` words."""
    directory.mkdir()
    generate = [shutil.which("ssh-keygen") or "", "-q", "-t", "ed25519", "-N", "", "-f"]
    for name in ("user", "host"):
        subprocess.run([*generate, str(directory / name)], check=True)
    (directory / "sshd_config").write_text(f"{SSHD.format(keys=directory)}SetEnv {environment}\n")
    return directory


def wait_for(condition: Callable[[], object], told: Callable[[], object] = str) -> None:
    """Raises AssertionError with what there is to tell."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, told()
        time.sleep(0.05)


def _last_child(pid: int) -> int:
    """The first process of the innermost namespaces, from nsenter and unshare, each of which has one child."""
    while children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        pid = int(children[0])
    return pid
