from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from inline_snapshot import snapshot
from inline_snapshot.extra import raises
from numpy.typing import NDArray

from sweeper.trainable.stage import Stage, SweeperError
from tests.masked import masked
from tests.trainables.common.data.sources.written import (
    data,
    digit_images,
    encoded,
    noise,
    pngs,
    write_folder,
    write_parquet,
    write_table,
)
from tests.trainables.fake_run import FakeRun
from trainables.common.data import image_sets
from trainables.common.data.image_sets import check_data, image_stage
from trainables.common.data.images import read_images
from trainables.common.data.settings import Data
from trainables.common.data.sources.labelled import ImageFile
from trainables.common.data.splits import stratified

Start = Callable[..., FakeRun]
Files = dict[str, bytes]


def perform(stage: Stage, run: FakeRun) -> FakeRun:
    stage.function.run(run, stage.params, {})
    return run


def written(stage: Stage, run: FakeRun) -> Files:
    perform(stage, run)
    return {path.name: path.read_bytes() for path in sorted(run.output.iterdir())}


def made(stage: Stage, run: FakeRun, name: str = "train") -> tuple[NDArray[np.uint8], list[int]]:
    images, labels = read_images(perform(stage, run).output / f"{name}.arrow")
    return images.numpy(), labels.tolist()


def parts(labels: NDArray[np.int64]) -> dict[str, NDArray[np.intp]]:
    train, test = stratified(labels, 0.25)
    return {"train": train, "test": test}


def digits_as_parquet(place: Path) -> Path:
    pixels, labels = digit_images()
    for split, rows in parts(labels).items():
        for shard, half in enumerate(np.array_split(rows, 2)):
            write_parquet(place / f"data/{split}-{shard:05}-of-00002.parquet", pngs(pixels[half]), labels[half])
    return place


def digits_by_class(place: Path, write: Callable[..., Path]) -> Path:
    """An image folder lists classes one after another, so a table with the same rows is in that order."""
    pixels, labels = digit_images()
    for split, rows in parts(labels).items():
        rows = rows[np.argsort(labels[rows], kind="stable")]
        name = split if write is write_folder else f"{split}.parquet"
        write(place / name, pngs(pixels[rows]), labels[rows].tolist())
    return place


def test_digits_are_the_same_bytes_embedded_as_parquet_and_as_a_single_file(start: Start, tmp_path: Path) -> None:
    pixels, labels = digit_images()
    single = write_parquet(tmp_path / "single.parquet", pngs(pixels), labels)
    parquet = digits_as_parquet(tmp_path / "parquet")
    for held_out in ("test", "validation"):
        embedded = written(image_stage(data("digits", held_out=held_out), 1, 8), start(f"embedded {held_out}"))
        for name, source in (("single", single), ("parquet", parquet)):
            stage = image_stage(data(source, held_out=held_out), 1, 8)
            assert written(stage, start(f"{name} {held_out}")) == embedded


def test_digits_are_the_same_bytes_from_an_image_folder_and_from_parquet_in_its_order(start, tmp_path) -> None:
    folder = digits_by_class(tmp_path / "folder", write_folder)
    parquet = digits_by_class(tmp_path / "parquet", write_parquet)
    for held_out in ("test", "validation"):
        files = [
            written(image_stage(data(source, held_out=held_out), 1, 8), start(f"{source.name} {held_out}"))
            for source in (folder, parquet)
        ]
        assert files[0] == files[1]


@pytest.mark.parametrize(("shape", "channels"), [((), 1), ((3,), 3)], ids=["grey", "colour"])
@pytest.mark.parametrize("side", [8, 16, 32, 64])
def test_images_and_shuffled_labels_arrive_as_they_were_written(start, tmp_path, side, shape, channels) -> None:
    pixels, labels = noise(60, (side, side, *shape)), np.random.default_rng(1).permutation(60) % 4
    write_parquet(tmp_path / "d" / "train.parquet", pngs(pixels), labels)
    write_parquet(tmp_path / "d" / "test.parquet", pngs(pixels[::-1]), labels[::-1])
    stage = image_stage(data(tmp_path / "d", classes=4), channels, side)
    assert image_stage(data(tmp_path / "d", classes=4), channels, side) == stage
    images, found = made(stage, start())
    assert found == labels.tolist()
    assert np.array_equal(images, pixels.reshape(60, side, side, channels).transpose(0, 3, 1, 2))
    held, _ = read_images(tmp_path / "run" / "held_out.arrow")
    assert np.array_equal(held.numpy(), images[::-1])


