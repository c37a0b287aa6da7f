import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.project import Project

SPACE = """\
name: paper_size
trainable: funlora
preset: cifar100
fixed:
  data.source: {source}
  data.classes: 2
  tasks.first: 1
  tasks.later: 1
  base.iterations: 1
  base.batch: 2
  base.ema_from: 0
  adapter.iterations: 1
  adapter.batch: 2
  adapter.ema_from: 0
  solver.method: rk4
  solver.grid_points: 2
  samples.chunk: 2
  samples.batch: 1
  quality.neighbours: 1
  classifier.epochs: 1
  classifier.batch: 4
  quality.features: resnet18
  quality.grid: true
table: {{rows: seed, columns: [ppc, la, fd]}}
"""


def png(pixels: np.ndarray) -> dict[str, object]:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "png")
    return {"bytes": out.getvalue(), "path": None}


@pytest.mark.slow
def test_every_stage_of_the_papers_cifar_network_runs_at_full_width(project: Project) -> None:
    random = np.random.default_rng(0)
    directory = project.path / "images"
    directory.mkdir()
    for split, labels in (("train", [0, 1] * 3), ("test", [0, 1])):
        images = [png(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)) for _ in labels]
        pq.write_table(pa.table({"img": images, "fine_label": labels}), directory / f"{split}-00000-of-00001.parquet")
    project.write(SPACE.format(source=directory))
    done = project.sweeper("run", "space.yaml", "--executor", "inline", "--no-tracking")
    assert done.returncode == 0, done.stderr
    [row] = json.loads(project.sweeper("table", "paper_size", "--format", "json").stdout)["rows"]
    assert row["ppc"] == 10028
    assert row["fd"] >= 0
