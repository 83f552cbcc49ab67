"""Plots as files, SVG and PNG: titles, units, n and 95 % intervals in each. matplotlib loads only here."""

from __future__ import annotations

from spatialeval.report.plots.canvas import check_matplotlib
from spatialeval.report.plots.results import plot_ablations, plot_comparison, plot_results, plot_robustness

__all__ = ["check_matplotlib", "plot_ablations", "plot_comparison", "plot_results", "plot_robustness"]
