import pytest

from sweeper.engine.options import Options
from sweeper.engine.preparation import record_of
from sweeper.records.passwords import has_password, without_password
from sweeper.space.sweep import load_sweep
from sweeper.store.base import Place
from tests.project import Project


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://anna:s3cret@db.lab:5432/runs", "postgresql://anna:***@db.lab:5432/runs"),
        ("https://anna:s3cret@lab", "https://anna:***@lab"),
    ],
)
def test_a_password_is_replaced_wherever_the_address_stands(address: str, shown: str) -> None:
    assert has_password(address)
    assert without_password(f"cannot reach {address} today") == f"cannot reach {shown} today"


@pytest.mark.parametrize(
    "address", [None, "http://127.0.0.1:5000", "sqlite:////tmp/a@b.db", "postgresql://anna@lab/runs"]
)
def test_an_address_without_a_password_stays_as_it_is(address: str | None) -> None:
    assert not has_password(address)
    assert without_password(address or "") == (address or "")


def test_the_password_of_a_tracking_server_is_neither_printed_nor_recorded(project: Project) -> None:
    done = project.sweeper(
        "run", "space.yaml", "--executor", "inline", "--tracking-uri", "http://anna:s3cret@127.0.0.1:9"
    )
    assert done.returncode == 2
    assert "MLflow at http://anna:***@127.0.0.1:9 cannot be used" in done.stderr
    assert "s3cret" not in done.stderr + done.stdout


def test_a_record_holds_no_password(project: Project) -> None:
    sweep, runs = load_sweep(project.path / "space.yaml"), project.path / "runs"
    address = "postgresql://anna:s3cret@db.lab/runs"
    options = Options(runs=runs, store=Place(str(runs / "store")), tracking_uri=address, optuna_storage=address)
    record = record_of(sweep, options)
    assert record.tracking_uri == "postgresql://anna:***@db.lab/runs"
    assert "s3cret" not in record.model_dump_json()
