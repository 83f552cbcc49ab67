"""letter-style: the same options under other names, only where the protocol's words allow it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy.stats import binom
from strategy_plays import CHOICE, TASK, graded, play, protocol_of, transcript
from test_views_options import choice

from spatialeval.errors import UsageError
from spatialeval.models.base import ModelOptions, open_model
from spatialeval.readers.labels import lettered
from spatialeval.run.asking import expand, parse_asking
from spatialeval.run.prepare import RunSpec, prepare
from spatialeval.samples import Sample
from spatialeval.views.base import Skipped

INSTRUCTION = '"\\nThe letter only."'
LISTED = '"{{ question }}{% for o in options %}\\n{{ o.letter }}. {{ o.text }}{% endfor %}"'
STYLES = ("dot", "round", "half", "lower", "number")


@pytest.fixture
def protocol(tmp_path):
    return protocol_of(tmp_path)


def shown(protocol, sample, text="letter-style"):
    """The forms of a sample, or why there is none."""
    return parse_asking(f"plain+{text}")[1][0].asked_by(protocol).expand(sample)


def reason(protocol, sample, style="number"):
    made = shown(protocol, sample, f"letter-style(of={style})")
    return made.reason if isinstance(made, Skipped) else None


@pytest.mark.parametrize(
    ("style", "said"),
    [
        ("round", "user: [red.png]Where?\n(A) left\n(B) right\nThe letter only."),
        ("half", "user: [red.png]Where?\nA) left\nB) right\nThe letter only."),
        ("lower", "user: [red.png]Where?\na) left\nb) right\nThe letter only."),
        ("number", "user: [red.png]Where?\n1. left\n2. right\nThe number only."),
    ],
)
def test_list_and_words_are_those_of_the_style(protocol, style, said):
    form = shown(protocol, CHOICE)[style]
    (request,), response = play("plain", form, protocol, [protocol.reply_text(form, "B")])
    assert transcript(request) == ["system: Look.", said]
    assert graded("plain", form, protocol, response).value == 1


def test_the_style_there_is_is_not_asked_twice(protocol):
    assert set(shown(protocol, CHOICE)) == {"round", "half", "lower", "number"}
    assert set(shown(protocol, CHOICE, "letter-style(of=number, pair=true)")) == {"same", "number"}
    assert reason(protocol, CHOICE, "dot") == "style:same"


@pytest.mark.parametrize(
    ("words", "change", "why"),
    [
        ((INSTRUCTION, '"\\nAnswer A or B."'), {}, "letters:named"),
        ((INSTRUCTION, '"\\nOne of ABCD."'), {}, "letters:named"),
        ((INSTRUCTION, '"\\nThe capital letter."'), {}, "letters:case"),
        (("system: Look.", "system: Say A or B."), {}, "letters:named"),
        ((LISTED, "\"{{ question }} {{ choices | join(', ') }}\""), {}, "options:form"),
        (("", ""), {"question": "Which letter is it?"}, "letters:question"),
        (("", ""), {"question": "Is box B left?"}, "letters:named"),
        (("", ""), {"choices": ("2", "7")}, "options:names"),
        (("", ""), {"choices": ("box A", "option B")}, "options:letters"),
        (("", ""), {"answer": "yesno", "target": "yes", "choices": ()}, "no options"),
    ],
)
def test_what_cannot_be_asked_with_numbers_is_skipped_with_the_reason(tmp_path, words, change, why):
    assert words[0] in TASK
    sample = replace(CHOICE, **change)
    protocol = protocol_of(tmp_path, TASK.replace(*words) if words[0] else TASK)
    assert reason(protocol, sample) == why
    if why.startswith("letters"):  # brackets change no name
        assert reason(protocol, sample, "round") is None


def test_an_article_is_no_letter(protocol):
    assert reason(protocol, replace(CHOICE, question="A lamp and a chair: where is it?")) is None


NUMBERED = Sample("s", "choice", "Where?", "B", choices=("left", "right", "above"), marks=("1.", "2.", "3."))
SMALL = replace(NUMBERED, marks=("a)", "b)", "c)"))


@pytest.mark.parametrize(
    ("sample", "reply", "value"),
    [
        (NUMBERED, "2", "B"),
        (NUMBERED, "2.", "B"),
        (NUMBERED, "(2)", "B"),
        (NUMBERED, "**2. right**", "B"),
        (NUMBERED, "Option 2", "B"),
        (NUMBERED, "The answer is 2.", "B"),
        (NUMBERED, "The answer is 2 because it is there.", "B"),
        (NUMBERED, "<think>1? no, 3</think>2", "B"),
        (NUMBERED, "I see 3 lamps and 1 chair. <answer>2</answer>", "B"),
        (NUMBERED, "So \\boxed{2}", "B"),
        (NUMBERED, "It is not on the left.\n2", "B"),
        (NUMBERED, "right", "B"),
        (NUMBERED, "B", None),  # nobody was shown a B
        (NUMBERED, "The answer is B.", None),
        (NUMBERED, "There are 2 lamps.", None),
        (NUMBERED, "The answer is 2.5 meters.", None),
        (NUMBERED, "4", None),
        (SMALL, "b", "B"),
        (SMALL, "b)", "B"),
        (SMALL, "B", "B"),
        (SMALL, "The answer is b.", "B"),
        (SMALL, "<answer>b) right</answer>", "B"),
        (SMALL, "a lamp", None),
    ],
)
def test_a_reply_is_read_by_the_names_that_were_shown(protocol, sample, reply, value):
    reading, _ = protocol.strict_grader.read(sample, reply)
    assert reading.value == value


def test_a_published_reader_reads_the_numbers_by_its_own_rule(tmp_path):
    published = protocol_of(
        tmp_path, TASK.replace("    generate:", "    parse: {choice: blink_official}\n    generate:")
    )
    assert published.grader.grade(NUMBERED, "(2)").value == 1
    assert lettered("A reply stays as it is: 2 (B)", replace(NUMBERED, marks=())) == "A reply stays as it is: 2 (B)"


def test_baselines_get_what_theory_says(protocol):
    samples = [choice(number, 3) for number in range(300)]
    _, (view,) = parse_asking("plain+letter-style(of=number)")
    items = expand(samples, [view.asked_by(protocol)]).items
    assert len(items) == 300
    random = open_model("random", ModelOptions())
    hits = {"oracle": 0, "constant:2": 0, "constant:B": 0, "random": 0}
    for item in items:
        given = {
            "oracle": protocol.reply_text(item.sample, item.sample.target),
            "constant:2": "2",
            "constant:B": "B",
            "random": protocol.reply_text(item.sample, random.answer(item.sample, item.view)),
        }
        for name, reply in given.items():
            hits[name] += protocol.grader.grade(item.sample, reply).value
    low, high = binom.interval(0.999, 300, 1 / 3)
    assert (hits["oracle"], hits["constant:2"], hits["constant:B"]) == (300, 100, 0)
    assert low <= hits["random"] <= high


def rows(tmp_path, strategy):
    (tmp_path / "rows.jsonl").write_text(
        '{"id": "a", "answer": "choice", "question": "Where?", "choices": ["left", "right"], "target": "B"}\n'
    )
    text = TASK.replace('  images: "{{ row.images }}"\n', "")
    (tmp_path / "plays.yaml").write_text(text)
    return prepare(RunSpec(str(tmp_path / "plays.yaml"), "random", strategy=strategy, data=tmp_path / "rows.jsonl"))


@pytest.mark.parametrize(
    "way", ["plain", "cot", "cot-2turn", "vot", "self-consistency(of=cot)", "describe-then-answer"]
)
def test_ways_of_asking_that_name_no_option_themselves_ask_with_numbers(tmp_path, way):
    ready = rows(tmp_path, f"{way}+letter-style(of=number)")
    assert [item.key for item in ready.items] == ["a|number"]
    replies = ["<answer>2</answer>"] * ready.strategy.calls
    sent, response = play(ready.strategy, ready.items[0].sample, ready.protocol, replies)
    assert all("1. left" in "".join(transcript(request)) for request in sent)
    assert graded(ready.strategy, ready.items[0].sample, ready.protocol, response).value == 1


def test_a_way_of_asking_with_letters_of_its_own_is_left_out_with_the_reason(tmp_path):
    with pytest.raises(UsageError, match="its own words name letters"):
        rows(tmp_path, "scene-graph+letter-style(of=number)")
    assert len(rows(tmp_path, "scene-graph+letter-style(of=round)").items) == 1
