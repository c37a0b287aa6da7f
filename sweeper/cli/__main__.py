"""``python -m sweeper.cli``."""

import sys
from pathlib import Path

from sweeper.trainable.search_path import BESIDE

if not sys.flags.safe_path and str(Path.cwd()) != BESIDE:
    sys.path.pop(0)  # the working directory, which `main` appends

from sweeper.cli.main import main

main()
