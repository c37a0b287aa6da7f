from collections.abc import Iterator

import pytest
import torch

from trainables.common.data.images import read_images, to_bytes, to_unit, write_batches, write_images


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 7)])
def test_images_and_labels_come_back_as_written(tmp_path, shape) -> None:
    images, labels = torch.randint(256, (9, *shape), dtype=torch.uint8), torch.arange(9) * 11
    write_images(tmp_path / "a.arrow", images, labels)
    again, labels_again = read_images(tmp_path / "a.arrow")
    assert torch.equal(again, images)
    assert torch.equal(labels_again, labels)
    assert labels_again.dtype == torch.int64


def test_a_view_of_other_images_is_written_as_what_it_shows(tmp_path) -> None:
    images = torch.randint(256, (4, 2, 3, 5), dtype=torch.uint8)
    write_images(tmp_path / "a.arrow", images.flip(0).transpose(2, 3)[::2], torch.arange(2))
    assert torch.equal(read_images(tmp_path / "a.arrow")[0], images.flip(0).transpose(2, 3)[::2])


def test_equal_images_make_equal_files(tmp_path) -> None:
    images = torch.arange(32, dtype=torch.uint8).view(2, 1, 4, 4)
    for name in ("a", "b"):
        write_images(tmp_path / name, images, torch.tensor([3, 1]))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_images_written_in_batches_read_as_if_written_at_once(tmp_path) -> None:
    images, labels = torch.randint(256, (9, 3, 4, 4), dtype=torch.uint8), torch.arange(9) * 11
    parts = zip(images.split(4), labels.split(4), strict=True)
    write_batches(tmp_path / "batches.arrow", parts)
    again, labels_again = read_images(tmp_path / "batches.arrow")
    assert torch.equal(again, images)
    assert torch.equal(labels_again, labels)


def test_a_single_batch_makes_the_file_of_images_written_at_once(tmp_path) -> None:
    images, labels = torch.randint(256, (9, 3, 4, 4), dtype=torch.uint8), torch.arange(9)
    write_images(tmp_path / "once", images, labels)
    write_batches(tmp_path / "batches", iter([(images, labels)]))
    assert (tmp_path / "once").read_bytes() == (tmp_path / "batches").read_bytes()


def test_batches_are_written_one_by_one(tmp_path) -> None:
    """The next batch is not asked for before the last one is in the file."""

    def batches() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for count in range(4):
            size = (tmp_path / "a.arrow").stat().st_size if count else 0
            assert size >= (count - 1) * 4096
            yield torch.zeros(16, 1, 16, 16, dtype=torch.uint8), torch.zeros(16, dtype=torch.long)

    write_batches(tmp_path / "a.arrow", batches())
    assert len(read_images(tmp_path / "a.arrow")[0]) == 64


def test_every_byte_survives_the_way_to_the_unit_range_and_back() -> None:
    every = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(to_unit(every)), every)
    assert (float(to_unit(every).min()), float(to_unit(every).max())) == (-1.0, 1.0)


def test_values_outside_the_unit_range_are_clipped() -> None:
    assert to_bytes(torch.tensor([-3.0, -1.001, 0.0, 1.001, 70.0])).tolist() == [0, 0, 128, 255, 255]
