import signal
import subprocess
import sys
from pathlib import Path

from sweeper.store.local.claims import LockedClaims

HOLD = """
import pathlib, sys, time
from sweeper.store.local.claims import LockedClaims
with LockedClaims(pathlib.Path(sys.argv[1])).hold("key", "somebody") as ours:
    print(ours, flush=True)
    time.sleep(60)
"""


def test_one_of_two_holds_a_claim_and_the_other_learns_whose_it_is(tmp_path: Path) -> None:
    claims = LockedClaims(tmp_path)
    with claims.hold("key", "the first") as first:
        assert first
        with claims.hold("key", "the second") as second:
            assert not second
        with claims.hold("another", "the second") as other:
            assert other
        assert claims.owner("key") == "the first"
    assert claims.owner("key") is None
    with claims.hold("key", "the second") as again:
        assert again
    assert list(tmp_path.iterdir()) == []


def test_the_claim_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdout.readline() == "True\n"
    claims = LockedClaims(tmp_path)
    assert claims.owner("key") == "somebody"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert claims.owner("key") is None
    with claims.hold("key", "the heir") as ours:
        assert ours
        assert claims.owner("key") == "the heir"
