"""Settings of data sets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sweeper import NotInKey
from trainables.common.settings import Settings


class Data(Settings):
    """The images: where they come from, what is a label, and which of them are held out.

    Where the images and the class list are is not in a stage's key: their content is, see `image_sets.image_stage`.
    """

    source: Annotated[str, NotInKey] = Field(
        description="digits (embedded), an id on the Hugging Face hub such as uoft-cs/cifar100, a directory of Parquet "
        "files in the hub's layout (train-00000-of-00001.parquet), an image folder (train/CLASS/x.png), or a single "
        "Parquet file; of digits and of a single file a fixed quarter of every class is the test set",
        min_length=1,
    )
    revision: Annotated[str | None, NotInKey] = Field(
        description="commit, tag or branch of a hub id; none for its newest"
    )
    image_column: str = Field(description="column of the images; image in an image folder")
    label_column: str = Field(
        description="column of the labels: whole numbers from 0, or names with a class list; label in an image folder"
    )
    train_split: str = Field(description="split that is trained on")
    test_split: str = Field(description="split that is tested on")
    class_list: Annotated[str | None, NotInKey] = Field(
        description="file that names the classes to take, one a line, in the order of their labels; none for all. "
        "Classes that have no names are called by their numbers"
    )
    classes: int = Field(description="number of classes", ge=2, le=10_000)
    held_out: Literal["test", "validation"] = Field(
        description="images that accuracies are measured on; hyperparameters are chosen on validation, "
        "a fifth of the training images that is then not trained on"
    )
