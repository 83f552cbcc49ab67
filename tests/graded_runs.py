"""A small task on disk and records of answers to it, for tests of results and tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from spatialeval.messages import Response, Usage
from spatialeval.run.manifest import Manifest, Session
from spatialeval.run.records import Call, Item, Record
from spatialeval.scores import Failure
from spatialeval.tasks import load_task

if TYPE_CHECKING:
    from pathlib import Path

YAML = """\
spec: 1
id: sides
about: {title: "Sides, a test", license: none, abilities: [relation]}
data: {source: local, expect: {categories: {near: 8, far: 4, size: 4}}}
sample:
  id: "{{ row.id }}"
  group: "{{ row.scene }}"
  category: "{{ row.kind }}"
  answer: "{{ 'number' if row.kind == 'size' else 'choice' }}"
  question: "{{ row.question }}"
  choices: "{{ [] if row.kind == 'size' else ['left', 'right'] }}"
  target: "{{ row.gold }}"
protocols:
  official: {source: here, generate: {max_tokens: 16}}
  lenient: {source: here, unparsed: excluded, verified: false, note: the wording is guessed}
score: {number: exact_number}
aggregate:
  - {name: sides, mean_of: [near, far]}
  - {name: overall, mean_of: [sides, size], headline: true}
"""

GOLD = {"near": "ABABABAB", "far": "AAAB", "size": "3125"}


def make_task(folder: Path, yaml: str = YAML):
    """Write the task file and its rows; return the task and its data file."""
    rows = [
        {"id": f"{kind}-{i}", "kind": kind, "scene": f"{kind}{i // 2}", "question": f"{kind} {i}?"}
        | {"gold": int(gold) if gold.isdigit() else gold}
        for kind, golds in GOLD.items()
        for i, gold in enumerate(golds)
    ]
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "sides.yaml").write_text(yaml)
    return load_task(str(folder / "sides.yaml")), data


def make_items(task, data):
    """Return everything a run of the task asks."""
    return [Item(sample) for sample in task.samples(data)]


def make_records(items, protocol, replies=None, *, cap=16):
    """Answer every item with its gold answer, unless `replies` gives its id a reply, a Failure, or None (not asked).

    A reply that ends with "..." was cut by the token cap.
    """
    records = []
    for place, item in enumerate(items):
        sample = item.sample
        gold = str(int(sample.target)) if sample.answer == "number" else sample.target
        reply = (replies or {}).get(sample.id, gold)
        if isinstance(reply, Failure):
            records.append(Record.of(item, reply, []))
        elif reply is not None:
            finish = "length" if reply.endswith("...") else "stop"
            response = Response(reply, finish, Usage(100, 5), thoughts="hm" if place == 0 else None)
            request = {"messages": [{"role": "user", "parts": []}], "settings": {"max_tokens": cap}}
            calls = [Call(request, response.record(), 0.25, 2 if place == 1 else 1)]
            records.append(Record.of(item, protocol.grader.grade(sample, reply, finish), calls, reply))
    return records


def make_manifest(strategy=None, views=()):
    """Return the manifest of a run, as it is on disk."""
    identity = {
        "strategy": strategy or {"name": "plain"},
        "views": [{"name": view} for view in views],
        "model": {"spec": "openai:gpt-4o-mini"},
        "data": "0123abcd",
    }
    session = Session(["spatialeval", "run"], {"python": "3.11.7", "spatialeval": "0.1.0"}, None, "2026-01-01T00:00:00")
    return Manifest(identity, (session,)).as_json()
