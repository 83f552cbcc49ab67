"""Tables of results. Reads summaries only, never a model."""

from __future__ import annotations

from spatialeval.report.table import Run, make_console, print_overview, print_run, run_table

__all__ = ["Run", "make_console", "print_overview", "print_run", "run_table"]
