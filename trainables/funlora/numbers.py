"""Numbers of a run: facts known before it, metrics it ends with, and the parts of its cost."""

from __future__ import annotations

from sweeper import Number
from trainables.common.metrics.accuracy import ACCURACIES

FACTS = {
    "ppc": Number("parameters per class, embedding rows counted with the backbone", title="PPC"),
    "parameters": Number(
        "P#: the backbone with a row for every class, and an adapter for every class after the first task and one more",
        title="P#",
    ),
    "image_equivalents": Number("how many images take as many bytes as an adapter", title="images"),
}

METRICS = {
    **ACCURACIES,
    "fm_loss": Number(
        "flow-matching loss on the held-out images of the later tasks' classes, mean over classes",
        "lower",
        "FM loss",
        4,
    ),
    "nfe": Number(
        "evaluations of the vector field per image, mean over the banks of samples", title="evaluations", decimals=1
    ),
    "max_rank": Number("largest numerical rank of a functional matrix F over layers and classes", title="largest rank"),
    "fd": Number(
        "Fréchet distance between real and synthetic images in the features of the project's own ResNet18",
        "lower",
        "FD (ResNet18)",
    ),
    "fid": Number("Fréchet inception distance between real and synthetic images", "lower", "FID"),
    "precision": Number("share of synthetic images within the manifold of the real ones", "higher", decimals=3),
    "recall": Number("share of real images within the manifold of the synthetic ones", "higher", decimals=3),
}

PARTS = {
    "data": "reading and resizing the images",
    "training": "training of the base and the adapters",
    "sampling": "synthetic images",
    "classifier": "training and testing of the classifiers",
    "quality": "features of real and synthetic images, and their comparison",
    "measures": "held-out losses, ranks and the final numbers",
}
