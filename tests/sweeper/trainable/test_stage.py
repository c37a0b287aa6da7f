import hashlib
import json
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, ValidationError

from sweeper.planning.graph import Plan
from sweeper.space.sweep import load_sweep
from sweeper.trainable.stage import NotInKey, StageFunction, StageRun, stage
from tests.tiny.config import Branch, Trunk
from tests.tiny.experiment import bend, grow, total


@stage(version=1)
def scaled(run: StageRun, factor: float, source: Path | None = None) -> None:
    (run.output / "value").write_text(str(factor))


@stage(version=2)
def rescaled(run: StageRun, factor: float, source: Path | None = None) -> None: ...


TRUNK = Trunk(steps=3, pause=0)


def test_calling_a_stage_runs_nothing_and_builds_a_node() -> None:
    node = bend(trunk=grow(trunk=TRUNK, seed=0), branch=Branch(kind="bad", size=1), turn=0)
    assert [parent.function for parent in node.parents()] == [grow]
    assert node.params == {"branch": {"kind": "bad", "size": 1}, "turn": 0, "pause": 0.0}


def test_equal_parameters_written_differently_have_one_key() -> None:
    assert scaled(factor=1).key == scaled(1.0).key == scaled(factor="1", source=None).key


def test_the_key_depends_on_parameters_inputs_and_version_alone() -> None:
    source = grow(trunk=TRUNK, seed=0)
    keys = {
        scaled(factor=1).key,
        scaled(factor=2).key,
        scaled(factor=1, source=source).key,
        scaled(factor=1, source=grow(trunk=TRUNK, seed=1)).key,
    }
    assert len(keys) == 4
    changed = stage(version=2, cpus=8)(scaled.body)
    costlier = stage(version=1, cpus=8, gpus=1.0, work=lambda **_: 5.0, part="bending")(scaled.body)
    assert changed(factor=1).key != scaled(factor=1).key
    assert costlier(factor=1).key == scaled(factor=1).key


def test_the_key_is_the_same_in_every_release() -> None:
    identity = {"stage": "tests.scaled", "version": 1, "params": {"factor": 1.0, "source": None}}
    text = json.dumps(identity | {"inputs": {}}, sort_keys=True, separators=(",", ":"))
    assert scaled(factor=1).key == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("name", ["functions", "peft", "quality", "solver_nfe"])
def test_the_key_is_the_hash_of_plain_canonical_json(name: str) -> None:
    (space,) = load_sweep(Path(__file__).parents[3] / "search_spaces" / f"{name}.yaml").spaces
    stages = Plan.of(space).stages
    assert len(stages) > 200
    for key, node in stages.items():
        params = dict(node.params)
        if node.function.name == "common.load_images":
            places = ("source", "revision", "class_list")
            params["data"] = {name: value for name, value in params["data"].items() if name not in places}
        identity = {
            "stage": node.function.name,
            "version": node.function.version,
            "params": params,
            "inputs": node.input_keys,
        }
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
        assert key == hashlib.sha256(text.encode()).hexdigest()


def test_equal_calls_share_a_node() -> None:
    branch = Branch(kind="plus", size=1)
    assert bend(grow(TRUNK, 7), branch, 0) is bend(grow(TRUNK, 7), branch, turn=0, pause=0.0)


def test_a_stage_may_have_one_parameter_or_none() -> None:
    @stage(version=1)
    def alone(run: StageRun) -> None: ...

    @stage(version=1)
    def one(run: StageRun, source: Path) -> None: ...

    assert list(one(alone()).parents()) == [alone()]
    assert one(source=alone()).inputs == {"source": alone()}
    assert alone().params == {}


def test_the_order_of_inputs_counts() -> None:
    first, second = (bend(grow(TRUNK, seed), Branch(kind="plus", size=1), 0) for seed in (0, 1))
    assert total(bends=[first, second]).key != total(bends=[second, first]).key


def test_an_argument_the_stage_does_not_take_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'speed'"):
        grow(trunk=TRUNK, seed=0, speed=3)
    with pytest.raises(ValidationError):
        grow(trunk={"steps": 0, "pause": 0}, seed=0)


def test_a_worker_imports_a_stage_from_its_location() -> None:
    assert StageFunction.at(grow.location) is grow
    with pytest.raises(TypeError, match=r"tests\.tiny\.experiment:run is not a stage"):
        StageFunction.at("tests.tiny.experiment:run")


def test_a_stage_keeps_its_key_when_its_function_is_moved_or_renamed() -> None:
    def old(run: StageRun, lr: float) -> None: ...
    def new(run: StageRun, lr: float) -> None: ...

    old.__module__, new.__module__ = "lab.experiment", "lab.models.vit"
    before, after = stage(name="train", version=1)(old), stage(name="train", version=1)(new)
    assert before.name == after.name == "lab.train"
    assert before.location != after.location
    assert before(lr=0.1).key == after(lr=0.1).key


def test_stages_of_two_packages_have_their_own_keys() -> None:
    def here(run: StageRun) -> None: ...
    def there(run: StageRun) -> None: ...

    here.__module__, there.__module__ = "lab.experiment", "office.experiment"
    assert stage(name="train", version=1)(here)().key != stage(name="train", version=1)(there)().key
    shared = [stage(name="common.train", version=1)(each)() for each in (here, there)]
    assert shared[0].key == shared[1].key


def test_a_name_that_is_no_identifier_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid stage name 'my train'"):
        stage(name="my train", version=1)


def test_work_is_computed_from_the_stages_own_arguments() -> None:
    assert grow(trunk=Trunk(steps=7, pause=0), seed=0).work == 7


def test_where_something_lies_is_not_in_the_key_but_reaches_the_body() -> None:
    def read(run: StageRun, digest: str, place: Annotated[str, NotInKey]) -> None: ...

    read_stage = stage(version=1)(read)
    here, there = read_stage("abc", "/here"), read_stage("abc", "/there")
    assert here.key == there.key != read_stage("abd", "/here").key
    assert (here.params["place"], there.params["place"]) == ("/here", "/there")
    assert total([here]).key == total([there]).key
    assert [parent.params["place"] for parent in total([there]).parents()] == ["/there"]


class Source(BaseModel, frozen=True):
    digest: str
    place: Annotated[str, NotInKey] = "/here"


class Sources(BaseModel, frozen=True):
    first: Source
    second: Source | None = None


def test_a_field_of_settings_that_says_where_something_lies_is_not_in_the_key() -> None:
    read: list[Sources] = []

    def compare(run: StageRun, sources: Sources) -> None:
        read.append(sources)

    compared = stage(version=1)(compare)
    here = Sources(first=Source(digest="a"), second=Source(digest="b"))
    there = Sources(first=Source(digest="a", place="/there"), second=Source(digest="b", place="/far"))
    other = Sources(first=Source(digest="a"), second=Source(digest="c"))
    alone = Sources(first=Source(digest="a"))
    assert compared(here).key == compared(there).key
    assert len({compared(each).key for each in (here, other, alone)}) == 3
    compared(there).function.run(None, compared(there).params, {})
    assert read == [there]
