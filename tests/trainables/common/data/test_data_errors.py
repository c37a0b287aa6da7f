"""What is wrong with data, or with what the config says of it, as the user reads it before any training."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from inline_snapshot import snapshot

from sweeper.trainable.stage import InvalidConfig
from tests.masked import masked
from tests.trainables.common.data.sources.written import data, noise, pngs, write_folder, write_parquet, write_table
from trainables.common.data.image_sets import check_data, image_stage
from trainables.common.data.images import read_images
from trainables.common.data.settings import Data

LABELS = [0, 1] * 10
FILES = pngs(noise(20))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(start) -> Callable[[Data], str]:
    """The message of the check; the stage refuses the same in the same words, also when it was not checked."""

    runs = count()

    def _refused(wrong: Data) -> str:
        with pytest.raises(InvalidConfig) as error:
            check_data(wrong, 1, 8)
        with pytest.raises(InvalidConfig) as later:
            stage = image_stage(wrong, 1, 8)
            stage.function.run(start(f"run{next(runs)}"), stage.params, {})
        assert error.value.field == later.value.field
        return str(error.value).replace(f"{Path.cwd()}/", "")

    return _refused


def parquet(labels: object = LABELS, test: object = LABELS, names: tuple[str, str] = ()) -> str:
    for split, values in (("train", labels), ("test", test)):
        write_parquet(Path(f"d/{split}-00000-of-00001.parquet"), FILES[: len(values)], values, names)
    return "d"


def test_a_missing_path(refused) -> None:
    assert refused(data("./nowhere")) == snapshot("""\
data.source: nowhere does not exist
  fix: name a Parquet file or a directory of images\
""")
    assert refused(data("no.parquet")) == snapshot("""\
data.source: no.parquet does not exist
  fix: name a Parquet file or a directory of images\
""")


def test_a_missing_column(refused) -> None:
    parquet(names=("img", "fine_label"))
    assert refused(data("d")) == snapshot("""\
data.image_column: split train has no column 'image', but img, fine_label
  fix: did you mean img?\
""")
    assert refused(data("d", image_column="img")) == snapshot("""\
data.label_column: split train has no column 'label', but img, fine_label
  fix: did you mean fine_label?\
""")


def test_an_image_folder_has_its_own_names_of_columns(refused) -> None:
    write_folder(Path("f/train"), FILES, LABELS)
    assert refused(data("f", image_column="img", held_out="validation")) == snapshot("""\
data.image_column: f is an image folder, which has no column 'img'
  fix: name it image\
""")
    assert refused(data("f", label_column="class", held_out="validation")) == snapshot("""\
data.label_column: f is an image folder, which has no column 'class'
  fix: name it label\
""")


def test_a_column_of_images_that_holds_something_else(refused) -> None:
    columns = {"image": pa.array(FILES), "path": [""] * 20, "label": LABELS}
    write_table(Path("a.parquet"), columns)
    assert refused(data("a.parquet", image_column="path")) == snapshot("""\
data.image_column: column 'path' of a.parquet holds string, not images
  fix: name a column of its kind: image\
""")
    write_table(Path("b.parquet"), {"path": [""] * 20, "label": LABELS})
    assert refused(data("b.parquet", image_column="path")) == snapshot("""\
data.image_column: column 'path' of b.parquet holds string, not images
  fix: no column of this data holds them\
""")


@pytest.mark.parametrize(("values", "kind"), [(np.zeros(20), "double"), ([[0]] * 20, "list<element: int64>")])
def test_a_column_of_labels_that_holds_something_else(refused, values, kind) -> None:
    write_parquet(Path("a.parquet"), FILES, values)
    assert masked(refused(data("a.parquet")), kind=kind) == snapshot("""\
data.label_column: column 'label' of a.parquet holds {kind}, not whole numbers or names
  fix: no column of this data holds them\
""")


def test_labels_that_are_text_need_a_class_list(refused) -> None:
    parquet(["cat", "dog"] * 10)
    assert refused(data("d", classes=2)) == snapshot("""\
data.label_column: the labels of split train are text, which has no order
  fix: write the names into a file, one a line in the order of their labels, and set data.class_list to it\
""")


def test_a_row_without_a_label(refused) -> None:
    parquet([0, 1, 0, None, 1])
    assert refused(data("d", classes=2)) == snapshot("""\
data.label_column: row 3 of split train has no label
  fix: give every row a label, or take the row out\
""")


def test_a_missing_split(refused) -> None:
    parquet()
    assert refused(data("d", classes=2, test_split="validation")) == snapshot("""\
