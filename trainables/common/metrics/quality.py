"""Compare samples with real images, as two sets of points in the space of a network's features."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from sweeper import StageRun, SweeperError, stage
from trainables.common.metrics.features import read_features

ROWS = 1000
"""Points whose distances to all others are held at a time: 200 MB beside 50,000 others."""
POINTS = 10_000
"""Points whose moments are summed at a time."""


@stage(
    name="common.compare_features",
    version=1,
    gpus=0.25,
    part="quality",
    reports=lambda name, **_: (name, "precision", "recall"),
)
def compare_features(run: StageRun, real: Path, synthetic: Path, neighbours: int, name: Literal["fd", "fid"]) -> None:
    """Compute Fréchet distance, precision and recall of synthetic features against real ones.

    Args:
        real, synthetic: directories with ``features.safetensors``.
        neighbours: k of precision and recall.
        name: of the distance: it is an FID in the features of the FID's network alone.

    Writes ``metrics.json``. Raises SweeperError for sets of no more than k points.
    """
    ours, theirs = read_features(real), read_features(synthetic)
    for kind, points in (("real", ours), ("synthetic", theirs)):
        if len(points) <= neighbours:
            message = f"{len(points)} {kind} images are too few for {neighbours} nearest neighbours"
            raise SweeperError(message, fix="take more images, or lower quality.neighbours")
    distance = frechet_distance(ours, theirs)
    precision, recall = precision_recall(ours.to(run.device), theirs.to(run.device), neighbours)
    (run.output / "metrics.json").write_text(json.dumps({name: distance, "precision": precision, "recall": recall}))


def frechet_distance(real: Tensor, synthetic: Tensor) -> float:
    """Return the squared Fréchet distance of the Gaussians with the means and covariances of two sets (N, D), (M, D):

    |mean - mean'|^2 + tr(cov + cov' - 2 (cov cov')^(1/2))    (Heusel et al., 2017, equation 6)

    Computed in float64. The covariances of fewer points than dimensions are singular: the distance then has an error
    of about 1e-7 of their traces, downwards.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance  # imports all of torchmetrics, for two seconds

    metric = FrechetInceptionDistance(feature=_Given(real.shape[1]))
    for points, is_real in ((real, True), (synthetic, False)):
        for chunk in torch.split(points, POINTS):
            metric.update(chunk.double(), real=is_real)
    return max(0.0, float(metric.compute()))


class _Given(nn.Module):
    """Features that are extracted already, in place of a network that would do it."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def precision_recall(real: Tensor, synthetic: Tensor, neighbours: int) -> tuple[float, float]:
    """Return the share of synthetic points (M, D) in the manifold of the real ones (N, D), and the other way round.

    The manifold of a set is the union of the balls around its points that reach their k-th nearest neighbour in the
    set, k = ``neighbours`` (Kynkäänniemi et al., 2019, equations 1 and 2). N, M > k.
    """
    real_radius, synthetic_radius = _radii(real, neighbours), _radii(synthetic, neighbours)
    precise = torch.zeros(len(synthetic), dtype=torch.bool, device=synthetic.device)
    recalled = []
    for points, radius in zip(torch.split(real, ROWS), torch.split(real_radius, ROWS), strict=True):
        distances = _distances(points, synthetic)
        precise |= (distances <= radius[:, None]).any(0)
        recalled.append((distances <= synthetic_radius).any(1))
    return precise.double().mean().item(), torch.cat(recalled).double().mean().item()


def _radii(points: Tensor, neighbours: int) -> Tensor:
    """Return the distance (N,) of each point to its k-th nearest neighbour; the nearest of all is the point itself."""
    parts = torch.split(points, ROWS)
    return torch.cat([_distances(part, points).topk(neighbours + 1, largest=False).values[:, -1] for part in parts])


def _distances(points: Tensor, others: Tensor) -> Tensor:
    # By way of products of matrices would be faster, but equal points then come out apart by their rounding.
    return torch.cdist(points, others, compute_mode="donot_use_mm_for_euclid_dist")
