"""``python -m sweeper``."""

import sys
from pathlib import Path

from sweeper.search_path import BESIDE

if not sys.flags.safe_path and str(Path.cwd()) != BESIDE:
    sys.path.pop(0)  # the working directory, which `main` appends

from sweeper.cli import main

main()
