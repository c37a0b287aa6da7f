import json
import subprocess
import sys

from inline_snapshot import snapshot

from sweeper import __version__
from tests.project import ROOT, Project

LAYER_SELECTION = ROOT / "search_spaces" / "layer_selection.yaml"
HEAVY = {"ray", "torch", "mlflow", "optuna", "pyarrow", "pandas", "numpy", "rich", "pydantic", "yaml"}


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, sweeper.cli.main; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


def test_an_error_in_a_file_imports_neither_ray_nor_torch_nor_mlflow(project: Project) -> None:
    code = (
        "import sys; from sweeper.cli.main import main\n"
        "try: main(['plan', 'space.yaml', '--set', 'adapter.layer=x'])\n"
        "except SystemExit as end: print(end.code, *sorted({'ray', 'torch', 'mlflow', 'pyarrow'} & sys.modules.keys()))"
    )
    project.write("name: x\ntrainable: funlora\npreset: digits\n")
    done = project.python("-c", code)
    assert done.stdout == "2\n"
    assert "did you mean adapter.layers or adapter.lr?" in done.stderr


def test_version(project: Project) -> None:
    assert project.sweeper("--version").stdout == f"sweeper, version {__version__}\n"


def test_describe_lists_every_name_with_type_value_and_meaning(project: Project) -> None:
    described = project.sweeper("describe", "tests.tiny").stdout.splitlines()
    line = next(line for line in described if line.startswith("trunk.steps "))
    assert line.split(maxsplit=3) == ["trunk.steps", "int", "5", "links of the chain (≥ 1)"]
    assert described[-1] == "presets: small, slow"
    assert any(line.startswith("branch.kind ") and "plus | minus | bad | nan" in line for line in described)


def test_describe_lists_every_number_with_its_kind_and_which_is_better(project: Project) -> None:
    described = project.sweeper("describe", "tests.tiny").stdout.splitlines()
    lines = {line.split()[0]: line.split(maxsplit=2)[1:] for line in described if line}
    assert lines["column"] == snapshot(["kind", "better  meaning"])
    assert lines["cost"] == snapshot(["fact", "what a branch costs"])
    assert lines["score"] == snapshot(["metric", "higher  the sum of the branches"])
    assert lines["seconds.grow"] == snapshot(["cost", "lower   the chain"])


def test_describe_an_unknown_preset(project: Project) -> None:
    done = project.sweeper("describe", "tests.tiny", "--preset", "smal")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: unknown preset 'smal'
  fix: did you mean small?
""")


def test_a_table_of_nothing(project: Project) -> None:
    done = project.sweeper("table", "layers")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: no results 'layers' in runs/results
  fix: run a sweep first
""")


def test_the_ui_without_a_database(project: Project) -> None:
    done = project.sweeper("ui")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: runs/mlflow.db does not exist
  fix: run a sweep first, or name its directory with --runs
""")


def test_the_plan_of_the_papers_network_gives_the_papers_parameters_per_class(project: Project) -> None:
    planned = project.sweeper("plan", str(LAYER_SELECTION), "--preset", "cifar100", "--json")
    counted = {row["adapter.layers"]: row["ppc"] for row in json.loads(planned.stdout)["rows"]}
    assert counted == {
        "0-64": 34054,
        "5-54": 29440,
        "15-44": 18432,
        "15-54": 24832,
        "25-44": 13312,
        "25-54": 19712,
        "35-54": 13056,
        "40-54": 9728,
        "45-54": 6400,
        "40-49": 6656,
        "45-49": 3328,
    }
    assert list(project.path.iterdir()) == [project.path / "space.yaml"]


def test_inline_takes_no_cluster(project: Project) -> None:
    done = project.sweeper("run", "space.yaml", "--executor", "inline", "--address", "auto")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: --executor inline runs in this process
  fix: leave out --address and --max-concurrent, or choose another executor
""")
