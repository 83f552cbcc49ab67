"""A whole run of picture questions beside the floor (floor.py), both against the same mock server, in turns.

    python benchmarks/whole_run.py --rows 2000 --more 10000 --repeats 3

Compared: the time of the whole command; the requests phase (first request to last reply) with N x latency /
concurrency; the time to the first request; CPU per item, as the slope between two sizes; peak memory at both sizes;
bytes left on disk per item; and the requests phase where latency is lognormal with 1 % of the replies after 5 s.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from measuring import HERE, Cost, Figure, Server, folder, left_on_disk, made, run, server, show, spatialeval

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Seen:
    """One run: what it cost, and what the server saw of it."""

    cost: Cost
    stats: dict[str, float]
    disk: int = 0

    @property
    def requests_phase(self) -> float:
        """Seconds from the first request to the last reply."""
        return self.stats["last"] - self.stats["first"]

    @property
    def first_request(self) -> float:
        """Seconds from the start of the command to its first request."""
        return self.stats["first"] - self.cost.began


def ours(data: Path, _place: Path, api: Server, concurrency: int) -> Seen:
    """Run `spatialeval run` in a new folder."""
    with folder() as out:
        told = ["-t", data / "task.yaml", "--data", data, "-m", "openai:mock", "--base-url", api.url]
        cost = run(spatialeval("run", *told, "-c", str(concurrency), "--out", out), check=True)
        return Seen(cost, api.stats(), left_on_disk(out))


def floor(data: Path, place: Path, api: Server, concurrency: int) -> Seen:
    """Run floor.py."""
    told = [data / "rows.parquet", place / "floor.jsonl", "--base-url", api.url, "--concurrency", str(concurrency)]
    return Seen(run([sys.executable, HERE / "floor.py", *told]), api.stats())


PROGRAMS = {"floor": floor, "ours": ours}


def warm(file: Path) -> None:
    """Bring a file into the page cache for whoever comes first; in pieces, as a child's peak begins with ours."""
    with file.open("rb") as stream:
        while stream.read(2**20):
            pass


def in_turns(place: Path, sizes: list[int], repeats: int, concurrency: int) -> dict[tuple[str, int], list[Seen]]:
    """Run both programs at each size, in alternating order."""
    found: dict[tuple[str, int], list[Seen]] = defaultdict(list)
    with server("--latency", "0.05") as api:
        for repeat in range(repeats):
            for size in sizes:
                data = made(place, size)
                warm(data / "rows.parquet")
                for name in sorted(PROGRAMS, reverse=repeat % 2 == 1):
                    found[name, size].append(PROGRAMS[name](data, place, api, concurrency))
    return found


def figures(found: dict[tuple[str, int], list[Seen]], sizes: list[int], concurrency: int) -> list[Figure]:
    """Return the table of both programs."""
    small, large = sizes[0], sizes[-1]
    ideal = small * 0.05 / concurrency
    pairs = list(zip(found["ours", small], found["floor", small], strict=True))
    table = [
        Figure(f"whole run of {small:,}, seconds", "s", [o.cost.wall for o, _ in pairs], "5 or less"),
        Figure("the floor's", "s", [f.cost.wall for _, f in pairs]),
        Figure("whole run / floor", "x", [o.cost.wall / f.cost.wall for o, f in pairs], "aim 1.5"),
        Figure(f"requests phase / ideal ({ideal:.2f} s)", "x", [o.requests_phase / ideal for o, _ in pairs], "1.5"),
        Figure("the floor's", "x", [f.requests_phase / ideal for _, f in pairs]),
        Figure("first request after", "s", [o.first_request for o, _ in pairs], "1.5 or less"),
        Figure("the floor's", "s", [f.first_request for _, f in pairs]),
    ]
    for name, wanted in (("ours", "1.5 or less, aim 1.0"), ("floor", "")):
        if large > small:
            few, many = found[name, small], found[name, large]
            slopes = [1000 * (b.cost.cpu - a.cost.cpu) / (large - small) for a, b in zip(few, many, strict=True)]
            whose = "CPU an item" if name == "ours" else "the floor's"
            table.append(Figure(whose, "ms", slopes, wanted))
    for size in sizes:
        table.append(Figure(f"peak memory at {size:,}", "MB", _rss(found["ours", size]), "250 or less", 0))
        table.append(Figure("the floor's", "MB", _rss(found["floor", size]), digits=0))
    per_item = [seen.disk / large for seen in found["ours", large]]
    table.append(Figure(f"left on disk an item, of {large:,}", "bytes", per_item, "2,048 or less", 0))
    return table


def _rss(seen: list[Seen]) -> list[float]:
    return [one.cost.rss for one in seen]


def with_tail(place: Path, repeats: int, concurrency: int) -> list[Figure]:
    """Return the requests phase of 1,000 items of lognormal latency around 50 ms, 1 % at 5 s."""
    data, phases = made(place, 1000), defaultdict(list)
    with server("--latency", "0.05", "--sigma", "0.5", "--tail", "5") as api:
        for repeat in range(repeats):
            for name in sorted(PROGRAMS, reverse=repeat % 2 == 1):
                phases[name].append(PROGRAMS[name](data, place, api, concurrency).requests_phase)
    return [
        Figure("requests phase of 1,000, lognormal, 1 % at 5 s", "s", phases["ours"], "6.5 or less"),
        Figure("the floor's", "s", phases["floor"]),
    ]


def measure(place: Path, *, rows: int = 2000, more: int = 10000, repeats: int = 3) -> list[Figure]:
    """Return all figures of this script."""
    concurrency = 64
    sizes = sorted({rows, more} - {0})
    found = in_turns(place, sizes, repeats, concurrency)
    return [*figures(found, sizes, concurrency), *with_tail(place, repeats, concurrency)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--more", type=int, default=10000, help="the larger size; 0 for none")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    with folder() as place:
        show("a whole run, 64 in flight, 50 ms", measure(place, **vars(given)))


if __name__ == "__main__":
    main()
