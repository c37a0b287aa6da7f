import os
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from sweeper.trainable.stage import InvalidConfig
from tests.masked import masked
from tests.trainables.common.data.sources.written import data, encoded, noise, pngs, write_folder, write_parquet
from trainables.common.data.sources import data_files
from trainables.common.data.sources.source import fingerprint, locate


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files whose content is read."""
    read: list[str] = []
    digest = data_files.hashlib.file_digest
    monkeypatch.setattr(
        data_files.hashlib, "file_digest", lambda file, kind: read.append(file.name) or digest(file, kind)
    )
    return read


def test_what_exists_is_a_path_and_the_rest_an_id_on_the_hub(home: Path) -> None:
    (home / "owner" / "name").mkdir(parents=True)
    assert locate("owner/name") == home / "owner" / "name"
    assert locate("~/owner") == home / "owner"
    assert locate("./owner/name") == home / "owner" / "name"
    assert locate("owner/other") == "owner/other"
    assert locate("mnist") == "mnist"


def test_digits_are_the_embedded_ones_whatever_directory_is_called_so(home: Path) -> None:
    (home / "digits").mkdir()
    assert locate("digits") == "digits"
    assert locate("./digits") == home / "digits"


@pytest.mark.parametrize("source", ["./a/b", "/no/such", "~/no", "a/b.parquet", "../no", "~no-such-user/x"])
def test_a_path_that_does_not_exist_is_no_id(source) -> None:
    with pytest.raises(InvalidConfig) as error:
        locate(source)
    path = source.replace("~/", f"{Path.home()}/").removeprefix("./")
    assert masked(str(error.value), path=path) == snapshot("""\
data.source: {path} does not exist
  fix: name a Parquet file or a directory of images\
""")


@pytest.mark.parametrize("source", ["a/b/c", "owner/", "two words", "https://x.y/z", "n" * 300])
def test_what_is_neither_a_path_nor_an_id_is_refused(source) -> None:
    with pytest.raises(InvalidConfig) as error:
        locate(source)
    assert masked(str(error.value), source=source) == snapshot("""\
data.source: '{source}' is neither a path here nor an id on the Hugging Face hub
  fix: name a path, or an id such as uoft-cs/cifar100\
""")


def test_hub_ids_are_told_apart_by_their_revision() -> None:
    assert fingerprint(data("uoft-cs/cifar100")) == "uoft-cs/cifar100@main"
    assert fingerprint(data("uoft-cs/cifar100", revision="v2")) == "uoft-cs/cifar100@v2"
    assert fingerprint(data("digits")) == "digits"


def parquet(place: Path) -> Path:
    write_parquet(place / "train-00000-of-00001.parquet", pngs(noise(3)), [0, 1, 2])
    return place


def folder(place: Path) -> Path:
    write_folder(place / "train", pngs(noise(3)), "abc")
    return place


@pytest.mark.parametrize("write", [parquet, folder, lambda place: parquet(place) / "train-00000-of-00001.parquet"])
def test_the_same_files_have_the_same_fingerprint_anywhere(write: Callable[[Path], Path], home: Path) -> None:
    first, second = write(home / "here"), write(home / "somewhere" / "else")
    assert fingerprint(data(first)) == fingerprint(data(second))
    assert fingerprint(data("here" if first.is_dir() else first)) == fingerprint(data(first))


def test_a_file_may_be_renamed_and_a_directory_linked(home: Path) -> None:
    first = write_parquet(home / "a.parquet", pngs(noise(3)), [0, 1, 2])
    second = write_parquet(home / "b.parquet", pngs(noise(3)), [0, 1, 2])
    assert fingerprint(data(first)) == fingerprint(data(second))
    folder(home / "real")
    (home / "linked").mkdir()
    (home / "linked" / "train").symlink_to(home / "real" / "train")
    assert fingerprint(data(home / "real")) == fingerprint(data(home / "linked"))


def test_another_byte_file_name_or_class_is_another_fingerprint(home: Path) -> None:
    first = folder(home / "a")
    seen = {fingerprint(data(first))}
    image = first / "train" / "a" / "00000.png"
    image.write_bytes(encoded(noise(1, seed=5)[0]))
    seen.add(fingerprint(data(first)))
    image.rename(first / "train" / "b" / "00000.png")
    seen.add(fingerprint(data(first)))
    (first / "train" / "b" / "00000.png").unlink()
    seen.add(fingerprint(data(first)))
    assert len(seen) == 4


def test_files_that_are_no_data_change_nothing(home: Path) -> None:
    first = folder(home / "a")
    before = fingerprint(data(first))
    (first / "README.md").touch()
    (first / "preview.png").touch()
    (first / ".cache" / "x").mkdir(parents=True)
    (first / ".cache" / "x" / "y.png").touch()
    (first / "train" / "a" / ".DS_Store").touch()
    assert fingerprint(data(first)) == before


def test_a_file_is_read_once_until_it_changes(home: Path, reads: list[str]) -> None:
    first = folder(home / "a")
    before = fingerprint(data(first))
    assert len(reads) == 3
    assert fingerprint(data(first)) == before
    assert len(reads) == 3
    path = first / "train" / "b" / "00001.png"
    changed = bytearray(path.read_bytes())
    changed[-1] ^= 1
    path.write_bytes(changed)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    assert fingerprint(data(first)) != before
    assert reads[3:] == [str(path)]


def test_a_directory_without_images_is_refused_with_how_to_arrange_them(home: Path) -> None:
    (home / "a" / "train").mkdir(parents=True)
    (home / "a" / "train" / "list.txt").touch()
    with pytest.raises(InvalidConfig) as error:
        fingerprint(data(home / "a"))
    assert masked(str(error.value), home=home) == snapshot("""\
data.source: {home}/a holds neither Parquet files nor images
  fix: arrange them as train-00000-of-00001.parquet or train/CLASS/x.png\
""")


def test_a_dangling_link_is_named(home: Path) -> None:
    link = folder(home / "a") / "train" / "a" / "gone.png"
    link.symlink_to(home / "nowhere.png")
    with pytest.raises(InvalidConfig) as error:
        fingerprint(data(home / "a"))
    assert masked(str(error.value), link=link) == snapshot("""\
data.source: {link} cannot be read: No such file or directory
  fix: mend its permissions, or the link that it is\
""")
