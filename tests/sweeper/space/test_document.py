"""YAML that is read, and YAML that is none."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from sweeper.errors import SweeperError
from sweeper.space.document import parse_value, read_yaml

QUOTE = "\n  fix: put quotes around it to make it text"
KINDS = "\n  fix: use a number, text, true, false, null, a list or a mapping; put quotes around text"
MISTAKES = {
    "a: 2001-99-99\n": f"1:4: values of type timestamp are not supported{KINDS}",
    "a: !!binary aGk=\n": f"1:4: values of type binary are not supported{KINDS}",
    "a: !!python/name:os.system ''\n": f"1:4: values of type python/name:os.system are not supported{KINDS}",
    "a: !own b\n": f"1:4: values of type !own are not supported{KINDS}",
    "a: !!set {b}\n": f"1:4: values of type set are not supported{KINDS}",
    "a: !!int b\n": f"1:4: 'b' is not a valid value{QUOTE}",
    "a: !!bool b\n": f"1:4: 'b' is not a valid value{QUOTE}",
    "a: !!str [b]\n": "1:4: not valid YAML: expected a scalar node, but found sequence\n  fix: fix the YAML syntax here",
    "a: 0b_\n": f"1:4: '0b_' is not a valid value{QUOTE}",
    f"a: 0x{'f' * 5000}\n": f"1:4: '0x{'f' * 38}' is not a valid value{QUOTE}",
    f"a: {'1' * 5000}\n": f"1:4: '{'1' * 40}' is not a valid value{QUOTE}",
    'a: "\\0"\n': "1:4: the text has control characters or invalid Unicode\n  fix: remove them",
    'a: "\\uD800"\n': "1:4: the text has control characters or invalid Unicode\n  fix: remove them",
    '"\\e[2J": b\n': "1:1: the text has control characters or invalid Unicode\n  fix: remove them",
    "<<: 3\n": "1:5: not valid YAML: expected a mapping or list of mappings for merging, but found scalar\n"
    "  fix: fix the YAML syntax here",
    "a: &x [*x]\n": ": an alias refers to an anchor that contains it\n  fix: write the values out",
    "[" * 2000: ": nested too deeply\n  fix: use fewer levels",
    'a: "\\UFFFFFFFF"\n': None,
}


@pytest.mark.parametrize("text", MISTAKES, ids=lambda text: text[:12].strip())
def test_what_is_no_plain_yaml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(SweeperError) as error:
        read_yaml(path)
    expected = MISTAKES[text]
    assert expected is None or str(error.value) in (f"{path}:{expected}", f"{path}{expected}")


def test_aliases_may_not_stand_for_billions_of_values(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    path.write_text("\n".join(rows))
    with pytest.raises(SweeperError) as error:
        read_yaml(path)
    assert error.value.message == snapshot("aliases expand to more than 100,000 values")


def test_the_place_of_a_value_that_replaces_a_merged_one_is_its_own(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  x: 3\n")
    document = read_yaml(path)
    assert document.value["b"] == {"x": 3, "y": 2}
    assert document.where("b", "x") == f"{path}:4:6"
    assert document.where("b", "y") == f"{path}:1:17"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 1e5),
        ("-2.e+3", -2000.0),
        (".5e1", 5.0),
        ("e5", "e5"),
        ("1e", "1e"),
        ("0x1e3", 0x1E3),
        ("[1e3, a]", [1000.0, "a"]),
        ("", None),
        ("[1", "[1"),
        ("2001-99-99", "2001-99-99"),
        ("!!int b", "!!int b"),
    ],
)
def test_values_of_the_command_line(text: str, value: object) -> None:
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)
