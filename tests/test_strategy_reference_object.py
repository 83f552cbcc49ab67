"""reference-object: our form for answers that are no lengths, and questions whose only call fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from run_fakes import run
from strategy_plays import CHOICE, graded, play, protocol_of, transcript
from test_strategies_b import LENGTH

from spatialeval.errors import ModelError, UsageError
from spatialeval.run.asking import parse_asking
from spatialeval.run.records import Item


@pytest.fixture
def protocol(tmp_path):
    return protocol_of(tmp_path)


def test_a_length_that_was_not_answered_is_not_scored(protocol, tmp_path):
    way, _ = parse_asking("reference-object")
    asked = []

    def function(request):
        asked.append(request.digest)
        if len(asked) == 1:
            raise ModelError("no", kind="bad_request")
        return r"About \scalar{1.2} \distance_unit{m}"

    given = {"strategy": way, "protocol": protocol, "grader": protocol.strict_grader}
    (record,) = asyncio.run(run([Item(LENGTH)], tmp_path, function, **given))
    assert (record.state, record.score, record.calls) == ("failed", None, [])
    (record,) = asyncio.run(run([Item(LENGTH)], tmp_path, function, **given))
    assert (record.state, len(record.calls), len(asked)) == ("scored", 1, 2)


def test_other_answers_keep_the_protocols_question_and_instruction(protocol):
    (request,), response = play("reference-object(form=protocol)", CHOICE, protocol, ["A lamp... <answer>B</answer>"])
    system, user = transcript(request)
    assert system == "system: Look."
    assert user == (
        "user: [red.png]Where?\nA. left\nB. right\nLet's think step by step and start by finding good reference "
        "objects or object parts in the image, whose places are clear, and go from one to the next until the question "
        "is answered.\nThe letter only.\nGive the final answer, in that form, between <answer> and </answer>."
    )
    assert (request.settings.max_tokens, request.settings.stop) == (1024, ())
    assert graded("reference-object(form=protocol)", CHOICE, protocol, response).value == 1


def test_the_four_steps_speak_of_places_and_of_what_is_shown(protocol):
    blind = replace(CHOICE, media=())
    (request,), response = play("reference-object(form=protocol, mode=steps)", blind, protocol, ["It could be either."])
    said = request.messages[-1].text
    assert said.startswith("Where?\nA. left\nB. right\n\n---\n\nUse the following 4 steps sequentially")
    assert "Identify up to 10 reference objects or object parts in the text, and list where each of them is" in said
    assert said.endswith("\nThe letter only.\nGive the final answer, in that form, between <answer> and </answer>.")
    assert "image" not in said
    assert graded("reference-object(form=protocol)", blind, protocol, response).state == "unparsed"


def test_the_published_form_refuses_other_answers_and_names_ours():
    way = parse_asking("reference-object")[0]
    assert "form=protocol" in (way.refuses(CHOICE) or "")
    assert parse_asking("reference-object(form=protocol)")[0].refuses(CHOICE) is None
    with pytest.raises(UsageError, match="form is one of length, protocol"):
        parse_asking("reference-object(form=other)")


def test_a_call_of_our_form_that_fails_is_not_scored(protocol, tmp_path):
    def function(request):
        raise ModelError("no", kind="bad_request")

    way = parse_asking("reference-object(form=protocol)")[0]
    given = {"strategy": way, "protocol": protocol, "grader": protocol.strict_grader}
    (record,) = asyncio.run(run([Item(CHOICE)], tmp_path, function, **given))
    assert (record.state, record.score) == ("failed", None)
