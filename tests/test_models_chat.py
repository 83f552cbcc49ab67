"""The chat completions format: what a reply says, what an error means, and how pictures are encoded."""

from __future__ import annotations

import json
from email.utils import formatdate
from functools import partial

import pytest

from spatialeval.errors import ModelError
from spatialeval.media import Media
from spatialeval.models.chat import DataUrls, read_completion
from spatialeval.models.http_errors import error_in_reply, retry_after, status_error

PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


def completion_of(message, finish="stop"):
    return {"choices": [{"message": message, "finish_reason": finish}]}


@pytest.mark.parametrize(
    ("message", "finish", "text", "thoughts", "ended"),
    [
        ({"content": None}, "length", "", None, "length"),
        ({"content": None, "reasoning": "hm"}, "stop", "", "hm", "stop"),
        ({"content": None, "reasoning_content": "hm"}, "length", "", "hm", "length"),
        ({"content": "<think>A</think>B"}, "stop", "<think>A</think>B", None, "stop"),
        ({"content": "B", "reasoning_content": ""}, None, "B", None, "stop"),
        ({"content": [{"type": "text", "text": "B"}, {"type": "text", "text": "!"}]}, "stop", "B!", None, "stop"),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "t"}]},
                    {"type": "text", "text": "B"},
                ]
            },
            "stop", "B", "t", "stop",
        ),
        ({"content": "", "refusal": "no"}, "stop", "", None, "stop"),
        ({"content": "B \ud83d", "reasoning": "\udc00"}, ["odd"], "B \ufffd", "\ufffd", "stop"),
    ],
)  # fmt: skip
def test_a_completion_is_read(message, finish, text, thoughts, ended):
    response = read_completion(completion_of(message, finish))
    assert (response.text, response.thoughts, response.finish) == (text, thoughts, ended)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({}, "malformed"),
        ({"choices": []}, "malformed"),
        ({"choices": [{"finish_reason": "stop"}]}, "malformed"),
        (completion_of({"content": 3}), "malformed"),
        (completion_of({"content": "half"}, "content_filter"), "content_filter"),
        (completion_of({"content": "half"}, "error"), "server_error"),
        (completion_of({}), "no_content"),
    ],
)
def test_a_completion_without_an_answer_is_an_error(data, kind):
    with pytest.raises(ModelError) as caught:
        read_completion(data)
    assert caught.value.kind == kind


def test_a_prompt_blocked_by_the_provider_is_a_content_filter():
    body = json.dumps({"error": {"message": "blocked", "code": "content_filter"}}).encode()
    assert status_error(400, {}, body).kind == "content_filter"


def test_a_frame_is_encoded_once_and_the_cache_stays_within_its_limit():
    urls = DataUrls(limit=200)
    shown = [Media("image", str(n), partial(bytes.__add__, PNG, bytes([n]))) for n in range(3)]
    first = urls.url(shown[0])
    assert urls.url(shown[0]) is first
    assert urls.url(Media("image", "the same bytes", lambda: PNG + bytes([0]))) is first
    for media in shown:
        urls.url(media)
    assert 0 < urls.held <= 200
    assert urls.url(shown[0]) == first


def test_stored_pictures_are_encoded_and_not_kept():
    urls = DataUrls()
    assert urls.url(Media("image", "a", PNG)).startswith("data:image/png;base64,")
    assert urls.held == 0


def test_retry_after_that_says_nothing_usable_is_none():
    assert retry_after({}) is None
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "-3"}) is None
    assert retry_after({"retry-after": formatdate(0, usegmt=True)}) == 0.0
    assert retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25


def test_an_error_inside_a_successful_reply_is_an_error():
    error = error_in_reply({"error": {"code": 429, "message": "upstream is busy"}})
    assert (error.kind, error.transient) == ("rate_limited", True)
    assert "upstream is busy" in str(error)
    assert error_in_reply({"error": "broken"}).kind == "server_error"
    assert error_in_reply(completion_of({"content": "B"})) is None
