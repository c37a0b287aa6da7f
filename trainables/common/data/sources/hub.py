"""Data sets on the Hugging Face hub, through `datasets` and its cache."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from sweeper import InvalidConfig
from trainables.common.data.settings import Data
from trainables.common.data.sources.table_split import TableSplit

ANSWER_SECONDS = 10
ROWS = 128
DOWNLOAD = "check the connection, or download its Parquet files and name their directory"


def open_repository(data: Data) -> Mapping[str, TableSplit]:
    """Open the splits by name. A repository that describes itself is downloaded when its labels or images are read.

    Raises InvalidConfig for an id or a revision that does not exist or may not be read, and for what is neither
    within reach nor in the cache of `datasets`.
    """
    with _understood(data.source):
        builder = _builder(data.source, data.revision)
        if not builder.info.splits or not builder.info.features:
            builder.download_and_prepare()
        schema, ready = builder.info.features.arrow_schema, Path(builder.cache_dir).is_dir()
        reads = {str(name): partial(_read, data.source, builder, str(name)) for name in builder.info.splits}
    return {
        name: TableSplit(f"split {name}", schema, data.image_column, data.label_column, read, ready)
        for name, read in reads.items()
    }


def _read(repository: str, builder: Any, split: str, column: str) -> Iterator[pa.Array]:
    """Yield the values of a column; downloads what the cache lacks."""
    from datasets.table import embed_table_storage

    with _understood(repository):
        builder.download_and_prepare()
        rows = builder.as_dataset(split=split).select_columns([column]).with_format("arrow")
        for table in rows.iter(ROWS):
            yield embed_table_storage(table)[column].combine_chunks()


def _builder(repository: str, revision: str | None) -> Any:
    """Return a loader of the repository. The hub is tried once before `datasets`, which retries for half a minute."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import datasets
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    datasets.disable_progress_bars()
    try:
        known = HfApi().dataset_info(repository, revision=revision, timeout=ANSWER_SECONDS)
    except (HFValidationError, RepositoryNotFoundError):
        message = f"'{repository}' is neither a path here nor a data set on the Hugging Face hub that may be read"
        fix = "check the name; for a private data set say: hf auth login"
        raise InvalidConfig("data.source", message, fix=fix) from None
    except RevisionNotFoundError:
        raise InvalidConfig("data.revision", f"'{repository}' has no revision '{revision}'") from None
    except Exception as error:  # no name, no route, no answer, a proxy's refusal, offline mode
        return _cached(repository, revision, type(error).__name__)
    return datasets.load_dataset_builder(known.id, revision=revision)


def _cached(repository: str, revision: str | None, reason: str) -> Any:
    """Return a loader from the cache, at the commit that the revision stood for when it was downloaded."""
    from datasets import config
    from datasets.naming import camelcase_to_snakecase
    from datasets.packaged_modules.cache.cache import Cache
    from huggingface_hub.constants import HF_HUB_CACHE

    owner, _, name = repository.rpartition("/")
    named = Path(HF_HUB_CACHE, f"datasets--{repository.replace('/', '--')}", "refs", revision or "main")
    commit = named.read_text().strip() if named.is_file() else revision or "unknown"
    folder = "___".join([*([owner] if owner else []), camelcase_to_snakecase(name)])
    found = [each for each in Path(config.HF_DATASETS_CACHE, folder).glob(f"*/*/{commit}") if each.is_dir()]
    if len(found) != 1:
        message = f"the Hugging Face hub does not answer ({reason}), and '{repository}' is no path and not in the cache"
        raise InvalidConfig("data.source", message, fix=DOWNLOAD)
    configuration, version, commit = found[0].parts[-3:]
    return Cache(dataset_name=name, config_name=configuration, version=version, hash=commit, repo_id=repository)


@contextmanager
def _understood(repository: str) -> Iterator[None]:
    """Turn errors of `datasets` into one line."""
    from datasets.exceptions import DatasetNotFoundError

    try:
        yield
    except InvalidConfig:
        raise
    except DatasetNotFoundError as error:  # one that may not be read, such as a gated one
        raise InvalidConfig("data.source", _line(error), fix="say: hf auth login") from error
    except Exception as error:  # of the network, the disk, pyarrow, or about what the repository holds
        raise InvalidConfig("data.source", f"'{repository}' cannot be loaded: {_line(error)}", fix=DOWNLOAD) from error


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
