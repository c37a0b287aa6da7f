"""The notebook of the documentation is executed as a reader would."""

import re
from collections.abc import Mapping
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.test_docs import DOCS, files_of

NOTEBOOK = DOCS / "notebook.ipynb"
CODE = re.compile(r"^```python\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
MAX_BYTES = 40_000
BAR = re.compile(r"\d+/10 stages · \d:\d\d elapsed · (about \d:\d\d left|time left not known yet)( · \w+( x\d+)?)*")


def code_of(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


class Watched(NotebookClient):
    """Keeps what outputs were replaced by: in the notebook only the last of it is left."""

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        if msg["msg_type"] == "update_display_data":
            self.replaced.append(msg["content"]["data"])
        return super().process_message(msg, cell, cell_index)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    directory = tmp_path_factory.mktemp("notebook")
    for name, text in files_of("writing-a-trainable.md"):
        (directory / name).write_text(text)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = Watched(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(directory)}})
    client.replaced = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            patch.setenv(name, str(directory / name))
        client.execute()
    return client


@pytest.fixture
def outputs(executed: Watched) -> Mapping[str, Any]:
    return {cell.id: cell.outputs for cell in executed.nb.cells if cell.cell_type == "code"}


@pytest.mark.slow
def test_the_notebook_goes_from_a_file_to_a_table_and_a_figure(outputs: Mapping[str, Any]) -> None:
    last = {name: found[-1].data for name, found in outputs.items() if found}
    assert last["plan"]["text/plain"].startswith("regularisation: 8 trials, 16 stages, 10 unique")
    assert last["run"]["text/plain"] == "'finished'"
    assert last["table"]["text/html"].startswith("<table>")
    assert last["trials"]["text/plain"].startswith("pyarrow.Table")
    assert last["figure"]["image/png"]
    assert last["again"]["text/plain"] == "0"


@pytest.mark.slow
def test_run_shows_its_progress_below_the_cell_as_a_bar_that_is_gone_in_the_end(
    executed: Watched, outputs: Mapping[str, Any]
) -> None:
    *moved, gone = executed.replaced
    assert moved
    assert all(BAR.fullmatch(each["text/plain"]) for each in moved)
    assert all(each["text/html"].startswith('<progress value="') for each in moved)
    assert gone == {"text/plain": ""}
    lines = [each.data["text/plain"].strip() for each in outputs["run"]]
    assert [line.partition(" ")[0] for line in lines] == ["regularisation:", "", "10", "disk:", "'finished'"]


@pytest.mark.slow
def test_nothing_is_printed_for_a_terminal(executed: Watched, outputs: Mapping[str, Any]) -> None:
    assert {each.output_type for found in outputs.values() for each in found} <= {"display_data", "execute_result"}
    assert "\\u001b" not in nbformat.writes(executed.nb)


def test_the_notebook_is_small_and_the_page_shows_all_of_its_cells() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert NOTEBOOK.stat().st_size < MAX_BYTES
    assert CODE.findall((DOCS / "notebook.md").read_text()) == code_of(notebook)