data.test_split: d has no split 'validation', but test, train
  fix: known: test, train\
""")
    assert refused(data("d", classes=2, train_split="trian")) == snapshot("""\
data.train_split: d has no split 'trian', but test, train
  fix: did you mean train?\
""")
    write_folder(Path("f/training"), FILES, LABELS)
    assert refused(data("f", classes=2)) == snapshot("""\
data.train_split: f has no split 'train', but training
  fix: did you mean training?\
""")


def test_an_empty_split(refused) -> None:
    parquet(test=pa.array([], pa.int64()))
    assert refused(data("d", classes=2)) == snapshot("""\
data.test_split: split test has no images
  fix: name another, or fill it\
""")


def test_more_labels_than_classes(refused) -> None:
    parquet([0, 1, 4, 2, 3])
    assert refused(data("d", classes=3)) == snapshot("""\
data.classes: label 4 in row 2 of split train is none of the 3 classes 0 to 2
  fix: set data.classes to 5, or name the classes to take in data.class_list\
""")


def test_a_label_below_zero(refused) -> None:
    parquet(test=[0, 1, 0, -1])
    assert refused(data("d", classes=2)) == snapshot("""\
data.label_column: label -1 in row 3 of split test is none of the 2 classes 0 to 1
  fix: labels are whole numbers from 0; take rows without a class out\
""")


def test_one_class_only(refused) -> None:
    parquet([0] * 20)
    assert refused(data("d", classes=2)) == snapshot("""\
data.label_column: every image of split train has the label 0
  fix: name another data.label_column, or data with two classes or more\
""")


def test_fewer_classes_than_the_config_says(refused) -> None:
    parquet()
    assert refused(data("d", classes=3)) == snapshot("""\
data.classes: split train has images of 2 of 3 classes, and none of 2
  fix: set data.classes to 2\
""")
    parquet([0, 9] * 10)
    assert refused(data("d", classes=10)) == snapshot("""\
data.classes: split train has images of 2 of 10 classes, and none of 1, 2, 3, 4, 5, …
  fix: number the labels from 0 without gaps\
""")


def test_a_class_without_test_images(refused) -> None:
    parquet([0, 1, 2, 0, 1, 2])
    assert refused(data("d", classes=3)) == snapshot("""\
data.classes: split test has images of 2 of 3 classes, and none of 2
  fix: set data.classes to 2\
""")


def test_too_few_images_to_hold_some_out(refused) -> None:
    parquet([0] * 10 + [1] * 4)
    assert refused(data("d", classes=2, held_out="validation")) == snapshot("""\
data.held_out: split train has 4 images of class 1 left, too few to hold validation images out
  fix: it takes 5 images of every class\
""")
    write_parquet(Path("a.parquet"), FILES, [0] * 17 + [1] * 3)
    assert refused(data("a.parquet", classes=2)) == snapshot("""\
data.held_out: a.parquet has 3 images of class 1 left, too few to hold test images out
  fix: it takes 4 images of every class\
""")


def test_as_many_images_as_it_takes_are_enough() -> None:
    for rare, held_out in ((5, "validation"), (4, "test")):
        for common in range(rare, 40):
            labels = [0] * common + [1] * rare + [2] * common
            path = write_parquet(Path(f"{held_out}{common}.parquet"), FILES[:1] * len(labels), labels)
            if held_out == "test":
                check_data(data(path, classes=3), 1, 8)
            else:
                write_parquet(Path("d/train.parquet"), FILES[:1] * len(labels), labels)
                check_data(data("d", classes=3, held_out="validation"), 1, 8)


LISTS = {
    "missing": (
        None,
        snapshot("""\
data.class_list: classes.txt cannot be read: No such file or directory
  fix: name a text file with a class on every line\
"""),
    ),
    "binary": (
        b"\xff\xfe\x00",
        snapshot("""\
data.class_list: classes.txt cannot be read: it is not UTF-8 text
  fix: name a text file with a class on every line\
"""),
    ),
    "empty": (
        b"\n \n",
        snapshot("""\
data.class_list: classes.txt is empty
  fix: write the name of a class on every line\
"""),
    ),
    "repeated": (
        b"cat\ndog\ncat \n",
        snapshot("""\
data.class_list: classes.txt names 'cat' twice
  fix: name every class once\
"""),
    ),
    "long": (
        b"cat\ndog\ncow\n",
        snapshot("""\
data.class_list: classes.txt names 3 classes, and data.classes is 2
  fix: set data.classes to 3, or change the list\
