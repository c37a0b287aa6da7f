"""Sample a class from a generator, and measure how well it fits the class's held-out images. Serves every generator."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

import torch

from sweeper import StageRun, stage
from trainables.common.data.images import read_images, to_bytes, to_unit, write_images
from trainables.common.flow.generator import load_generator
from trainables.common.flow.path import flow_matching_loss
from trainables.common.flow.settings import Solver
from trainables.common.flow.solver import expected_evaluations, integrate
from trainables.common.seeds import stream_seed

LOSS_DRAWS = 16
"""Times and noises at which the loss of a held-out image is taken."""
LOSS_BATCH = 500
HELD_OUT = 100
"""Held-out images of a class, about: 45 of the digits, 100 of CIFAR-100, 1,000 of CIFAR-10."""


@stage(
    name="common.sample_class",
    version=3,
    gpus=0.25,
    part="sampling",
    work=lambda images, solver, **_: float(images * expected_evaluations(solver)),
)
def sample_class(
    run: StageRun,
    generator: tuple[Path, ...],
    solver: Solver,
    label: int,
    images: int,
    batch: int,
    chunk: int,
    seed: int,
) -> None:
    """Make one chunk of synthetic images of a class.

    Noise and order depend on the class, the chunk and the seed alone.

    Args:
        generator: its parts, see `trainables.common.flow.generator.load_generator`.
        images: in this chunk.
        batch: integrated at a time.

    Writes ``train.arrow``, and ``samples.json`` with the evaluations of the vector field per image.
    """
    loaded = load_generator(generator, run.device)
    field, side = loaded.velocity(label), loaded.net.config.image_side
    torch.manual_seed(stream_seed(seed, "samples", label, chunk))
    noise = torch.randn(images, loaded.net.config.image_channels, side, side)
    samples, evaluations = [], 0
    for part in torch.split(noise, batch):
        made, evaluated = integrate(field, part.to(run.device), solver)
        samples.append(to_bytes(made).cpu())
        evaluations += evaluated * len(part)
        run.log(sum(map(len, samples)), images)
    write_images(run.output / "train.arrow", torch.cat(samples), torch.full((images,), label))
    (run.output / "samples.json").write_text(json.dumps({"evaluations": evaluations / images}))


@stage(
    name="common.held_out_loss",
    version=1,
    gpus=0.25,
    part="measures",
    work=lambda **_: float(LOSS_DRAWS * HELD_OUT),
)
def held_out_loss(run: StageRun, images: Path, generator: tuple[Path, ...], label: int) -> None:
    """Measure the flow-matching loss of a class on its held-out images, at times and noises that all runs share.

    Args:
        images: directory with ``held_out.arrow``.
        generator: as for `sample_class`.

    Writes ``loss.json``.
    """
    pixels, labels = read_images(images / "held_out.arrow")
    unit = to_unit(pixels[labels == label])
    field = load_generator(generator, run.device).velocity(label)
    torch.manual_seed(stream_seed(0, "held-out loss", label))
    drawn = unit.repeat(LOSS_DRAWS, 1, 1, 1)
    total = 0.0
    with torch.no_grad():
        for part in torch.split(drawn, LOSS_BATCH):
            y = torch.zeros(len(part), dtype=torch.long, device=run.device)
            total += float(flow_matching_loss(lambda x, t, _: field(x, t), part.to(run.device), y)) * len(part)
    (run.output / "loss.json").write_text(json.dumps(total / len(drawn)))


def _measured(banks: Sequence[object], losses: Sequence[object], **_: object) -> Iterator[str]:
    yield from (name for name, given in (("nfe", banks), ("fm_loss", losses)) if given)


@stage(name="common.flow_means", version=1, part="measures", reports=lambda **given: list(_measured(**given)))
def flow_means(run: StageRun, banks: tuple[Path, ...], losses: tuple[Path, ...]) -> None:
    """Average what sampling and held-out images have shown.

    Args:
        banks: artifacts of `sample_class`.
        losses: artifacts of `held_out_loss`.

    Writes ``metrics.json``: ``nfe``, evaluations per image, the mean over ``banks``, and ``fm_loss``, the mean over
    ``losses``; each where there are any.
    """
    evaluations = [json.loads((each / "samples.json").read_text())["evaluations"] for each in banks]
    found = {"nfe": evaluations, "fm_loss": [json.loads((each / "loss.json").read_text()) for each in losses]}
    means = {name: fmean(values) for name, values in found.items() if values}
    (run.output / "metrics.json").write_text(json.dumps(means))
