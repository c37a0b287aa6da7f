"""What an editor is told of the file format agrees with what the command line says of it."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from sweeper.cli.inspection.describe import description
from sweeper.space.json_schema import file_schema
from tests.project import CASES, ROOT, SPACE, Project

jsonschema = pytest.importorskip("jsonschema")
SHIPPED = sorted((ROOT / "search_spaces").rglob("*.yaml"))
WRONG = {
    "unknown key": SPACE.replace("axes:", "axis:"),
    "missing key": SPACE.replace("trainable: tests.tiny\n", ""),
    "empty axis": SPACE.replace("[1, 2, 3]", "[]"),
    "axis that is no list": SPACE.replace("[1, 2, 3]", "3"),
    "bad seeds": SPACE.replace("[0, 1]", "4-x"),
    "bad repeats": f"{SPACE}repeat: {{trunk.steps: 4-x}}\n",
    "cases without any": SPACE.replace("axes:", "cases: {}\naxes:"),
    "zip that is no list": f"{SPACE}zip: {{trunk.steps: [1]}}\n",
    "condition that is no text": f"{SPACE}where: 3\n",
    "request": f"{SPACE}resources: {{grow: {{cpu: 1}}}}\n",
    "include and more": "name: x\ninclude: [a.yaml]\nseeds: [0]\n",
    "nothing included": "name: x\ninclude: []\n",
    "name with a slash": SPACE.replace("tiny", "a/b", 1),
    "a list": "- name\n",
}
WRONG_OF_TINY = {
    "no preset where there are several": SPACE.replace("preset: small\n", ""),
    "another trainable": SPACE.replace("tests.tiny", "funlora"),
    "unknown preset": SPACE.replace("preset: small", "preset: smal"),
    "unknown name of an axis": SPACE.replace("branch.size: [1", "branch.sise: [1"),
    "seed as an axis": SPACE.replace("branch.size: [1", "seed: [1"),
    "unknown repeated name": f"{SPACE}repeat: {{trunk.step: 0-4}}\n",
    "unknown name in fixed": f"{SPACE}fixed: {{trunk.step: 1}}\n",
    "unknown name in a case": CASES.replace("down: {branch.kind", "down: {branch.king"),
    "unknown name in zip": f"{SPACE}zip: [{{trunk.step: [1]}}]\n",
    "unknown name, one at a time": f"{SPACE}one_at_a_time: {{trunk.step: [1]}}\n",
    "empty list, one at a time": f"{SPACE}one_at_a_time: {{trunk.steps: []}}\n",
    "unknown name in the baseline": f"{SPACE}baseline: {{cases: up}}\n",
    "unknown name in the table": SPACE.replace("rows: [branch.kind", "rows: [branch.king"),
    "unknown name as the only row": SPACE.replace("rows: [branch.kind, branch.size]", "rows: branch.king"),
}


@cache
def validator(trainable: str | None) -> Any:
    schema = file_schema(trainable)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def valid(text: str, trainable: str | None) -> bool:
    checked: bool = validator(trainable).is_valid(yaml.safe_load(text))
    return checked


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_search_spaces_are_valid(path: Path) -> None:
    assert valid(path.read_text(), None)
    assert valid(path.read_text(), "funlora")


@pytest.mark.parametrize("trainable", [None, "tests.tiny"])
@pytest.mark.parametrize("mistake", WRONG)
def test_what_the_format_refuses_is_invalid(project: Project, mistake: str, trainable: str | None) -> None:
    assert not valid(WRONG[mistake], trainable)
    project.write(WRONG[mistake])
    assert project.sweeper("plan", "space.yaml").returncode == 2


@pytest.mark.parametrize("mistake", WRONG_OF_TINY)
def test_what_a_trainable_does_not_have_is_invalid_in_its_schema(project: Project, mistake: str) -> None:
    assert valid(WRONG_OF_TINY[mistake], None) or "empty" in mistake
    assert not valid(WRONG_OF_TINY[mistake], "tests.tiny")
    project.write(WRONG_OF_TINY[mistake])
    assert mistake == "another trainable" or project.sweeper("plan", "space.yaml").returncode == 2


@pytest.mark.parametrize("text", [SPACE, CASES, f"{CASES}baseline: {{case: up, branch.size: 1}}\nseeds: 0-2,7\n"])
def test_what_the_format_takes_is_valid(text: str) -> None:
    text = text.replace("seeds: [0, 1]\n", "") if "0-2,7" in text else text
    assert valid(text, None)
    assert valid(text, "tests.tiny")


def test_the_command_prints_the_schema(project: Project) -> None:
    assert json.loads(project.sweeper("schema").stdout) == file_schema(None)
    printed: dict[str, Any] = json.loads(project.sweeper("schema", "funlora").stdout)
    assert printed == file_schema("funlora")
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    space = printed["$defs"]["SpaceFile"]["properties"]
    assert space["preset"]["enum"] == ["digits", "cifar10", "cifar100", "cifar100_10", "imagenet100"]
    names, _, _ = description("funlora", None).split("\n\n")
    described = [line.split()[0] for line in names.splitlines()[1:] if line[0] != " "]
    assert list(space["axes"]["properties"]) == described
    assert space["fixed"]["properties"]["adapter.p"] == {"description": "number of functions"}


def test_the_schema_of_an_unknown_trainable(project: Project) -> None:
    done = project.sweeper("schema", "funlor")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: unknown trainable 'funlor': not among the installed ones (funlora), and no module in the working "
        "directory\n"
        "  fix: did you mean funlora?\n"
    )
