"""Token caps: --max-tokens above all, then an option that was changed, then the larger of default and protocol."""

from __future__ import annotations

import pytest
from strategy_plays import CHOICE, TASK, play, protocol_of

from spatialeval.errors import UsageError
from spatialeval.run.asking import parse_asking
from spatialeval.tasks.task import with_protocol_settings

CALLS = {
    "scene-graph": ("graph_max_tokens", "max_tokens"),
    "ccot": ("graph_max_tokens", "max_tokens"),
    "cognitive-map": ("map_max_tokens", "max_tokens"),
    "describe-then-answer": ("max_tokens", "max_tokens"),
    "cot": ("max_tokens",),
    "vot": ("max_tokens",),
    "reference-object(form=protocol)": ("max_tokens",),
    "tools": ("max_tokens",),
}


def sent_caps(way, protocol, calls):
    sent, _ = play(way, CHOICE, protocol, ["<answer>A</answer>"] * calls)
    return [request.settings.max_tokens for request in sent]


def with_options(way, **options):
    name, _, given = way.rstrip(")").partition("(")
    return f"{name}({', '.join([*filter(None, [given]), *(f'{key}={value}' for key, value in options.items())])})"


@pytest.mark.parametrize("way", CALLS)
def test_an_option_holds_exactly_also_below_the_protocols_cap(tmp_path, way):
    names = CALLS[way]
    given = {name: 7 + place for place, name in enumerate(dict.fromkeys(names))}
    asked = with_options(way, **given)
    assert sent_caps(asked, protocol_of(tmp_path), len(names)) == [given[name] for name in names]


@pytest.mark.parametrize("way", CALLS)
def test_a_default_gives_way_to_a_larger_cap_of_the_protocol(tmp_path, way):
    protocol = protocol_of(tmp_path, TASK.replace("max_tokens: 16", "max_tokens: 9000"))
    assert set(sent_caps(way, protocol, len(CALLS[way]))) == {9000}


@pytest.mark.parametrize("way", [*CALLS, "plain", "cot-2turn", "scene-graph(max_tokens=50, graph_max_tokens=60)"])
@pytest.mark.parametrize("cap", [9, 9000])
def test_the_cap_of_the_run_is_that_of_every_call(tmp_path, way, cap):
    protocol = with_protocol_settings(protocol_of(tmp_path), max_tokens=cap)
    calls = parse_asking(way)[0].calls if way != "tools" else 1
    assert sent_caps(way, protocol, calls) == [cap] * calls


def test_the_identity_tells_a_cap_of_the_run_from_the_same_cap_of_the_protocol(tmp_path):
    protocol = protocol_of(tmp_path)
    assert with_protocol_settings(protocol, max_tokens=16).identity() == {**protocol.identity(), "cap": 16}
    assert "cap" not in with_protocol_settings(protocol, temperature=0.5).identity()
    assert parse_asking("cot(max_tokens=9)")[0].identity()["max_tokens"] == 9


def test_a_cap_of_nothing_is_refused():
    with pytest.raises(UsageError, match="max_tokens is 1 or more"):
        parse_asking("cot(max_tokens=0)")
