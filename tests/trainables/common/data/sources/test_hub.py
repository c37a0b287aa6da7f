"""Loading from the hub, in a process of its own: its address and cache are read when the library is imported."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import datasets
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import OfflineModeIsEnabled
from inline_snapshot import snapshot

from sweeper.trainable.stage import InvalidConfig
from tests.masked import masked
from tests.project import ROOT
from tests.trainables.common.data.sources.loopback_hub import COMMIT
from tests.trainables.common.data.sources.written import data, digit_images, pngs, write_parquet
from trainables.common.data.image_sets import check_data, image_stage

CARD = """---
configs:
- config_name: default
  data_files:
  - {split: train, path: data/train-*}
  - {split: test, path: data/test-*}
dataset_info:
  features:
  - {name: image, dtype: image}
  - name: label
    dtype: {class_label: {names: {"0": zero, "1": one, "2": two, "3": three, "4": four, "5": five, "6": six,
      "7": seven, "8": eight, "9": nine}}}
  splits:
  - {name: train, num_bytes: 1, num_examples: 300}
  - {name: test, num_bytes: 1, num_examples: 100}
---
"""
PROGRAM = """
import json, os, sys
from pathlib import Path

from sweeper.trainable.stage import SweeperError
from tests.trainables.fake_run import FakeRun
from tests.trainables.common.data.sources.loopback_hub import hub
from tests.trainables.common.data.sources.written import data
from trainables.common.data.image_sets import check_data, image_stage


def answer(source, made, changes):
    check_data(data(source, **changes), 1, 8)
    if made:
        stage = image_stage(data(source, **changes), 1, 8)
        stage.function.run(FakeRun(Path(made)), stage.params, {})
    return "ok"


def say(cases):
    for case in cases:
        try:
            print(json.dumps(answer(*case)))
        except SweeperError as error:
            print(json.dumps(str(error)))


root, online, offline = json.loads(sys.argv[1])
with hub(Path(root)) as port:
    os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{port}"
    say(online)
say(offline)
"""
Case = tuple[str, str | None, dict[str, str]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    pixels, labels = digit_images()
    root = tmp_path / "repository"
    write_parquet(root / "data/train-00000-of-00001.parquet", pngs(pixels[:300]), labels[:300])
    write_parquet(root / "data/test-00000-of-00001.parquet", pngs(pixels[300:400]), labels[300:400])
    (root / "README.md").write_text(CARD)
    return root


def answers(home: Path, repository: Path, online: list[Case], offline: list[Case]) -> list[str]:
    """What a fresh process with its cache in ``home`` says to each case, while there is a hub and then without it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([str(repository), online, offline])],
        cwd=ROOT,
        env={**kept, "HF_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def files(folder: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_a_repository_is_loaded_once_and_then_from_the_cache(tmp_path, repository, start) -> None:
    local = start("local")
    stage = image_stage(data(repository), 1, 8)
    stage.function.run(local, stage.params, {})
    for name in ("online", "offline", "pinned"):
        (tmp_path / name).mkdir()
    (tmp_path / "classes.txt").write_text("one\nseventh\n")
    source = "owner/digits"
    online: list[Case] = [
        (source, None, {"image_column": "img"}),
        (source, None, {}),
        (source, None, {"classes": 5}),
        (source, None, {"classes": 2, "class_list": str(tmp_path / "classes.txt")}),
        (source, str(tmp_path / "online"), {"revision": "v1"}),
        (source, None, {"test_split": "validation"}),
        (source, None, {"revision": "v2"}),
        ("owner/nothing", None, {}),
        ("owner/gated", None, {}),
    ]
    offline: list[Case] = [
        (source, str(tmp_path / "offline"), {"revision": "v1"}),
        (source, str(tmp_path / "pinned"), {"revision": COMMIT}),
        (source, None, {"revision": "b" * 40}),
        ("owner/nothing", None, {}),
    ]
    assert answers(tmp_path / "home", repository, online, offline) == snapshot(
        [
            """\
data.image_column: split train has no column 'img', but image, label
  fix: did you mean image?\
""",
            "ok",
            """\
data.classes: split train has 10 classes, and data.classes is 5
  fix: set data.classes to 10, or name the classes to take in data.class_list\
""",
            """\
data.class_list: class 'seventh' is none of the 10 classes of split train
  fix: did you mean seven?\
""",
            "ok",
            """\
data.test_split: owner/digits has no split 'validation', but train, test
  fix: known: train, test\
""",
            "data.revision: 'owner/digits' has no revision 'v2'",
            """\
data.source: 'owner/nothing' is neither a path here nor a data set on the Hugging Face hub that may be read
  fix: check the name; for a private data set say: hf auth login\
""",
            """\
data.source: Dataset 'owner/gated' is a gated dataset on the Hub. Visit the dataset page at https://huggingface.co/datasets/owner/gated to ask for access.
  fix: say: hf auth login\
""",
            "ok",
            "ok",
            """\
data.source: the Hugging Face hub does not answer (ConnectError), and 'owner/digits' is no path and not in the cache
  fix: check the connection, or download its Parquet files and name their directory\
""",
            """\
data.source: the Hugging Face hub does not answer (ConnectError), and 'owner/nothing' is no path and not in the cache
  fix: check the connection, or download its Parquet files and name their directory\
""",
        ]
    )
    for name in ("online", "offline", "pinned"):
        assert files(tmp_path / name) == files(local.output)


@pytest.mark.parametrize("reason", [TimeoutError, OSError, OfflineModeIsEnabled])
def test_without_a_connection_the_hub_is_asked_once(tmp_path, monkeypatch, reason) -> None:
    asked = []

    def unanswered(*_: object, **given: object) -> None:
        asked.append(given["timeout"])
        raise reason

    monkeypatch.setattr(HfApi, "dataset_info", unanswered)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    with pytest.raises(InvalidConfig) as error:
        check_data(data("owner/digits"), 1, 8)
    assert masked(str(error.value), reason=reason.__name__) == snapshot("""\
data.source: the Hugging Face hub does not answer ({reason}), and 'owner/digits' is no path and not in the cache
  fix: check the connection, or download its Parquet files and name their directory\
""")
    assert asked == [10]
