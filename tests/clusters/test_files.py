"""``cluster.yaml`` and the files of ``clusters/``, as far as they can be checked without the machines they are for."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

import sweeper.engine.executors.ray.cluster  # noqa: F401  # Ray reads once, when it is imported, that it is to ask for a token
from tests.project import ROOT

# isort: split
from ray._common.utils import load_class
from ray.autoscaler._private.node_provider_availability_tracker import NodeAvailabilityRecord, NodeAvailabilitySummary
from ray.autoscaler._private.resource_demand_scheduler import get_nodes_for
from ray.autoscaler._private.util import prepare_config, validate_config

AWS, ONPREM = ROOT / "cluster.yaml", ROOT / "clusters" / "onprem.yaml"
COMMANDS = [
    "initialization_commands",
    "setup_commands",
    "head_setup_commands",
    "worker_setup_commands",
    "head_start_ray_commands",
    "worker_start_ray_commands",
]
PRESENT = {
    "apt-get",
    "cat",
    "cd",
    "chmod",
    "cut",
    "echo",
    "exit",
    "export",
    "grep",
    "ln",
    "mv",
    "nohup",
    "pgrep",
    "pkill",
    "printf",
    "python3",
    "setsid",
    "sh",
    "sudo",
    "tail",
    "test",
    "ulimit",
}
"""What a Debian or Ubuntu has; python3-venv and the project are installed by commands of the file."""


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())


def prepared(path: Path) -> dict[str, Any]:
    config = prepare_config(read(path))
    validate_config(config)
    return config


def executables(command: str) -> Iterator[str]:
    """The first words of all simple commands in a shell command, also of those in ``$( )`` and ``sh -c``."""
    plain = re.sub(r"\d?[<>]&?\s*[^\s;&|()]+", " ", command)  # without redirections
    words = shlex.shlex(re.sub(r"\$\(|[{}]", " ( ", plain), posix=True, punctuation_chars="();|&")
    words.whitespace_split = True
    first, before = True, ""
    for word in words:
        if re.fullmatch(r"[();|&]+", word):
            first = word != ")"
        elif first and not re.match(r"\w+=", word):
            yield word
            first = False
        elif before == "-c":
            yield from executables(word)
        before = word


@pytest.mark.parametrize("path", [AWS, ONPREM], ids=lambda path: path.name)
def test_ray_takes_the_file_and_adds_no_command_of_its_own(path: Path) -> None:
    config, ours = prepared(path), read(path)
    for name in COMMANDS:
        assert set(config[name]) <= {*ours.get(name, []), *ours["setup_commands"]}, name


@pytest.mark.parametrize("path", [AWS, ONPREM], ids=lambda path: path.name)
def test_every_command_is_a_shells_and_calls_what_is_there(path: Path) -> None:
    installed = {"ray", "~/sweeper/.venv/bin/python", ".venv/bin/pip"}
    for command in [each for name in COMMANDS for each in prepared(path)[name]]:
        subprocess.run(["/bin/bash", "-n", "-c", command], check=True)
        assert set(executables(command)) <= PRESENT | installed, command


def test_the_check_of_commands_sees_through_the_shell() -> None:
    command = "A=1 one $(two x | three) && { four > five; } || sh -c 'six; (seven $(eight)) &' & nine"
    assert [*executables(command)] == ["one", "two", "three", "four", "sh", "six", "seven", "eight", "nine"]


def test_what_is_copied_to_the_nodes_is_here_and_enough_to_install_the_project() -> None:
    mounts = read(AWS)["file_mounts"]
    assert mounts.pop("~/.ray/auth_token") == "~/.ray/auth_token"
    assert all((ROOT / source).exists() and there == f"~/sweeper/{source}" for there, source in mounts.items())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {each.rstrip("*") for each in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert {*packages, project["project"]["readme"], "pyproject.toml", "constraints.txt"} <= {*mounts.values()}
    assert "cluster" in project["project"]["optional-dependencies"]
    named = re.findall(r"~/sweeper/(clusters/[\w./]+)", AWS.read_text())
    assert named
    assert all((ROOT / each).exists() for each in named)


@pytest.mark.parametrize("path", [AWS, ONPREM], ids=lambda path: path.name)
def test_every_ray_that_is_started_asks_for_the_token_and_tells_nobody(path: Path) -> None:
    config = read(path)
    starts = [each for name in COMMANDS[-2:] for each in config[name] if "ray start" in each]
    assert len(starts) == 2
    for each in starts:
        assert "export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0" in each
    assert "chmod 600 ~/.ray/auth_token" in config["setup_commands"]
    assert "0.0.0.0" not in path.read_text()  # noqa: S104


def test_all_that_a_user_has_to_change_stands_at_the_top() -> None:
    text = AWS.read_text()
    top, rest = text.split("# ---- change these", 1)[1].split("# -----", 1)
    values = re.findall(r"&(\w+)", top)
    assert len(values) == len(set(values)) == 11
    assert all(re.search(rf"\*{name}\b", rest) for name in values)
    assert not re.findall(r"ami-|sg-|BUCKET", rest)


def test_nodes_are_entered_through_the_users_own_security_group_and_have_encrypted_disks() -> None:
    for kind in prepared(AWS)["available_node_types"].values():
        assert kind["node_config"]["SecurityGroupIds"] == ["sg-0123456789abcdef0"]
        assert kind["node_config"]["MetadataOptions"] == {"HttpTokens": "required"}
        assert [disk["Ebs"]["Encrypted"] for disk in kind["node_config"]["BlockDeviceMappings"]] == [True]


def chosen(refused: str | None, demands: list[dict[str, float]]) -> dict[str, int]:
    """The nodes that the head's autoscaler asks for, by its own function and our score."""
    config = prepared(AWS)
    (name,) = re.findall(r"RAY_AUTOSCALER_UTILIZATION_SCORER=([\w.]+)", AWS.read_text())
    kinds = config["available_node_types"]
    for each in ("worker_spot", "worker_on_demand"):
        kinds[each]["resources"] = {"CPU": 8, "GPU": 1, "memory": 32 * 2**30}
    told = {refused: NodeAvailabilityRecord(refused, False, 0.0, None)} if refused else {}
    score = partial(load_class(name), node_availability_summary=NodeAvailabilitySummary(told))
    nodes, left = get_nodes_for(kinds, {"head": 1}, "head", config["max_workers"], demands, score)
    assert not left
    return dict(nodes)


