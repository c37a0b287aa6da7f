from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from tests.trainables.common.data.sources.written import data, noise, pngs, write_folder, write_parquet
from trainables.common.data.image_sets import check_data, image_stage
from trainables.common.data.images import read_images
from trainables.common.data.sources import parquet

FILES = pngs(noise(20))
LAYOUTS = {
    "hub": ["data/{}-00000-of-00002.parquet", "data/{}-00001-of-00002.parquet"],
    "hashes": ["data/{}-00000-of-00002-1a2b3c4d5e6f7a8b.parquet", "data/{}-00001-of-00002-f6e5d4c3b2a19080.parquet"],
    "configuration": ["plain_text/{}-00000-of-00002.parquet", "plain_text/{}-00001-of-00002.parquet"],
    "converted": ["default/{}/0000.parquet", "default/{}/0001.parquet"],
    "directories": ["{}/0.parquet", "{}/1.parquet"],
    "numbered": ["{}_0.parquet", "{}_1.parquet"],
    "single": ["{}.parquet"],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_splits_are_found_by_the_names_of_files(start, tmp_path: Path, layout: str) -> None:
    names, size = LAYOUTS[layout], 20 // len(LAYOUTS[layout])
    for split, first in (("train", 0), ("validation", 1), ("train_extra", 2)):
        for shard, name in enumerate(names):
            rows = range(shard * size, (shard + 1) * size)
            labels = [(row + first) % 2 for row in rows]
            write_parquet(tmp_path / name.format(split), [FILES[row] for row in rows], labels)
    wanted = data(tmp_path, test_split="validation", classes=2)
    check_data(wanted, 1, 8)
    run = start()
    stage = image_stage(wanted, 1, 8)
    stage.function.run(run, stage.params, {})
    assert read_images(run.output / "train.arrow")[1].tolist() == [0, 1] * 10
    assert read_images(run.output / "held_out.arrow")[1].tolist() == [1, 0] * 10


def test_the_check_reads_the_beginning_of_the_images_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_parquet(tmp_path / "a.parquet", FILES * 100, [0, 1] * 1000)
    read: list[str] = []
    values = parquet._read

    def noted(files: Sequence[Path], column: str) -> Iterator[pa.Array]:
        for piece in values(files, column):
            read.append(column)
            yield piece

    monkeypatch.setattr(parquet, "_read", noted)
    check_data(data(path, classes=2), 1, 8)
    assert read.count("image") == 2  # the first training image, and the first test image


def test_a_class_that_is_called_like_a_split_stays_in_its_split(start, tmp_path: Path) -> None:
    """CIFAR-100 has a class ``train``; searching for the word anywhere would train on its test images."""
    for split, seed in (("train", 0), ("test", 1)):
        write_folder(tmp_path / "f" / split, pngs(noise(20, seed=seed)), ["test", "train"] * 10)
    run = start()
    stage = image_stage(data(tmp_path / "f", classes=2), 1, 8)
    stage.function.run(run, stage.params, {})
    for name, seed in (("train", 0), ("held_out", 1)):
        images, _ = read_images(run.output / f"{name}.arrow")
        assert {image.numpy().tobytes() for image in images} == {image.tobytes() for image in noise(20, seed=seed)}
