"""Speed of the paper-size networks on this machine: the project's own stages on generated images.

    python benchmarks/throughput.py --preset cifar100 --steps 30 --images 500

Prints a Markdown table: training iterations per second of the base and of an adapter, images per second of the sampler.
"""

from __future__ import annotations

import json
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click
import torch

from trainables.common.data.images import write_images
from trainables.common.flow.sampling import sample_class
from trainables.common.flow.training import train_flow
from trainables.funlora.config import PRESETS, Config
from trainables.funlora.stages import train_adapter


@dataclass
class TimedRun:
    """A stage's run that keeps the time of every logged step."""

    output: Path
    device: str
    saved: None = None
    times: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.output.mkdir()

    def due(self) -> bool:
        return False

    def save(self, write: Callable[[Path], None]) -> None: ...

    def log(self, step: int, total: int, **metrics: float) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()
        self.times.append(time.perf_counter())
        self.steps.append(step)

    def rate(self, warm_up: int) -> float:
        """Steps per second after the first ``warm_up`` logged points."""
        return (self.steps[-1] - self.steps[warm_up]) / (self.times[-1] - self.times[warm_up])


def measure(config: Config, work: Path, device: str, steps: int, warm_up: int, images: int) -> dict[str, float]:
    """Rates by name."""
    net, solver, seed = config.backbone, config.solver, config.seed
    data = work / "data"
    data.mkdir()
    labels = torch.arange(config.tasks.first + 1).repeat_interleave(64)
    shape = (len(labels), net.image_channels, net.image_side, net.image_side)
    write_images(data / "train.arrow", torch.randint(0, 256, shape, dtype=torch.uint8), labels)
    shortened = {"iterations": steps, "batch": 128}
    base_run = TimedRun(work / "base", device)
    classes = tuple(range(config.tasks.first))
    train_flow.body(base_run, (data,), net, classes, config.base.model_copy(update=shortened), seed)
    adapter_run = TimedRun(work / "adapter", device)
    adapter = config.adapter.model_copy(update=shortened)
    train_adapter.body(adapter_run, data, base_run.output, adapter, config.tasks.first, seed)
    bank_run = TimedRun(work / "bank", device)
    batch = min(images, config.samples.batch)
    generator = (base_run.output, adapter_run.output)
    sample_class.body(bank_run, generator, solver, config.tasks.first, 2 * images, batch, 0, seed)
    evaluations = json.loads((bank_run.output / "samples.json").read_text())["evaluations"]
    return {
        "base, iterations/s at batch 128": base_run.rate(warm_up),
        "adapter, iterations/s at batch 128": adapter_run.rate(warm_up),
        f"sampling, images/s at {evaluations:.0f} evaluations ({solver.method})": bank_run.rate(0),
    }


@click.command()
@click.option("--preset", type=click.Choice(list(PRESETS)), default="cifar100", show_default=True)
@click.option("--steps", type=click.IntRange(2), default=30, show_default=True, help="Training steps.")
@click.option("--warm-up", type=click.IntRange(0), default=5, show_default=True, help="Steps that are not timed.")
@click.option("--images", type=click.IntRange(1), default=500, show_default=True, help="Images sampled and timed.")
@click.option("--solver", type=click.Choice(["preset", "euler", "midpoint", "rk4"]), default="preset")
@click.option("--grid-points", type=click.IntRange(2), default=6, show_default=True, help="Of a fixed-step solver.")
@click.option("--tf32", is_flag=True, help="Let matrix products and convolutions use TF32.")
def main(preset: str, steps: int, warm_up: int, images: int, solver: str, grid_points: int, tf32: bool) -> None:
    """Time the stages of a preset on generated images."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    config = PRESETS[preset]
    if solver != "preset":
        chosen = config.solver.model_copy(update={"method": solver, "grid_points": grid_points})
        config = config.model_copy(update={"solver": chosen})
    with tempfile.TemporaryDirectory() as directory:
        rates = measure(config, Path(directory), device, steps, warm_up, images)
    threads = f"{platform.machine()}, {torch.get_num_threads()} threads"
    name = torch.cuda.get_device_name() if device == "cuda" else threads
    click.echo(f"| {preset} on {name}, torch {torch.__version__} | |\n| --- | ---: |")
    for what, rate in rates.items():
        click.echo(f"| {what} | {rate:.3g} |")


if __name__ == "__main__":
    main()
