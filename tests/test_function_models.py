"""Functions as models: what tells one from another, and when nothing does."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest

import spatialeval as se
from spatialeval.api.asking import named_model
from spatialeval.errors import RunChangedError, UsageError

SCENES = "scenes:easy(rows=12)"


def answer(request, letter, times=1, *, client=None):
    return letter * times


class Says:
    def __init__(self, letter, client=None):
        self.letter, self.asked = letter, 0
        if client is not None:
            self.client = client

    def __call__(self, request):
        self.asked += 1
        return self.letter

    def say(self, request):
        return self.letter


def identity(model):
    return named_model(model)[1].identity()


def saying(function):
    return lambda request: function(request, "A")


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        (partial(answer, letter="A"), partial(answer, letter="A"), partial(answer, letter="B")),
        (partial(answer, letter="A"), partial(answer, letter="A"), partial(Says.say, letter="A")),
        (partial(partial(answer, letter="A"), times=2), partial(answer, times=2, letter="A"), partial(answer, times=2)),
        (Says("A"), Says("A"), Says("B")),
        (Says("A").say, Says("A").say, Says("B").say),
        (saying(answer), saying(answer), saying(partial(answer, times=2))),
    ],
)
def test_models_made_alike_are_the_same_and_others_are_not(one, same, other):
    assert identity(one) == identity(same) != identity(other)
    assert named_model(one)[1].unidentified() == ""


def test_what_an_object_counts_does_not_make_it_another_one(tmp_path):
    model = Says("A")
    se.run(SCENES, model, out=tmp_path, limit=5)
    assert model.asked == 5
    se.run(SCENES, model, out=tmp_path)
    assert model.asked == 12
    with pytest.raises(RunChangedError):
        se.run(SCENES, Says("B"), out=tmp_path)


def test_partials_share_a_cache_with_their_like_only(tmp_path):
    for out, letter, taken in (("one", "A", 0), ("two", "A", 12), ("three", "B", 0)):
        run = se.run(SCENES, partial(answer, letter=letter), out=tmp_path / out, cache=tmp_path / "cache")[0]
        assert run.summary.cached_answers == taken


@pytest.mark.parametrize(
    "model",
    [
        Says("A", client=[1]),
        partial(answer, letter="A", client=object()),
        partial(answer, [1]),
        saying({}.get),
        Says("A", client=[1]).say,
        {}.get,
    ],
)
def test_what_is_known_by_its_type_only_has_no_cache_but_runs_and_resumes(tmp_path, model):
    with pytest.raises(UsageError, match=r"cannot tell .* FunctionModel\(function, name="):
        se.run(SCENES, model, out=tmp_path / "out", cache=tmp_path / "cache")
    assert identity(model) == identity(model)


def test_the_identity_is_the_same_in_every_process():
    code = (
        "from spatialeval.api.asking import named_model\n"
        "def f(request, more=('a', 1)):\n    return 'A' if request in {'a', 'b', 'c', 'd'} else (lambda: 'B')()\n"
        "print(named_model(f)[1].identity())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
