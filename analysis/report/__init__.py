"""A report of sweeps as one self-contained page: tables, figures, configs, sharing and provenance."""

from analysis.report.page import page

__all__ = ["page"]
