"""The sandbox of templates: values keep their types, and strangers' templates cannot do harm."""

from __future__ import annotations

import jinja2
import pytest

from spatialeval.templates import RowView, compile_value, leading_letter, sandbox, unletter


def value(source, **row):
    return compile_value(source, sandbox())({"row": RowView(row)})


def test_a_text_without_braces_is_itself():
    assert value("all") == "all"
    assert value(None) is None


def test_a_single_expression_keeps_its_type():
    assert value("{{ row.options }}", options=["a", "b"]) == ["a", "b"]
    assert value("{{ row.n + 1 }}", n=1) == 2
    assert value("{{ none }}") is None


def test_a_mixed_template_gives_text():
    assert value("{{ row.a }}/{{ row.b }}.mp4", a="x", b=1) == "x/1.mp4"
    assert value("k={{ row.k }}", k=3) == "k=3"


def test_a_column_called_like_a_method_is_the_column():
    assert value("{{ row.items }}", items=[1]) == [1]
    assert value("{{ 'keys' in row }}", keys=1) is True


def test_a_missing_column_is_an_error_not_an_empty_text():
    with pytest.raises(jinja2.UndefinedError, match="captoin"):
        value("{{ row.captoin }}", caption="x")
    with pytest.raises(jinja2.UndefinedError):
        value("a {{ row.nothing }}")


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ row.__class__ }}",
        "{{ 'a' * 10000000000 }}",
        "{{ [0] * 10000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ range(100000000) | list }}",
        "{{ ''.format.__globals__ }}",
        "{% include '/etc/hostname' %}",
        "{% include '../pyproject.toml' %}",
    ],
)
def test_attacks_are_refused(attack):
    with pytest.raises((jinja2.TemplateError, OverflowError, KeyError)):
        value(attack, a=1)


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("(C)", "C"),
        ("D\n\n[Analysis] Draw it.", "D"),
        ("$\\mathrm{C}$\n[Analysis]", "C"),
        ("\\(\\mathrm{C}\\)}", "C"),
        ("$A$", "A"),
        ("Cylinder, cone", ""),
        ("$a d e$", ""),
        ("(1)、(2)", ""),
    ],
)
def test_the_leading_letter_of_a_gold_text(text, letter):
    assert leading_letter(text) == letter


def test_options_lose_their_letters():
    assert [unletter(o) for o in ("A. chair", "(B) A. Smith", "C) x", "D", "plain")] == [
        "chair",
        "A. Smith",
        "x",
        "D",
        "plain",
    ]
