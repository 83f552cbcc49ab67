"""How long commands take to begin: help, listing tasks, and the first request of a run of 2,000 picture questions.

python benchmarks/startup.py --repeats 5
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from measuring import Figure, folder, made, run, server, show, spatialeval

if TYPE_CHECKING:
    from pathlib import Path


def measure(place: Path, *, repeats: int = 5) -> list[Figure]:
    """Return seconds of the whole command, and until a run's first request."""
    table = [
        Figure("spatialeval --help", "s", [run(spatialeval("--help")).wall for _ in range(repeats)], "0.3 or less"),
        Figure("spatialeval tasks list", "s", [run(spatialeval("tasks", "list")).wall for _ in range(repeats)]),
    ]
    data, values = made(place, 2000), []
    with server("--latency", "0.05") as api:
        for repeat in range(repeats):
            told = ["-t", data / "task.yaml", "--data", data, "-m", "openai:mock", "--base-url", api.url, "-n", "64"]
            cost = run(spatialeval("run", *told, "-c", "64", "--out", place / f"startup-{repeat}"))
            values.append(api.stats()["first"] - cost.began)
    table.append(Figure("first request of a run over 2,000 pictures", "s", values, "1.5 or less"))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    with folder() as place:
        show("start-up", measure(place, repeats=parser.parse_args().repeats))


if __name__ == "__main__":
    main()
