"""Random and mutated replies to samples of every registered scorer, rewarded as TRL does and graded as an evaluation.

    python tests/rewarded_replies.py --replies 10000

Samples and graders are those of the tasks' own examples, in every protocol; a few are made here.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import time
from collections import defaultdict
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import PIL.Image

from spatialeval.errors import SpatialEvalError
from spatialeval.grading import Grader
from spatialeval.media import Media
from spatialeval.readers import READERS
from spatialeval.rewards.terms import Term, bind
from spatialeval.samples import Sample
from spatialeval.scorers import SCORERS
from spatialeval.tasks import load_task, task_names
from spatialeval.tasks.offline import example_samples
from spatialeval.training.completions import Completions
from spatialeval.training.rewarding import RewardFunctions
from spatialeval.written import written

END = 2
PIECES = (
    "A", "B", "C", "(D)", "yes", "no", "7", "3.5", "-2", "1e9", "0", "left", "right", "above", "<|up|>", "<|down|>",
    "[(0.5, 0.5)]", "[[0.1, 0.1, 0.4, 0.5]]", "[10, 20]", '{"a": 1}', "[]", "{", "```json", "```", "\\boxed{", "}",
    "<think>", "</think>", "<answer>", "</answer>", "Answer:", "The answer is", "not", ",", "\n", " ", "é", "\ud800",
    "NaN", "inf", "%", "m", "--", "->",
)  # fmt: skip


def _made():
    mask = io.BytesIO()
    picture = PIL.Image.new("L", (10, 10))
    picture.paste(255, (2, 2, 7, 7))
    picture.save(mask, "PNG")
    letters = ("north", "south", "east", "west")
    yield Sample("set", "set", "q", ("A", "C"), choices=letters), "set_f1"
    yield Sample("set", "set", "q", ("A", "C"), choices=letters), "set_iou"
    yield Sample("order", "order", "q", ("B", "A", "C"), choices=letters), "position_accuracy"
    yield Sample("text", "text", "q", "the left chair"), "rouge_l"
    yield Sample("points", "points", "q", ((0.5, 0.5),), meta={"box": [0.25, 0.25, 0.75, 0.75]}), "in_box"
    yield Sample("json", "json", "q", {"left": "chair", "count": 2}), "json_fields"
    yield Sample("number", "number", "q", 4.0), "graded"
    yield Sample("mask", "points", "q", ((0.5, 0.5),), mask=Media("image", "mask.png", mask.getvalue())), "in_mask"


@cache
def cases():
    """Return scorer -> its (sample, grader, replies to start from)."""
    found = defaultdict(list)
    for sample, name in _made():
        reader = READERS.get(f"strict_{sample.answer}")()
        options = {"steps": {0: 1.0, 1: 0.5}} if name == "graded" else {}
        grader = Grader({sample.answer: reader}, {sample.answer: SCORERS.get(name)(**options)})
        found[type(grader.scorers[sample.answer])].append((sample, grader, (written(sample.target, sample.answer),)))
    for name in task_names():
        task = load_task(name)
        replies = [each.reply for example in task.spec.examples for each in example.replies]
        for sample in example_samples(task):
            for protocol in map(task.protocol, task.protocols):
                scorer = protocol.grader.scorers.get(sample.answer)
                if scorer is not None and _usable(protocol, sample):
                    found[type(scorer)].append((sample, protocol.grader, (protocol.gold_text(sample), *replies)))
    return {name: found[SCORERS.get(name)] for name in SCORERS.names()}


def _usable(protocol, sample):
    try:  # a mask that only the benchmark has
        protocol.grader.grade(sample, protocol.gold_text(sample))
    except SpatialEvalError:
        return False
    return True


def mutated(text, rng):
    """Return a reply with a few random changes."""
    for _ in range(rng.choice((0, 0, 1, 1, 2, 5))):
        start, end = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        change = rng.randrange(6)
        if change == 0:
            text = text[:start] + text[end:]
        elif change == 1:
            text = text[:end] + text[start:]
        elif change == 2:
            text = text[:start] + rng.choice(PIECES) + text[start:]
        elif change == 3:
            text = f"<think>{rng.choice(PIECES)}</think><answer>{text}</answer>"
        elif change == 4:
            text = text.swapcase()
        else:
            text = " ".join(rng.choice(PIECES) for _ in range(rng.randrange(12)))
    return text[:4000]


def compare(name, replies, batch=100):
    """Return the values of the reward `score` and of the grader for as many replies, and how many were not equal."""
    rng = random.Random(name)
    rows = {str(place): SimpleNamespace(sample=case[0], grader=case[1]) for place, case in enumerate(cases()[name])}
    rewards, scores = [], []
    for _ in range(0, replies, batch):
        keys = [str(rng.randrange(len(rows))) for _ in range(batch)]
        texts = [mutated(rng.choice(cases()[name][int(key)][2]), rng) for key in keys]
        ids = [[1, 1, END if rng.random() > 0.2 else 1] for _ in keys]
        given = [text if rng.random() < 0.5 else [{"role": "assistant", "content": text}] for text in texts]
        made = RewardFunctions(rows, bind([Term(use="score")]), frozenset({END}), Completions(Path("unused")))
        (function,) = made.functions()
        trainer = SimpleNamespace(global_step=1)
        rewards += function(prompts=keys, completions=given, completion_ids=ids, row=keys, trainer_state=trainer)
        for key, text, tokens in zip(keys, texts, ids, strict=True):
            score = rows[key].grader.grade(rows[key].sample, text, "stop" if tokens[-1] == END else "length")
            scores.append(score.value if score.state == "scored" else 0.0)
    return rewards, scores


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replies", type=int, default=10_000)
    parser.add_argument("--scorer", action="append", help="Only these.")
    asked = parser.parse_args()
    unequal = 0
    for name in asked.scorer or cases():
        begun = time.monotonic()
        rewards, scores = compare(name, asked.replies)
        wrong = sum(one != other for one, other in zip(rewards, scores, strict=True))
        unequal += wrong
        paid = sum(score > 0 for score in scores)
        seconds = time.monotonic() - begun
        print(f"{name}: {len(scores):,} replies, {paid:,} above 0, {wrong} unequal, {seconds:.0f} s", flush=True)  # noqa: T201 - a script
    sys.exit(bool(unequal))


if __name__ == "__main__":
    main()
