"""Baselines answer from samples: evenly, by frequency, always the same, or rightly."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

import pytest

from spatialeval.errors import UsageError
from spatialeval.messages import Message, Request, Settings, Text
from spatialeval.models import ModelOptions, open_model
from spatialeval.models.baselines import moves_of
from spatialeval.readers import READERS
from spatialeval.samples import Sample
from spatialeval.written import written

CHOICE = Sample("c", "choice", "Which?", "B", choices=("left", "right", "up"))
YESNO = Sample("y", "yesno", "Is it?", "no")
LABEL = Sample("l", "label", "Where?", "upper-left", labels=("left", "upper-left", "overlap"))
NUMBER = Sample("n", "number", "How far?", 2.5)
PATH = Sample("p", "path", "Solve.", "<|up|><|left|>")


def many(sample, targets):
    return [replace(sample, id=f"{sample.id}{n}", target=target) for n, target in enumerate(targets)]


async def replies(spec, samples, **extra):
    model = open_model(spec, ModelOptions(extra=extra))
    model.prepare(samples)
    message = Message("user", (Text("?"),))
    return [(await model.ask(Request((message,), Settings(), sample))).text for sample in samples]


@pytest.mark.parametrize(
    ("sample", "answers"),
    [(CHOICE, {"A", "B", "C"}), (YESNO, {"yes", "no"}), (LABEL, {"left", "upper-left", "overlap"})],
)
async def test_random_draws_evenly_from_a_closed_list(sample, answers):
    samples = many(sample, [sample.target] * 600)
    counts = Counter(await replies("random", samples))
    assert counts.keys() == answers
    assert min(counts.values()) > 0.75 * 600 / len(answers)


async def test_random_numbers_come_from_the_gold_values_of_their_category():
    near = many(replace(NUMBER, category="near"), [1.0, 2.0] * 20)
    far = [replace(s, id=f"f{s.id}", category="far") for s in many(NUMBER, [100.0, 200.5] * 20)]
    drawn = await replies("random", near + far)
    assert set(drawn[:40]) == {"1", "2"}
    assert set(drawn[40:]) == {"100", "200.5"}


async def test_random_paths_have_gold_lengths():
    drawn = await replies("random", many(PATH, ["<|up|><|left|>", "<|down|>"] * 100))
    lengths = Counter(len(moves_of(path)) for path in drawn)
    assert lengths.keys() == {1, 2}
    assert {move for path in drawn for move in moves_of(path)} == {"up", "down", "left", "right"}
    assert all(READERS.get("strict_path")()(path, PATH).value == moves_of(path) for path in drawn)


async def test_random_depends_on_seed_and_id_and_not_on_order():
    samples = many(CHOICE, ["A"] * 50)
    drawn = await replies("random", samples)
    assert await replies("random", samples[::-1]) == drawn[::-1]
    assert await replies("random", samples, seed=1) != drawn


@pytest.mark.parametrize(
    ("sample", "targets", "expected"),
    [
        (CHOICE, "ABBC", "B"),
        (CHOICE, "AB", "A"),
        (YESNO, ["yes", "no", "no"], "no"),
        (LABEL, ["left", "overlap", "overlap"], "overlap"),
        (NUMBER, [3.0, 1.0, 1.0, 9.0], "1"),
        (NUMBER, [3.0, 1.0, 9.0, 2.0], "2"),
        (PATH, ["<|up|>", "<|down|>", "<|up|>"], "<|up|>"),
    ],
)
async def test_majority_gives_the_most_frequent_gold_or_the_median_of_numbers_that_never_repeat(
    sample, targets, expected
):
    assert set(await replies("majority", many(sample, targets))) == {expected}


async def test_majority_keeps_categories_apart_and_gives_only_letters_that_a_sample_has():
    four = many(replace(CHOICE, choices=tuple("wxyz")), "DDDA")
    two = replace(CHOICE, id="two", choices=("w", "x"), target="B")
    other = replace(CHOICE, id="other", category="other", target="C")
    assert await replies("majority", [*four, two, other]) == ["D", "D", "D", "D", "A", "C"]


async def test_constant_repeats_itself_and_oracle_is_right():
    samples = [CHOICE, YESNO, LABEL, NUMBER, PATH]
    assert await replies("constant:the left: 2", samples) == ["the left: 2"] * 5
    assert await replies("oracle", samples) == ["B", "no", "upper-left", "2.5", "<|up|><|left|>"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [(2.0, "2"), (2.50, "2.5"), (1e-05, "0.00001"), (1200, "1200"), (1e16, "10000000000000000"), (-0.1, "-0.1")],
)
def test_numbers_are_written_in_plain_digits(answer, text):
    assert written(answer, "number") == text


@pytest.mark.parametrize(
    ("reader", "sample", "value"),
    [
        ("strict_choice", CHOICE, "B"),
        ("blink_official", CHOICE, "B"),
        ("vlmevalkit_choice", CHOICE, "B"),
        ("vlmevalkit_vsi_choice", CHOICE, "B"),
        ("strict_yesno", YESNO, "no"),
        ("vlmevalkit_yesno", YESNO, "no"),
        ("strict_label", LABEL, "upper-left"),
        ("stepgame_base", LABEL, "upper-left"),
        ("strict_number", NUMBER, 2.5),
        ("lmms_vsi_number", NUMBER, 2.5),
        ("vlmevalkit_vsi_number", NUMBER, 2.5),
        ("strict_path", PATH, ("up", "left")),
    ],
)
async def test_strict_and_published_readers_read_the_oracle(reader, sample, value):
    (reply,) = await replies("oracle", [sample])
    assert READERS.get(reader)()(reply, sample).value == value


@pytest.mark.parametrize("spec", ["random:x", "majority:x", "oracle:x", "constant:", "constant"])
def test_a_name_where_none_belongs_or_none_where_one_does_is_refused(spec):
    with pytest.raises(UsageError, match="write"):
        open_model(spec)


async def test_a_request_without_sample_or_a_category_never_seen_is_a_usage_error():
    model = open_model("majority")
    with pytest.raises(UsageError, match=r"Request\.sample"):
        await model.ask(Request((), Settings()))
    with pytest.raises(UsageError, match="prepare"):
        await model.ask(Request((), Settings(), CHOICE))


def test_the_seed_of_random_is_part_of_its_identity():
    assert open_model("random", ModelOptions(extra={"seed": 4})).identity() == {"spec": "random", "seed": 4}


@pytest.mark.parametrize("spec", ["random", "majority"])
async def test_many_gold_answers_are_sorted_once_and_not_for_every_question(spec):
    samples = [replace(NUMBER, id=f"n{n}", target=float(n % 997)) for n in range(20_000)]
    start = time.process_time()
    await replies(spec, samples)
    assert time.process_time() - start < 10  # sorted for every question it takes minutes


@pytest.mark.parametrize("spec", ["random", "majority"])
async def test_the_order_of_the_data_changes_no_answer(spec):
    samples = many(NUMBER, [3.0, 1.0, 2.0, 1.0, 3.0])
    there = dict(zip([s.id for s in samples], await replies(spec, samples), strict=True))
    back = dict(zip([s.id for s in samples[::-1]], await replies(spec, samples[::-1]), strict=True))
    assert there == back


async def test_random_draws_anew_for_a_view_that_changes_nothing_but_the_picture():
    samples = [Sample(f"s{i}", "choice", "Where?", "A", ("left", "right")) for i in range(200)]
    model = open_model("random", ModelOptions())

    async def drawn(view):
        requests = [(s, Request((Message("user", (Text("?"),)),), Settings(), s)) for s in samples]
        return [
            (await model.ask_as(f"{s.id}|{view}|0" if view else f"{s.id}|0", request)).text for s, request in requests
        ]

    plain, mirrored = await drawn(""), await drawn("|mirrored")
    assert plain == [model.answer(sample) for sample in samples]
    assert mirrored == await drawn("|mirrored")
    assert 60 < sum(map(str.__eq__, plain, mirrored)) < 140  # as often as two coins agree
