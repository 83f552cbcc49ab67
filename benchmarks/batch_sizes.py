"""Does the batch size change what a transformers model answers? The same questions in batches of several sizes.

    python benchmarks/batch_sizes.py                                  # the model in the package, 1 against 8
    python benchmarks/batch_sizes.py -m hf:FOLDER --dtype bfloat16 --sizes 1,8,32

Greedy. Printed per size: how many replies and scores equal those of the first size, and questions per second. Padding
and other shapes of a matrix product change the last bits of a sum; where two tokens are that close, replies differ.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from spatialeval.models import ModelOptions
from spatialeval.run.execute import RunSpec, execute
from spatialeval.run.results import read_samples


def answers(given: argparse.Namespace, size: int, folder: Path) -> tuple[dict[str, tuple[str, float]], float]:
    """Return reply and score by sample, and the seconds that it took with loading."""
    extra = {"dtype": given.dtype} | ({"device": given.device} if given.device else {})
    spec = RunSpec(task=given.task, model=given.model, out=folder, options=ModelOptions(batch_size=size, extra=extra))
    began = time.perf_counter()
    outcome = asyncio.run(execute(spec))
    rows = read_samples(outcome.folder).to_pylist()
    return {row["sample_id"]: (row["reply"], row["score"]) for row in rows}, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-m", "--model", default="embedded")
    parser.add_argument("-t", "--task", default="scenes:hard(rows=200,seed=5)")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--device")
    parser.add_argument("--sizes", default="1,8")
    given = parser.parse_args()
    first = None
    for size in map(int, given.sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            found, seconds = answers(given, size, Path(folder))
        first = first or found
        replies = sum(found[key][0] == first[key][0] for key in first)
        scores = sum(found[key][1] == first[key][1] for key in first)
        print(
            f"{given.dtype}, batches of {size}: {len(found) / seconds:.1f} questions/s with loading; as the first: ",
            end="",
        )
        print(f"{100 * replies / len(first):.1f} % of replies, {100 * scores / len(first):.1f} % of scores", flush=True)


if __name__ == "__main__":
    main()
