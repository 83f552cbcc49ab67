"""A run of 2,000 questions in two steps each, as a process that tests can kill.

Usage: run_crash_worker.py FOLDER LOG LATENCY. Every request is written to LOG before it is answered.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from pathlib import Path

from run_fakes import LETTERS, TwoSteps, letter

from spatialeval.models.base import FunctionModel
from spatialeval.run.execute import RunSpec, execute
from spatialeval.strategies import STRATEGIES

ROWS = 2000
CONCURRENCY = 16
TASK = """
spec: 1
id: letters
about: {title: Letters, license: CC0, abilities: [relation]}
data: {source: local}
sample:
  id: "{{ row.id }}"
  answer: choice
  question: "Question {{ row.id }}?"
  choices: [w, x, y, z]
  target: "{{ row.target }}"
  category: "{{ row.category }}"
  group: "{{ row.group }}"
protocols:
  official: {source: made up for a test, question: "{{ question }}", generate: {max_tokens: 16}}
aggregate:
  - {name: overall, micro: true, headline: true}
"""


def prepare(folder: Path) -> None:
    """Write the task and its rows."""
    (folder / "letters.yaml").write_text(TASK)
    rows = [
        {"id": f"r{i}", "target": LETTERS[i % 4], "category": f"c{i % 3}", "group": f"g{i % 500}"} for i in range(ROWS)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def reply_to(request) -> str:
    """The reply to a request: a letter, or now and then something that cannot be read."""
    text = request.messages[-1].text
    return letter(text) if letter(f"{text}!") != "A" else "hmm"


async def main(folder: Path, log: Path, latency: float) -> None:
    """Run, from the start or from where the last process was killed."""
    STRATEGIES.register("two_steps")(TwoSteps)
    requests = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def answer(request):
        step = int("You said" in request.messages[-1].text)
        os.write(requests, f"{request.sample.id} {step}\n".encode())
        await asyncio.sleep(random.random() * latency)
        return reply_to(request)

    spec = RunSpec(
        task=str(folder / "letters.yaml"),
        model="function:letters",
        strategy="two_steps",
        data=folder / "rows.jsonl",
        out=folder / "results",
    )
    await execute(spec, model=FunctionModel(answer, "function:letters", CONCURRENCY))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
