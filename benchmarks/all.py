"""Runs the benchmarks of ourselves, one after the other, and writes their table into docs/performance.md.

    python benchmarks/all.py            # about 15 minutes on two quiet cores
    python benchmarks/all.py --quick    # smaller sizes, one repeat: whether the scripts work

The benchmarks of video and of vLLM in process need their extras and are run by themselves: see docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import many_samples
import startup
import whole_run
from measuring import Figure, folder, show, spin

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def measured(*, quick: bool) -> list[tuple[str, list[Figure]]]:
    """Return every block of figures, printed as it comes."""
    found = []

    def block(title: str, figures: list[Figure]) -> None:
        show(title, figures)
        found.append((title, figures))

    noise = [spin() for _ in range(10)]
    with folder() as place:
        rows, more, repeats = (500, 1000, 1) if quick else (2000, 10_000, 3)
        block("Start-up", startup.measure(place, repeats=1 if quick else 5))
        title = f"A whole run of {rows:,} picture questions, 64 in flight, 50 ms each"
        block(title, whole_run.measure(place, rows=rows, more=more, repeats=repeats))
        sizes = [500, 1000] if quick else [1000, 10_000, 100_000]
        block("Many samples (text, model `random`)", many_samples.measure(place, sizes=sizes))
        import scoring  # late: it loads the package, and the peaks of children begin with that of this process

        block("Scoring, CPU a reply", scoring.measure(replies=100 if quick else 1000))
    noise += [spin() for _ in range(10)]
    block("Noise of the machine", [Figure("the same piece of arithmetic, 20 times", "ms", noise)])
    return found


def page(blocks: Sequence[tuple[str, Sequence[Figure]]]) -> str:
    """Return the tables as Markdown."""
    lines = [
        (
            f"Measured {datetime.now(UTC):%Y-%m-%d} by `{' '.join(['python', 'benchmarks/all.py', *sys.argv[1:]])}` on "
            f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.machine()}. "
            "Median, and in brackets the range over repeats."
        ),
    ]
    for title, figures in blocks:
        lines += ["", f"**{title}**", "", "| | measured | wanted |", "| --- | --- | --- |"]
        lines += [f"| {figure.name} | {figure} {figure.unit} | {figure.wanted} |" for figure in figures]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller sizes; the page stays as it is")
    quick = parser.parse_args().quick
    blocks = measured(quick=quick)
    if quick:
        return
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{page(blocks)}\n{END}{after}")
    print(f"\nwritten to {PAGE}")


if __name__ == "__main__":
    main()