def test_spot_nodes_come_first_and_on_demand_nodes_where_spot_was_refused() -> None:
    demands: list[dict[str, float]] = [{"CPU": 1, "GPU": 1}] * 3
    assert chosen(None, demands) == {"worker_spot": 3}
    assert chosen("worker_spot", demands) == {"worker_on_demand": 3}
    assert chosen("worker_on_demand", demands) == {"worker_spot": 3}


def test_the_job_of_kuberay_is_of_one_image_and_one_volume_and_asks_for_a_token() -> None:
    (job,) = yaml.safe_load_all((ROOT / "clusters" / "kuberay.yaml").read_text())
    cluster = job["spec"]["rayClusterSpec"]
    pods = [each["template"]["spec"] for each in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]
    assert (job["kind"], cluster["authOptions"]) == ("RayJob", {"mode": "token"})
    assert {each["image"] for pod in pods for each in pod["containers"]} == {"REGISTRY/sweeper:1"}
    for pod in pods:
        (container,) = pod["containers"]
        assert [each["name"] for each in container["volumeMounts"]] == [each["name"] for each in pod["volumes"]]
    assert f"ray=={cluster['rayVersion']}" in (ROOT / "constraints.txt").read_text().splitlines()
    _, run, space, *_ = shlex.split(job["spec"]["entrypoint"])
    assert run == "run"
    assert (ROOT / space).is_file()
