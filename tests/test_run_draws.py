"""Pass@1 and Pass@k of runs that draw several replies to each question."""

from __future__ import annotations

import itertools
import threading
from collections import Counter

import pytest
from command import spatialeval

import spatialeval as se
from spatialeval.report.notes import notes
from spatialeval.run.results import read_summary
from spatialeval.stats.estimate import estimate
from spatialeval.tasks import load_task

SCENES = "scenes:easy(rows=15)"


class Planned:
    """Answers the first replies to a question rightly: none, one, two, ... of those to the next ones."""

    def __init__(self, asked, right):
        self.asked, self.right, self.seen, self.lock = asked, right, Counter(), threading.Lock()

    def __call__(self, request):
        text = request.messages[-1].text
        question, gold = next((name, gold) for name, gold in self.asked.items() if name in text)
        with self.lock:
            self.seen[text] += 1
            return gold if self.seen[text] <= self.right[question] else "I cannot tell."


def planned(samples):
    protocol = load_task(SCENES).protocol()
    asked = {sample.question: protocol.gold_text(sample) for sample in samples}
    assert len(asked) == len(samples)
    return Planned(asked, dict(zip(asked, itertools.cycle(range(5)))))


@pytest.fixture(scope="module")
def samples():
    return load_task(SCENES).samples()


def test_each_draw_counts_by_itself_and_the_summary_and_its_notes_tell(samples, tmp_path):
    model = planned(samples)
    se.run(SCENES, model, strategy="self-consistency(k=4, of=plain, temperature=1)", out=tmp_path)
    (file,) = tmp_path.rglob("summary.json")
    summary = read_summary(file.parent)
    rights = [model.right[sample.question] for sample in samples]
    groups = [("group", sample.group) for sample in samples]
    assert summary.drawn.k == 4
    assert summary.drawn.pass_1 == estimate([right / 4 for right in rights], groups)
    assert summary.drawn.pass_k == estimate([float(right > 0) for right in rights], groups)
    told = " ".join(note.text for note in notes(summary))
    assert "Of 4 replies to each question, without a vote: Pass@1 50.0" in told
    assert "Pass@4 80.0" in told


@pytest.mark.parametrize("strategy", ["plain", "self-consistency(k=2, of=cot-2turn, temperature=1)"])
def test_runs_whose_draws_are_not_single_replies_have_none(strategy, tmp_path):
    ran = spatialeval("run", "-t", "scenes:easy(rows=4)", "-m", "random", "-s", strategy, "--out", tmp_path)
    assert ran.code == 0, ran
    (file,) = tmp_path.rglob("summary.json")
    assert read_summary(file.parent).drawn is None
    assert "Pass@" not in ran.text
