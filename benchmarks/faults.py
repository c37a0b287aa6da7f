"""Faults of every kind befall a sweep of the toy trainable, one after the other; the same command follows each.

    python -m benchmarks.faults --faults 300 --seed 1

Most are damage between two commands in one process; every twentieth is a driver that is killed, every fiftieth befalls
a sweep on Ray. Prints a Markdown table. Needs a checkout, as it shares its faults with the tests.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import click

from tests.faults.campaign import RUN, Campaign, Undisturbed, Verdict
from tests.faults.damage import DAMAGES
from tests.faults.drivers import WORKER, Driver
from tests.project import Project
from tests.tiny.disturbance import FAULT

SLOW = ("--preset", "slow")
INLINE_EVERY, RAY_EVERY = 20, 50
CLUSTER_LOST = 1
INTERRUPTED = 130


@dataclass
class Tally:
    """Faults of one kind."""

    seconds: list[float] = field(default_factory=list)
    """From the fault to the end of the command that went on."""
    verdicts: list[Verdict] = field(default_factory=list)

    def row(self, kind: str) -> str:
        """Of the Markdown table."""
        count = len(self.verdicts)
        numbers = (
            sum(not each.problems for each in self.verdicts),
            sum(not each.differing for each in self.verdicts),
            sum(len(each.twice) for each in self.verdicts),
            sum(len(each.leftovers) for each in self.verdicts),
        )
        took = f"{sum(self.seconds) / max(1, count):.1f} | {max(self.seconds, default=0):.1f}"
        return f"| {kind} | {count} | " + " | ".join(map(str, numbers)) + f" | {took} |"


class Bench:
    """A damaged campaign that goes on for ever, and one for killed processes that begins anew when it is done."""

    def __init__(self, place: Path, seed: int) -> None:
        self.pick = Random(seed)  # noqa: S311
        self.tallies: dict[str, Tally] = {}
        self._place = place
        quick = Undisturbed.of(_new(place / "undisturbed"))
        self._slow = Undisturbed.of(_new(place / "undisturbed-slow"), *SLOW, name="tiny-slow")
        self._damaged = Campaign.finished(_new(place / "damaged"), quick)
        self._kills = 0

    def damage(self) -> None:
        """Damage something between two commands."""
        name = self.pick.choice(sorted(DAMAGES))
        campaign = self._damaged
        campaign.remember()
        hit = DAMAGES[name](campaign.runs, self.pick)
        began = time.monotonic()
        verdict = campaign.judge(campaign.go_on(), hit)
        self._note(f"damage: {name.partition(':')[0]}", name, time.monotonic() - began, verdict)

    def kill(self, kind: str, disturb: Callable[[Driver, Random], int | None], on_ray: bool, fault: str) -> None:
        """Disturb a driver that is at work. Nothing that it has done may be done again."""
        self._kills += 1
        campaign = Campaign(Project(_new(self._place / f"killed-{self._kills}")), self._slow)
        campaign.options = (*RUN[2:], *SLOW, "--executor", "inline")
        how = (
            ()
            if on_ray
            else (
                "--executor",
                "inline",
            )
        )
        driver = Driver(campaign.project, *RUN, *SLOW, *how, **({FAULT: fault} if fault else {}))
        driver.wait_for_work(self.pick.randrange(1, 8))
        campaign.remember()
        began = time.monotonic()
        wanted = disturb(driver, self.pick)
        code = driver.wait_for_exit()
        verdict = campaign.judge(campaign.go_on())
        if wanted is not None and code != wanted:
            verdict = Verdict((*verdict.problems, f"exit code {code} instead of {wanted}: {driver.log}"))
        self._note(kind, kind, time.monotonic() - began, verdict)

    def _note(self, kind: str, name: str, seconds: float, verdict: Verdict) -> None:
        tally = self.tallies.setdefault(kind, Tally())
        tally.seconds.append(seconds)
        tally.verdicts.append(verdict)
        if verdict != Verdict():
            click.echo(f"{name}: {verdict}", err=True)
            self._damaged.begin_anew()


def killed(driver: Driver, pick: Random) -> None:
    """At once."""
    driver.kill()


def interrupted(driver: Driver, pick: Random) -> int:
    """Ctrl-C."""
    driver.interrupt()
    return INTERRUPTED


def one_of(title: str, code: int) -> Callable[[Driver, Random], int]:
    """Kill one of Ray's processes; the driver is to end with this code."""

    def disturb(driver: Driver, pick: Random) -> int:
        os.kill(pick.choice(driver.processes(title)), signal.SIGKILL)
        return code

    return disturb


ENDLESS = "endless minus 2"
"""A sweep that cannot be done before Ray's death is noticed."""
INLINE_KILLS = [("driver killed", killed, False, ""), ("Ctrl-C", interrupted, False, "")]
RAY_KILLS = [
    ("Ray: worker killed", one_of(WORKER, 0), True, ""),
    ("Ray: driver killed", killed, True, ""),
    ("Ray: Ctrl-C", interrupted, True, ""),
    ("Ray: node manager killed", one_of("raylet/raylet", CLUSTER_LOST), True, ENDLESS),
    ("Ray: control service killed", one_of("gcs_server", CLUSTER_LOST), True, ENDLESS),
]


def _new(path: Path) -> Path:
    path.mkdir()
    return path


@click.command()
@click.option("--faults", type=click.IntRange(1), default=300, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(faults: int, seed: int) -> None:
    """Run the campaign and print its table; exits with 1 when a sweep did not survive a fault."""
    with tempfile.TemporaryDirectory(prefix="sweeper-faults-") as place:
        bench = Bench(Path(place), seed)
        for number in range(1, faults + 1):
            if number % RAY_EVERY == 0:
                bench.kill(*RAY_KILLS[number // RAY_EVERY % len(RAY_KILLS)])
            elif number % INLINE_EVERY == 0:
                bench.kill(*INLINE_KILLS[number // INLINE_EVERY % len(INLINE_KILLS)])
            else:
                bench.damage()
    click.echo("| kind | faults | recovered | tables equal | stages run twice | leftovers | mean s | longest s |")
    click.echo("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for kind, tally in sorted(bench.tallies.items()):
        click.echo(tally.row(kind))
    every = [each for tally in bench.tallies.values() for each in tally.verdicts]
    seconds = [each for tally in bench.tallies.values() for each in tally.seconds]
    click.echo(Tally(seconds, every).row("all"))
    raise SystemExit(any(each != Verdict() for each in every))


if __name__ == "__main__":
    main()
