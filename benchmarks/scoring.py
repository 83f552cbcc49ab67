"""How long it takes to read and score one reply, by answer type, and to score a file of saved replies.

    python benchmarks/scoring.py --replies 2000

Every reply is a sentence with the answer in it, and a long one with thoughts before the answer. CPU time of one
process; the spread is over repeats.
"""

from __future__ import annotations

import argparse
import time

from measuring import Figure, show

from spatialeval.grading import Grader
from spatialeval.readers import READERS
from spatialeval.samples import Sample
from spatialeval.scorers import SCORERS

CASES = {
    "choice": (Sample("s", "choice", "Where?", "B", choices=("left", "right", "above", "below")), "accuracy", "B"),
    "yesno": (Sample("s", "yesno", "Is it?", "yes"), "accuracy", "yes"),
    "number": (Sample("s", "number", "How many?", 4.0), "mra", "4"),
    "label": (Sample("s", "label", "Where?", "left", labels=("left", "right")), "accuracy", "left"),
    "order": (Sample("s", "order", "Order?", ("A", "C", "B"), choices=("x", "y", "z")), "exact", "A, C, B"),
}
THOUGHTS = "The table stands to the right of the lamp, and the sofa is behind both of them. " * 40


def measure(*, replies: int = 2000, repeats: int = 5) -> list[Figure]:
    """Return microseconds a reply, by answer type and length."""
    table = []
    for kind, (sample, scorer, answer) in CASES.items():
        grader = Grader({kind: READERS.get(f"strict_{kind}")()}, {kind: SCORERS.get(scorer)()}, "wrong", "truncated")
        for name, text in (("short", f"The answer is {answer}."), ("3 KB", f"{THOUGHTS}\nThe answer is {answer}.")):
            values = []
            for _ in range(repeats):
                begun = time.process_time()
                for _ in range(replies):
                    grader.grade(sample, text)
                values.append(1e6 * (time.process_time() - begun) / replies)
            table.append(Figure(f"{kind}, {name} reply", "µs", values, digits=0))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replies", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    show("scoring, CPU a reply", measure(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
