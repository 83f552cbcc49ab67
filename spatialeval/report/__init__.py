"""Tables of results. Reads summaries only, never a model."""

from __future__ import annotations

from spatialeval.report.table import make_console, print_overview, print_summary

__all__ = ["make_console", "print_overview", "print_summary"]
