"""What grows with the number of samples: memory, time a sample, disk, and the time to take a run up again.

    python benchmarks/many_samples.py --sizes 1000 10000 100000

Text questions are answered by the model `random`, which takes no time, so that all that is measured is ours. Compared:
each size with the next; and a finished journal read again (`resume`): opened, checked, every record heard.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from measuring import Cost, Figure, folder, left_on_disk, made, run, show, spatialeval

if TYPE_CHECKING:
    from pathlib import Path

RESUME = """
import asyncio, sys, time
from pathlib import Path
begun = time.perf_counter()
from spatialeval.run.journal import Journal
with Journal.open(Path(sys.argv[1])) as journal:
    kept = journal.kept()
    heard = sum(record.state != "failed" for record in journal.records(list(kept), calls=False))
print(heard, time.perf_counter() - begun)
"""


def whole(data: Path, out: Path) -> Cost:
    """Run the model `random` over a folder of made rows."""
    return run(spatialeval("run", "-t", data / "task.yaml", "--data", data, "-m", "random", "--out", out))


def resume_seconds(out: Path, samples: int) -> float:
    """Return the seconds to open a finished journal, check it and hear every record."""
    (journal,) = out.rglob("journal.sqlite")
    heard, seconds = run([sys.executable, "-c", RESUME, journal]).out.split()
    if int(heard) != samples:
        raise RuntimeError(f"{heard} records of {samples}")
    return float(seconds)


def measure(place: Path, *, sizes: list[int]) -> list[Figure]:
    """Return all figures of this script."""
    costs: dict[int, Cost] = {}
    disk: dict[int, float] = {}
    resumed: dict[int, list[float]] = {}
    again: dict[int, Cost] = {}
    for size in sizes:
        data = made(place, size, text=True)
        out = place / f"out-{size}"
        costs[size] = whole(data, out)
        disk[size] = left_on_disk(out) / size
        resumed[size] = [resume_seconds(out, size) for _ in range(3)]
        again[size] = whole(data, out)
    table = []
    for size in sizes:
        table += [
            Figure(f"{size:,} samples: CPU a sample", "ms", [1000 * costs[size].cpu / size], digits=3),
            Figure(f"{size:,} samples: time a sample", "ms", [1000 * costs[size].wall / size], digits=3),
            Figure(f"{size:,} samples: peak memory", "MB", [costs[size].rss], digits=0),
            Figure(f"{size:,} samples: left on disk a sample", "bytes", [disk[size]], "2,048 or less", 0),
            Figure(f"{size:,} samples: journal read again", "s", resumed[size], "5 or less"),
            Figure(f"{size:,} samples: finished run started again", "s", [again[size].wall]),
        ]
    if len(sizes) > 1:
        small, large = sizes[0], sizes[-1]
        grown = 1e6 * (costs[large].rss - costs[small].rss) / (large - small)
        table.append(Figure(f"memory a sample, {small:,} to {large:,}", "bytes", [grown], "1,024 or less", 0))
        small, large = sizes[-2:]
        ratio = (costs[large].wall / large) / (costs[small].wall / small)
        table.append(Figure(f"time a sample, {large:,} / {small:,}", "x", [ratio], "1.2 or less"))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    with folder() as place:
        begun = time.monotonic()
        show("many samples", measure(place, sizes=parser.parse_args().sizes))
        print(f"  in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
