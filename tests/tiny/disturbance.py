"""What a test may do to the stages of this trainable from outside, by environment variables.

``TINY_LOG`` names a file in which every start of a stage is noted, a line each. ``TINY_FAULT`` says what befalls one
branch, such as ``lost minus 2``: the branches of that kind and size kill their process, and no other.
"""

import json
import os
import signal
import time
from pathlib import Path

from sweeper import Diverged
from tests.tiny.config import Branch

LOG, FAULT = "TINY_LOG", "TINY_FAULT"


def note(*what: object) -> int:
    """Note the start of a stage; how often this very one has been noted, with this time."""
    if LOG not in os.environ:
        return 1
    line = json.dumps(what)
    with Path(os.environ[LOG]).open("a") as file:
        file.write(line + "\n")
    return Path(os.environ[LOG]).read_text().splitlines().count(line)


def befall(branch: Branch, times: int, output: Path) -> None:
    """Let happen what ``TINY_FAULT`` says of this branch, at its ``times``-th start."""
    fault, _, which = os.environ.get(FAULT, "").partition(" ")
    if branch.kind == "nan":
        raise Diverged("the value is nan at step 3")
    if which != f"{branch.kind} {branch.size}":
        return
    if fault == "nan":
        raise Diverged("the loss is nan at step 7")
    if fault == "lost":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "memory" or (fault == "memory-once" and times == 1):
        raise MemoryError("cannot allocate 999 GiB")
    if fault == "endless":
        time.sleep(600)
    if fault == "full":
        _write_too_much(output)


def _write_too_much(output: Path) -> None:
    """As libraries do, that say in words of their own what went wrong."""
    try:
        (output / "film").write_bytes(bytes(10**7))
    except OSError:
        raise RuntimeError("unexpected pos 576 vs 534") from None
