"""Connect to the Ray cluster of a sweep, or start one on this machine for the duration."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"  # a look at a cluster that has just ended would start another

import ray
from ray.exceptions import AuthenticationError
from ray.job_config import JobConfig

from sweeper.errors import SweeperError
from sweeper.trainable.search_path import uninstalled

ray._private.worker.print_to_stdstream = lambda *args, **kwargs: None
"""Ray prints pages of its own log when a part of it dies; the watchdog reports what died."""
MARK = "SWEEPER_CLUSTER"
"""Environment variable of the processes of a cluster that was started here, to find them when it has ended."""
KNOCK_SECONDS = 5.0
END_SECONDS = 15.0
OBJECT_STORE_BYTES = 100 * 2**20
"""Artifacts go through the store; Ray's own memory, a third of the machine by default, carries next to nothing."""


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Connect to the Ray cluster that this machine belongs to, or start one here for the duration.

    Raises SweeperError when the address cannot be reached, or its cluster refuses this machine's token.
    """
    if address is None:
        _private_token()
    elif address.startswith("ray://"):
        fix = "run it on the head, or submit it: `ray job submit -- sweeper run … --address auto`"
        raise SweeperError(f"Ray Tune cannot run through Ray's client, {address}", fix=fix)
    elif ":" in address:
        _knock(address)
    mark = os.environ[MARK] = uuid.uuid4().hex
    try:
        behind = JobConfig(_client_job=True, _py_driver_sys_path=uninstalled())  # Ray puts the working directory first
        here = {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
        ray.init(
            address=address or "local",
            job_config=behind,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            **(here if address is None else {}),
        )
    except (ConnectionError, ValueError, RuntimeError, AuthenticationError) as error:
        if address is None:
            message, fix = f"Ray cannot start on this machine: {error}", "use --executor inline, which needs no Ray"
            raise SweeperError(message, fix=fix) from None
        refused = AuthenticationError.__name__ in f"{error!r} {error.__cause__!r}"
        raise (_refused if refused else _no_cluster)(address) from None
    processes = _processes() if address is None else []
    try:
        yield
    finally:
        _shut_down(processes)
        if address is None:
            _end_leftovers(mark)


def _knock(address: str) -> None:
    """Check that something listens: Ray itself waits for minutes. Raises SweeperError after a few seconds."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=KNOCK_SECONDS).close()
    except (OSError, ValueError):
        raise _no_cluster(address) from None


def _no_cluster(address: str) -> SweeperError:
    fix = "start one with `ray up cluster.yaml`, or leave --address out to use this machine"
    return SweeperError(f"no Ray cluster answers at {address}", fix=fix)


def _refused(address: str) -> SweeperError:
    fix = "copy ~/.ray/auth_token from its head, and run chmod 600 ~/.ray/auth_token"
    return SweeperError(f"the Ray cluster at {address} refuses this machine's token", fix=fix)


def _private_token() -> None:
    """Make sure that the token by which Ray's processes know each other is readable by its owner alone."""
    from ray._private.authentication import authentication_token_setup as setup

    logging.getLogger(setup.__name__).setLevel(logging.WARNING)

    token = Path.home() / ".ray" / "auth_token"
    if not token.exists() and not os.environ.get("RAY_AUTH_TOKEN") and not os.environ.get("RAY_AUTH_TOKEN_PATH"):
        setup.generate_and_save_token()
    if token.exists():
        token.chmod(0o600)


def _processes() -> list[subprocess.Popen[bytes]]:
    """Return the processes of the cluster that was started here."""
    started = ray._private.worker._global_node.all_processes.values()
    return [each.process for infos in started for each in infos]


def _shut_down(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End the connection, and the cluster that was started here: also one that does not answer any more."""
    thread = threading.Thread(target=ray.shutdown, daemon=True)
    thread.start()
    thread.join(END_SECONDS)
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()


def _end_leftovers(mark: str) -> None:
    """End what outlives its node manager when that is killed, which by itself takes a minute (where there is /proc)."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"{MARK}={mark}".encode() in path.read_bytes():
                os.kill(int(path.parent.name), signal.SIGKILL)
