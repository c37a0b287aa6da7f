"""One self-contained page of sweeps: tables, figures, configs, what was shared, and where it all comes from."""

from analysis.report.page import page

__all__ = ["page"]
