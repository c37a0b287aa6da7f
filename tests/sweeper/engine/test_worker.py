import json
import platform
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.engine.worker import Job, Outcome, perform
from sweeper.store.local.directory import Directory
from sweeper.trainable.provenance import Repository, code_of
from sweeper.trainable.resources import Resources
from sweeper.trainable.stage import Stage, StageRun, SweeperError, stage
from tests.tiny.config import Branch, Trunk
from tests.tiny.experiment import bend, grow


def job_of(node: Stage, store: Directory, save_seconds: float = 60) -> Job:
    request = Resources(1, 0.0, 0)
    place, function, code = store.place, node.function.location, code_of(node.function.module)
    return Job(
        node.key,
        function,
        node.params,
        node.input_keys,
        place,
        "test",
        code,
        Repository("abc+", "-1\n+2"),
        save_seconds,
        request,
        request,
    )


def ignore(step: int, total: int) -> None: ...


def stop_at(step: int) -> Callable[[int, int], None]:
    def progressed(reached: int, total: int) -> None:
        if reached == step:
            raise KeyboardInterrupt

    return progressed


TRUNK = grow(trunk=Trunk(steps=30, pause=0), seed=4)


def files(store: Directory, node: Stage) -> object:
    return store.manifest(node.key)["files"]


def test_a_stopped_stage_goes_on_and_ends_with_the_same_bytes(store: Directory, tmp_path: Path) -> None:
    undisturbed = Directory(tmp_path / "other")
    undisturbed.prepare()
    assert perform(job_of(TRUNK, undisturbed), ignore).failure is None
    for step in (7, 19):
        with pytest.raises(KeyboardInterrupt):
            perform(job_of(TRUNK, store, save_seconds=0), stop_at(step))
        assert not store.has(TRUNK.key)
        saved = store.progress(TRUNK.key)
        assert saved
        assert json.loads((saved / "chain.json").read_text())["step"] == step - 1
    reached: list[int] = []
    perform(job_of(TRUNK, store), lambda step, total: reached.append(step))
    assert reached[0] == 19
    assert files(store, TRUNK) == files(undisturbed, TRUNK)


def test_a_stage_whose_artifact_exists_is_not_run_again(store: Directory) -> None:
    perform(job_of(TRUNK, store), ignore)
    assert perform(job_of(TRUNK, store), stop_at(1)).failure is None


def test_a_failing_stage_is_an_outcome_with_its_cause_and_leaves_nothing(store: Directory) -> None:
    bad = bend(trunk=TRUNK, branch=Branch(kind="bad", size=1), turn=0)
    perform(job_of(TRUNK, store), ignore)
    outcome = perform(job_of(bad, store), ignore)
    assert outcome.failure
    assert outcome.failure.startswith("ValueError: this branch is bad (experiment.py:")
    assert outcome.trace
    assert "raise ValueError" in outcome.trace
    assert not store.has(bad.key)
    assert not list((store.root / "tmp").iterdir())


@stage(version=1)
def refuse(run: StageRun) -> None:
    raise SweeperError("cat.png is no image", fix="remove it")


def test_what_a_user_can_mend_fails_with_its_message_alone(store: Directory) -> None:
    assert perform(job_of(refuse(), store), ignore) == Outcome(failure="cat.png is no image\n  fix: remove it")


def test_a_damaged_input_is_named_and_set_aside(store: Directory) -> None:
    perform(job_of(TRUNK, store), ignore)
    (store.path(TRUNK.key) / "chain.txt").write_text("0")
    outcome = perform(job_of(bend(TRUNK, Branch(kind="plus", size=1), 0), store), ignore)
    assert outcome.damaged == TRUNK.key
    assert not store.has(TRUNK.key)


def test_a_manifest_says_what_made_the_artifact(store: Directory) -> None:
    perform(job_of(TRUNK, store), ignore)
    manifest = store.manifest(TRUNK.key)
    assert manifest["params"] == {"trunk": {"steps": 30, "pause": 0.0}, "seed": 4}
    assert manifest["stage"] == "tests.grow"
    assert manifest["function"] == "tests.tiny.experiment:grow"
    assert {"source", "packages", "sweeper", "device", "cpus", "seconds", "started", "machine"} <= manifest.keys()
    assert (manifest["commit"], manifest["diff"]) == ("abc+", "-1\n+2")


def test_a_job_is_one_line_of_json(store: Directory) -> None:
    job = replace(job_of(bend(TRUNK, Branch(kind="plus", size=1), 0), store), request=Resources(1, 0.5, 2**30))
    assert Job.from_json(job.to_json()) == job
    assert "\n" not in job.to_json()
    assert job.device == "cuda"


def test_a_worker_with_other_code_than_the_driver_refuses_the_stage_and_says_both(store: Directory) -> None:
    job = job_of(TRUNK, store)
    here = job.code["tests.tiny.experiment"][:12]
    stale = replace(job, code={**job.code, "tests.tiny.experiment": "0123456789abcdef"})
    absent = replace(job, code={**job.code, "nowhere.to_be_found": "0123456789abcdef"})
    fix = "the sweep was started with 0123456789ab. Put the same files on every node"
    told = f"{platform.node()} has different code of tests.tiny.experiment, {here}; {fix}"
    assert perform(stale, ignore) == Outcome(halt=told)
    assert perform(absent, ignore) == Outcome(halt=f"{platform.node()} cannot find nowhere.to_be_found; {fix}")
    assert store.all_keys() == []


@stage(version=1)
def settled(run: StageRun) -> None:
    import torch

    precisions = [torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision]
    (run.output / "settled.json").write_text(json.dumps([*precisions, str(torch.get_default_dtype())]))


def test_a_stage_computes_in_float32_proper_whatever_ran_before_it(store: Directory) -> None:
    import torch

    torch.backends.fp32_precision = "tf32"
    torch.set_default_dtype(torch.float64)
    assert perform(job_of(settled(), store), ignore).failure is None
    written = store.read_verified(settled().key, store.manifest(settled().key), "settled.json")
    assert json.loads(written) == ["ieee", "ieee", "torch.float32"]