"""),
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_class_list_that_is_none(refused, name) -> None:
    text, message = LISTS[name]
    if text is not None:
        Path("classes.txt").write_bytes(text)
    parquet(["cat", "dog"] * 10)
    assert refused(data("d", class_list="classes.txt", classes=2)) == message


def test_a_class_of_the_list_without_images(refused) -> None:
    parquet(["cat", "dog"] * 10, ["cat", "dog"] * 10)
    Path("classes.txt").write_text("cat\nzebra\n")
    assert refused(data("d", class_list="classes.txt", classes=2)) == snapshot("""\
data.class_list: class 'zebra' has no images in split train
  fix: known: cat, dog\
""")
    Path("classes.txt").write_text("7\nzebra\n")
    assert refused(data("digits", class_list="classes.txt", classes=2)) == snapshot("""\
data.class_list: class 'zebra' has no images in digits
  fix: known: 0, 1, 2, 3, 4, …\
""")
    Path("classes.txt").write_text("cat\ndogs\n")
    assert refused(data("d", class_list="classes.txt", classes=2)) == snapshot("""\
data.class_list: class 'dogs' has no images in split train
  fix: did you mean dog?\
""")


def test_directories_of_several_configurations(refused) -> None:
    for configuration in ("large", "small"):
        write_parquet(Path(f"d/{configuration}/train-00000-of-00001.parquet"), FILES, LABELS)
    assert refused(data("d")) == snapshot("""\
data.source: d has Parquet files in large, small
  fix: name one of these directories\
""")


def test_files_of_a_split_that_differ(refused) -> None:
    write_parquet(Path("d/train-00000-of-00002.parquet"), FILES, LABELS)
    write_parquet(Path("d/train-00001-of-00002.parquet"), FILES, ["a"] * 20)
    assert refused(data("d", held_out="validation")) == snapshot("""\
data.source: column 'label' of d/train-00001-of-00002.parquet is not of the type that it has in train-00000-of-00002.parquet
  fix: write all files of a split with the same columns\
""")


def test_splits_that_number_their_classes_differently(refused, start) -> None:
    from datasets import ClassLabel, Features
    from datasets import Image as ImageFeature

    for split, names in (("train", ["cat", "dog"]), ("test", ["dog", "cat"])):
        features = Features({"image": ImageFeature(), "label": ClassLabel(names=names)})
        metadata = {key.decode(): value.decode() for key, value in features.arrow_schema.metadata.items()}
        columns = {"image": pa.array([{"bytes": file, "path": None} for file in FILES]), "label": LABELS}
        write_table(Path(f"d/{split}.parquet"), columns, metadata)
    assert refused(data("d", classes=2)) == snapshot("""\
data.label_column: split train and split test do not name the same classes in the same order
  fix: name the classes to take in data.class_list\
""")
    Path("classes.txt").write_text("cat\ndog\n")
    wanted = data("d", classes=2, class_list="classes.txt")
    check_data(wanted, 1, 8)
    stage, run = image_stage(wanted, 1, 8), start("by name")
    stage.function.run(run, stage.params, {})
    assert read_images(run.output / "train.arrow")[1].tolist() == LABELS
    assert read_images(run.output / "held_out.arrow")[1].tolist() == [1 - label for label in LABELS]


def test_a_file_that_is_no_parquet(refused) -> None:
    Path("a.parquet").write_bytes(b"PAR1 and then something else")
    first, last = refused(data("a.parquet")).splitlines()
    assert first.startswith("data.source: a.parquet")
    assert last == snapshot("  fix: write the file again, or take it out")


def test_a_parquet_file_that_was_cut_in_the_middle_is_no_longer_read(refused) -> None:
    """The table of contents is at the end, so the pages are what is damaged here."""
    path = write_parquet(Path("a.parquet"), FILES, LABELS)
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = bytes(len(content) // 2 - 4)
    path.write_bytes(content)
    assert refused(data("a.parquet", classes=2)).startswith("data.source: a.parquet")


def test_images_that_lie_in_no_class(refused) -> None:
    write_folder(Path("f/train"), FILES, LABELS)
    Path("f/train/x.png").write_bytes(FILES[0])
    assert refused(data("f", classes=2)) == snapshot("""\
data.source: f/train/x.png does not lie in the directory of a split and of a class
  fix: arrange the images as train/CLASS/x.png\
""")


def test_networks_whose_images_are_neither_grey_nor_rgb() -> None:
    with pytest.raises(InvalidConfig) as error:
        check_data(data("digits"), 2, 8)
    assert str(error.value) == snapshot("""\
backbone.image_channels: images have no 2 channels
  fix: set it to 1 or 3\
""")
