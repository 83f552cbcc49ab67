"""A small task of letters in files, for tests of whole runs."""

from __future__ import annotations

import json
from collections import Counter

from run_fakes import QUICK

from spatialeval.models.base import FunctionModel
from spatialeval.run.execute import RunSpec, execute

TASK = """
spec: 1
id: letters
about: {title: Letters, license: CC0, abilities: [relation]}
data: {source: local}
sample:
  id: "{{ row.id }}"
  answer: choice
  question: "Which is {{ row.target }}?"
  choices: "{{ row.choices }}"
  target: "{{ row.target }}"
  category: "{{ row.category }}"
protocols:
  official:
    source: made up for a test
    question: "{{ question }}"
    instruction: " Answer with a letter."
    generate: {max_tokens: 16}
"""
ROWS = 40


class Truthful:
    """A model function that answers right and counts what it was asked."""

    def __init__(self):
        self.asked = Counter()

    def __call__(self, request):
        self.asked[request.sample.id] += 1
        return request.sample.target


def letters_run(tmp_path):
    """A run of 40 rows; the model is given apart."""
    (tmp_path / "letters.yaml").write_text(TASK)
    rows = [
        {"id": f"r{i}", "target": "ABCD"[i % 4], "choices": ["w", "x", "y", "z"], "category": "ab"[i % 2]}
        for i in range(ROWS)
    ]
    write_rows(tmp_path / "rows.jsonl", rows)
    return RunSpec(
        task=str(tmp_path / "letters.yaml"),
        model="function:truthful",
        data=tmp_path / "rows.jsonl",
        out=tmp_path / "results",
        retry=QUICK,
        command=("spatialeval", "run", "letters", "--api-key", "topsecret1"),
    )


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def model_of(function):
    return FunctionModel(function, name="function:truthful", concurrency=4)


async def run(spec, function=None, **options):
    return await execute(spec, model=model_of(function or Truthful()), **options)
