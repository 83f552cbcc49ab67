"""The Python interface: what the commands do, as functions that return objects to look at and to count with.

    import spatialeval as se

    runs = se.run("scenes:easy(rows=40)", "embedded", strategy=["plain", "cot"])
    runs                                          # the tables, in a terminal as in a notebook
    se.compare(*runs)                             # paired: what differs, and what flipped
    se.load_results("results").samples            # a pandas row per asked item

Arguments are called as the options of the commands. Every function also works where an event loop is running already,
as in a notebook.
"""

from __future__ import annotations

from spatialeval.api.comparing import Ablated, Compared, Robust, ablate, compare, robust
from spatialeval.api.reporting import Power, Report, export, power, report
from spatialeval.api.running import Run, Runs, run
from spatialeval.api.scoring import Scored, score

__all__ = [
    "Ablated", "Compared", "Power", "Report", "Robust", "Run", "Runs", "Scored",
    "ablate", "compare", "export", "power", "report", "robust", "run", "score",
]  # fmt: skip
