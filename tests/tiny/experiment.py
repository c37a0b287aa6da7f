import hashlib
import json
import time
from pathlib import Path

from PIL import Image

from sweeper import InvalidConfig, Stage, StageRun, stage
from tests.tiny.config import Branch, Config, Trunk
from tests.tiny.disturbance import befall, note


@stage(version=1, work=lambda trunk, **_: float(trunk.steps))
def grow(run: StageRun, trunk: Trunk, seed: int) -> None:
    note("grow", trunk.steps, seed)
    first, link = 0, str(seed)
    if run.saved:
        state = json.loads((run.saved / "chain.json").read_text())
        first, link = state["step"], state["link"]
    for step in range(first, trunk.steps):
        link = hashlib.sha256(link.encode()).hexdigest()
        time.sleep(trunk.pause)
        run.log(step + 1, trunk.steps, value=int(link[:4], 16))
        if run.due():
            state = {"step": step + 1, "link": link}
            run.save(lambda directory, state=state: (directory / "chain.json").write_text(json.dumps(state)))
    (run.output / "chain.txt").write_text(link)


@stage(version=1, part="branches")
def bend(run: StageRun, trunk: Path, branch: Branch, turn: int, pause: float = 0.0) -> None:
    link = (trunk / "chain.txt").read_text()
    times = note("bend", link, branch.kind, branch.size, turn)
    time.sleep(pause)
    befall(branch, times, run.output)
    if branch.kind == "bad":
        raise ValueError("this branch is bad")
    value = int(link[:4], 16) + turn
    (run.output / "bent.json").write_text(json.dumps(value + branch.size * (1 if branch.kind == "plus" else -1)))


@stage(version=1, part="branches", reports=("score", "beauty"))  # the second one never comes
def total(run: StageRun, bends: tuple[Path, ...]) -> None:
    note("total", *[(each / "bent.json").read_text() for each in bends])
    values = [json.loads((each / "bent.json").read_text()) / 7 for each in bends]
    metrics = {"score": sum(values), "path": values, "matrix": [values, values]}
    (run.output / "metrics.json").write_text(json.dumps(metrics))
    Image.new("L", (3, 2)).save(run.output / "total.png")


def run(config: Config) -> Stage:
    return steps(config)[-1]


def steps(config: Config) -> list[Stage]:
    trunk = grow(trunk=config.trunk, seed=config.seed)
    pause = 5 * config.trunk.pause
    bends = [bend(trunk=trunk, branch=config.branch, turn=turn, pause=pause) for turn in range(3)]
    return [total(bends=bends[:done]) for done in (1, 2, 3)]


def facts(config: Config) -> dict[str, float]:
    if config.branch.size == 9:
        raise InvalidConfig("branch.size", "9 is one too many", fix="take 8")
    return {"cost": config.branch.size * 100}


def check(config: Config) -> None:
    if config.branch.size == 8:
        raise InvalidConfig("branch.size", "8 is not to be had here", fix="take 7")
