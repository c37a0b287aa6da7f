import io

import pytest
from inline_snapshot import snapshot
from rich.console import Console

from sweeper.engine.display import Display, Estimate
from sweeper.planning.text import clock
from sweeper.records.sweep import Status
from tests.tiny.config import Branch, Trunk
from tests.tiny.experiment import bend, grow

TRUNKS = [grow(trunk=Trunk(steps=10, pause=0), seed=seed) for seed in range(4)]
BENDS = [bend(trunk=trunk, branch=Branch(kind="plus", size=1), turn=0) for trunk in TRUNKS]
STAGES = {node.key: node for node in [*TRUNKS, *BENDS]}


def test_the_time_left_follows_from_what_each_kind_of_stage_took() -> None:
    estimate = Estimate(STAGES, slots=2)
    assert estimate.seconds_left is None
    estimate.measured(TRUNKS[0], 1.0, 20.0)  # 2 s per unit of work
    estimate.measured(BENDS[0], 1.0, 5.0)  # 5 s per unit
    assert estimate.seconds_left == pytest.approx((3 * 20 + 3 * 5) / 2)
    estimate.measured(TRUNKS[1], 0.5, 10.0)
    assert estimate.seconds_left == pytest.approx((2.5 * 20 + 3 * 5) / 2)


def test_a_first_small_stage_is_not_enough_to_say_the_time_left() -> None:
    long = grow(trunk=Trunk(steps=1000, pause=0), seed=9)
    estimate = Estimate({node.key: node for node in [long, *BENDS]}, slots=1)
    estimate.measured(BENDS[0], 1.0, 5.0)
    assert estimate.seconds_left is None
    estimate.measured(long, 0.1, 20.0)
    assert estimate.seconds_left == pytest.approx(900 * 0.2 + 3 * 5)


def test_a_kind_not_measured_yet_is_taken_at_the_mean_rate() -> None:
    estimate = Estimate(STAGES, slots=1)
    estimate.measured(TRUNKS[0], 1.0, 20.0)
    assert estimate.seconds_left == pytest.approx(3 * 20 + 4 * 2)


def test_without_a_terminal_failures_are_lines_and_the_summary_counts() -> None:
    out = io.StringIO()
    told: list[Status] = []
    with Display(STAGES, 1, Console(file=out, width=80), told.append) as display:
        for node, failure in ((TRUNKS[0], None), (TRUNKS[1], "ValueError: no luck")):
            display.started(node)
            display.progressed(node, 5, 10)
            display.ended(node, failure)
        display.started(TRUNKS[2])
        for _ in range(2):
            display.deferred(TRUNKS[2], "its worker process died")
            display.started(TRUNKS[2])
        assert display.summary == snapshot("1 stages in 0:00, 1 failed")
    assert out.getvalue() == f"  failed: grow {TRUNKS[1].key[:12]}: ValueError: no luck\n" + (
        f"  deferred: grow {TRUNKS[2].key[:12]}: its worker process died\n"
    )
    assert [(each.state, each.total) for each in told] == [("running", len(STAGES))]  # once a second
    status = display.status("interrupted", "why")
    assert (status.state, status.note, status.done, status.failed) == ("interrupted", "why", 1, 1)
    assert status.failures == (f"grow {TRUNKS[1].key[:12]}: ValueError: no luck",)
    assert [stage.key for stage in status.running] == [TRUNKS[2].key]


def test_on_a_terminal_a_bar_shows_the_first_stage_at_once() -> None:
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=True, color_system=None)
    with Display(STAGES, 1, console, lambda _: None) as display:
        display.started(TRUNKS[0])
    assert f"0/{len(STAGES)} stages · 0:00 elapsed · time left not known yet · grow" in out.getvalue()


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (67.4, "1:07"), (3729, "1:02:09")])
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_stages_that_come_later_count_from_then_on() -> None:
    estimate = Estimate({node.key: node for node in TRUNKS}, slots=1)
    estimate.measured(TRUNKS[0], 1.0, 20.0)
    assert estimate.add(STAGES) == len(BENDS)
    assert estimate.add(STAGES) == 0
    assert estimate.seconds_left == pytest.approx(3 * 20 + 4 * 2)


def test_a_search_is_shown_and_told_by_its_suggestions() -> None:
    told: list[Status] = []
    far = ["0/8 suggestions", 0.0]
    console = Console(file=io.StringIO(), width=80)
    with Display({}, 1, console, told.append, lambda: (str(far[0]), float(far[1]))) as display:
        display.added(STAGES)
        display.added(STAGES)
        display.started(TRUNKS[0])
        assert display.status("running").left is None
        far[:] = "2/8 suggestions, 1 pruned", 0.25
        display.ended(TRUNKS[0], None)
        status = display.status("running")
    assert (status.done, status.total, status.search) == (1, len(STAGES), "2/8 suggestions, 1 pruned")
    assert status.left == pytest.approx(3 * status.elapsed, rel=0.5)