def test_images_of_any_size_come_out_in_one(start, tmp_path) -> None:
    sizes = [(8, 8), (20, 9), (9, 20), (64, 64)]
    files = [encoded(noise(1, shape)[0]) for shape in sizes] * 10
    path = write_parquet(tmp_path / "a.parquet", files, [number // 4 % 2 for number in range(40)])
    images, _ = made(image_stage(data(path, classes=2), 3, 16), start())
    assert images.shape == (30, 3, 16, 16)


def test_many_batches_are_the_file_of_one_in_content(start, tmp_path, monkeypatch) -> None:
    source = data(write_parquet(tmp_path / "a.parquet", pngs(noise(40)), [0, 1] * 20), classes=2)
    whole, labels = made(image_stage(source, 1, 8), start("whole"))
    monkeypatch.setattr(image_sets, "BATCH_BYTES", 7 * 64)
    run = start("batches")
    again, labels_again = made(image_stage(source, 1, 8), run)
    assert np.array_equal(whole, again)
    assert labels == labels_again
    assert [step for step, _, _ in run.logged] == [7, 14, 21, 28, 30, 37, 40]
    assert {total for _, total, _ in run.logged} == {40}


def test_images_are_read_when_their_batch_is_due(start, tmp_path, monkeypatch) -> None:
    source = data(write_parquet(tmp_path / "a.parquet", pngs(noise(40)), [0, 1] * 20), classes=2)
    read: list[str] = []
    pixels = image_sets.read_pixels

    def counted(file: ImageFile, place: str, channels: int, side: int) -> NDArray[np.uint8]:
        assert len(read) - (run.logged[-1][0] if run.logged else 0) < 7
        read.append(place)
        return pixels(file, place, channels, side)

    monkeypatch.setattr(image_sets, "read_pixels", counted)
    monkeypatch.setattr(image_sets, "BATCH_BYTES", 7 * 64)
    run = start()
    perform(image_stage(source, 1, 8), run)
    assert len(read) == 40


def test_validation_images_are_a_fifth_of_every_class_of_the_training_images(start, tmp_path) -> None:
    source = digits_by_class(tmp_path / "folder", write_folder)
    (source / "test").rename(tmp_path / "moved away")
    stage = image_stage(data(source, held_out="validation"), 1, 8)
    train, labels = made(stage, start("a"))
    held, held_labels = made(stage, start("b"), "held_out")
    pixels, everything = digit_images()
    rows = parts(everything)["train"]
    assert sorted(image.tobytes() for image in [*train, *held]) == sorted(image.tobytes() for image in pixels[rows])
    assert np.allclose(np.bincount(held_labels) * 4, np.bincount(labels), atol=4)


def test_the_key_depends_on_content_and_settings_and_not_on_the_path(tmp_path) -> None:
    here, there = (digits_as_parquet(tmp_path / name) for name in ("here", "there"))
    stage = image_stage(data(here), 1, 8)
    assert stage.key == image_stage(data(there), 1, 8).key
    others = [
        image_stage(data(here, **changes), 1, 8)
        for changes in (
            {"image_column": "img"},
            {"label_column": "fine"},
            {"train_split": "test"},
            {"test_split": "train"},
            {"held_out": "validation"},
            {"classes": 9},
        )
    ]
    others += [image_stage(data(here), 3, 8), image_stage(data(here), 1, 16), image_stage(data("digits"), 1, 8)]
    (there / "data/test-00001-of-00002.parquet").unlink()
    others.append(image_stage(data(there), 1, 8))
    assert len({stage.key, *(each.key for each in others)}) == 11


def test_the_key_depends_on_the_names_in_the_class_list_and_their_order(tmp_path) -> None:
    lists = {"a": "3\n7\n", "b": "\n 3\n7", "c": "7\n3\n", "d": "3\n8\n"}
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
    keys = {name: image_stage(data("digits", class_list=str(tmp_path / name), classes=2), 1, 8).key for name in lists}
    assert keys["a"] == keys["b"]
    assert len(set(keys.values())) == 3


def test_nothing_is_asked_of_the_hub_before_a_stage_runs(monkeypatch) -> None:
    monkeypatch.setattr(image_sets, "open_source", None)
    stage = image_stage(data("uoft-cs/cifar100", revision="v1", classes=100), 3, 32)
    assert (stage.params["content"], stage.params["data"]["source"]) == ("uoft-cs/cifar100@v1", "uoft-cs/cifar100")
    assert stage.key != image_stage(data("uoft-cs/cifar100", classes=100), 3, 32).key


def test_a_source_that_changed_after_the_plan_is_refused(start, tmp_path) -> None:
    path = write_parquet(tmp_path / "a.parquet", pngs(noise(40)), [0, 1] * 20)
    stage = image_stage(data(path, classes=2), 1, 8)
    write_parquet(path, pngs(noise(40, seed=1)), [0, 1] * 20)
    with pytest.raises(SweeperError) as error:
        perform(stage, start())
    assert masked(str(error.value), path=path) == snapshot("""\
{path} has changed since the run was planned
  fix: say the same command again\
""")


def listed(tmp_path: Path, *names: str) -> str:
    path = tmp_path / "classes.txt"
    path.write_text("\n".join(names), encoding="utf-8")
    return str(path)


NAMES = ["apple", "bee", "cab", "dog"]


def huggingface(names: list[str]) -> dict[str, str]:
    """What `datasets` writes into a Parquet file with a column of classes."""
    from datasets import ClassLabel, Features
    from datasets import Image as ImageFeature

    features = Features({"image": ImageFeature(), "label": ClassLabel(names=names)})
    return {key.decode(): value.decode() for key, value in features.arrow_schema.metadata.items()}


def named(tmp_path: Path, kind: str, labels: list[int]) -> tuple[Path, list[int]]:
    """Training and test images of four named classes, with the labels in the order of the rows."""
    source, pixels = tmp_path / kind, pngs(noise(len(labels)))
    words = [NAMES[label] for label in labels]
    for split in ("train", "test"):
        if kind == "folder":
            write_folder(source / split, pixels, words)
        elif kind == "text":
            write_parquet(source / f"{split}.parquet", pixels, words)
        elif kind == "categorical":
            write_parquet(source / f"{split}.parquet", pixels, pa.array(words).dictionary_encode())
        else:
            columns = {"image": pa.array([{"bytes": file, "path": None} for file in pixels]), "label": labels}
            write_table(source / f"{split}.parquet", columns, huggingface(NAMES))
    return source, sorted(labels) if kind == "folder" else labels


@pytest.mark.parametrize("kind", ["folder", "text", "categorical", "class_label"])
def test_a_class_list_takes_its_classes_in_its_order(start, tmp_path, kind) -> None:
    source, order = named(tmp_path, kind, [3, 1, 0, 2, 1, 3, 0, 2])
    wanted = data(source, class_list=listed(tmp_path, "dog", "apple"), classes=2)
    check_data(wanted, 1, 8)
    images, labels = made(image_stage(wanted, 1, 8), start())
    assert labels == [{3: 0, 0: 1}[label] for label in order if label in (3, 0)]
    everything, _ = made(image_stage(data(source, class_list=listed(tmp_path, *NAMES), classes=4), 1, 8), start("all"))
    kept = [row for row, label in enumerate(order) if label in (3, 0)]
    assert np.array_equal(images, everything[kept])


@pytest.mark.parametrize("kind", ["folder", "class_label"])
def test_without_a_class_list_named_classes_keep_their_numbers(start, tmp_path, kind) -> None:
    source, order = named(tmp_path, kind, [3, 1, 0, 2, 1, 3, 0, 2])
    assert made(image_stage(data(source, classes=4), 1, 8), start())[1] == order


def test_classes_without_names_are_called_by_their_numbers(start, tmp_path) -> None:
    wanted = data("digits", class_list=listed(tmp_path, "7", "3"), classes=2)
    check_data(wanted, 1, 8)
    images, labels = made(image_stage(wanted, 1, 8), start())
    pixels, everything = digit_images()
    seven = {image.tobytes() for image in pixels[everything == 7]}
    assert {image.tobytes() in seven for image, label in zip(images, labels, strict=True) if label == 0} == {True}
    assert set(labels) == {0, 1}


def test_images_are_written_as_files_alone_or_in_wide_columns_too(start, tmp_path) -> None:
    files, labels = pngs(noise(40)), [0, 1] * 20
    expected = None
    kinds = {"binary": pa.binary(), "large": pa.large_binary(), "wide": pa.struct({"bytes": pa.large_binary()})}
    for name, kind in kinds.items():
        values = [{"bytes": file} for file in files] if name == "wide" else files
        table = {"image": pa.array(values, kind), "label": pa.array(labels, pa.uint8())}
        source = data(write_table(tmp_path / f"{name}.parquet", table), classes=2)
        check_data(source, 1, 8)
        found = written(image_stage(source, 1, 8), start(name))
        assert found == (expected or found)
        expected = found


def test_a_data_set_without_fault_passes(tmp_path) -> None:
    for source in ("digits", digits_as_parquet(tmp_path / "parquet"), digits_by_class(tmp_path / "f", write_folder)):
        for held_out in ("test", "validation"):
            check_data(data(source, held_out=held_out), 1, 8)


def test_a_check_is_made_once_until_a_file_changes(tmp_path, monkeypatch) -> None:
    opened: list[Data] = []
    open_source = image_sets.open_source
    monkeypatch.setattr(image_sets, "open_source", lambda given: opened.append(given) or open_source(given))
    path = write_parquet(tmp_path / "a.parquet", pngs(noise(40)), [0, 1] * 20)
    for _ in range(3):
        check_data(data(path, classes=2), 1, 8)
    assert len(opened) == 1
    write_parquet(path, pngs(noise(41)), [*[0, 1] * 20, 2])
    with raises(
        snapshot("""\
InvalidConfig:
data.classes: label 2 in row 40 of a.parquet is none of the 2 classes 0 to 1
  fix: set data.classes to 3, or name the classes to take in data.class_list\
""")
    ):
        check_data(data(path, classes=2), 1, 8)


def test_a_damaged_image_ends_the_stage_before_any_training(start, tmp_path) -> None:
    files = pngs(noise(40, (32, 32)))
    files[17] = files[17][:200]
    parquet = tmp_path / "parquet"
    for split in ("train", "test"):
        write_parquet(parquet / f"{split}.parquet", files, [0, 1] * 20)
        write_folder(tmp_path / "folder" / split, files, ["a", "b"] * 20)
    for source, place in (
        (parquet, "row 17 of split train"),
        (tmp_path / "folder", f"{tmp_path}/folder/train/b/00017.png"),
    ):
        check_data(data(source, classes=2), 1, 32)
        with pytest.raises(SweeperError) as error:
            perform(image_stage(data(source, classes=2), 1, 32), start(f"run {source.name}"))
        assert error.value.message.startswith(f"{place} cannot be read: ")
        assert error.value.fix == snapshot("repair the image, or take it out")


def test_a_damaged_image_of_a_class_that_is_left_out_does_not_matter(start, tmp_path) -> None:
    files = [*pngs(noise(40)), b""]
    path = write_parquet(tmp_path / "a.parquet", files, [*["a", "b"] * 20, "c"])
    wanted = data(path, class_list=listed(tmp_path, "a", "b"), classes=2)
    assert len(made(image_stage(wanted, 1, 8), start())[1]) == 30


def test_the_first_image_of_each_part_is_looked_at_in_the_check(tmp_path) -> None:
    path = write_parquet(tmp_path / "a.parquet", [b"no image"] * 40, [0, 1] * 20)
    with raises(
        snapshot("""\
SweeperError:
row 1 of a.parquet cannot be read: it is not an image file
  fix: repair the image, or take it out\
""")
    ):
        check_data(data(path, classes=2), 1, 8)


def test_torch_reads_what_was_written(start) -> None:
    images, labels = read_images(perform(image_stage(data("digits"), 3, 16), start()).output / "held_out.arrow")
    assert (images.shape, images.dtype, labels.dtype) == ((450, 3, 16, 16), torch.uint8, torch.int64)
