"""LaTeX: compiled where there is an engine, and checked by its syntax alone where there is none."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from analysis.formats import render
from analysis.formats.latex import escaped
from analysis.summary import summarise
from tests.analysis.sweeps import layer_selection
from tests.analysis.tables import SNAPSHOTS

ENGINE = next(filter(None, map(shutil.which, ("pdflatex", "tectonic"))), None)
TABLES = sorted(SNAPSHOTS.glob("*.tex"))
DOCUMENT = """\
\\documentclass{article}
\\usepackage[utf8]{inputenc}
\\usepackage{booktabs}
\\begin{document}
%s
\\end{document}
"""
NASTY = '50% of A&B_C #1 {x} $5 ~ ^ \\ <|> "±×·—–≥≤λω'


@pytest.mark.skipif(ENGINE is None, reason="neither pdflatex nor tectonic is here: only the syntax is checked")
def test_all_tables_compile_without_an_error(tmp_path: Path) -> None:
    inputs = [f"\\input{{{path}}}\n\\clearpage" for path in TABLES]
    (tmp_path / "all.tex").write_text(DOCUMENT % "\n".join([*inputs, escaped(NASTY)]))
    options = [] if "tectonic" in str(ENGINE) else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run([str(ENGINE), *options, "all.tex"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "all.pdf").stat().st_size > 10_000


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_environments_are_closed_and_every_line_has_as_many_cells_as_there_are_columns(path: Path) -> None:
    open_environments = []
    columns = 0
    for line in (line for line in path.read_text().splitlines() if not line.startswith("% ")):
        bare = re.sub(r"\\[\\{}$&#%_]", "", line)
        assert bare.count("{") == bare.count("}"), line
        assert bare.count("$") % 2 == 0, line
        assert not re.search(r"[%#_^~]", bare), line
        for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", line):
            if kind == "begin":
                open_environments.append(name)
            else:
                assert open_environments.pop() == name
        if found := re.match(r"\\begin\{tabular\}\{([lr]+)\}", line):
            columns = len(found[1])
        if line.endswith("\\\\"):
            assert bare.count("&") == columns - 1, line
    assert open_environments == []


def test_what_latex_would_take_for_a_command_is_printed_as_it_is() -> None:
    assert escaped("50 % of A_B & {x}") == r"50 \% of A\_B \& \{x\}"
    assert escaped("a\\b") == r"a\textbackslash{}b"
    assert escaped("two\n\nparagraphs") == "two paragraphs"


def test_a_minus_is_one_and_a_name_keeps_its_hyphen(tmp_path: Path) -> None:
    told = render(summarise(layer_selection(tmp_path)), "latex", statistics=True)
    line = next(line for line in told.splitlines() if line.startswith("45-49 & 40-54"))
    assert re.search(r"& \$-\$\d+\.\d\d &", line)


def test_the_best_is_bold_and_the_second_underlined(tmp_path: Path) -> None:
    lines = render(summarise(layer_selection(tmp_path)), "latex").splitlines()
    assert [line.split(" ")[0] for line in lines if "\\textbf" in line] == ["0-64"]
    assert [line.split(" ")[0] for line in lines if "\\underline" in line] == ["35-54"]
