"""Strategies of other packages that are broken: one message that names the package, the error and the line."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest
from command import letters, refused

from spatialeval import registry as module
from spatialeval.strategies import STRATEGIES

CODE = """
from spatialeval.strategies import Strategy

class Twice(Strategy):
    name = "twice"

    def identity(self):
        return {"name": self.name}

    async def run(self, sample, protocol, ask):
        response = await ask(protocol.request(sample))
        return response.txt.strip() and response

class Early(Twice):
    name = "early"

    async def run(self, sample, protocol, ask):
        return await ask(protocol.reqest(sample))
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return what makes an entry point of a package: strategy name, module and object."""
    (tmp_path / "my_package.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    STRATEGIES.names()
    monkeypatch.setattr(STRATEGIES, "_things", dict(STRATEGIES._things))
    monkeypatch.setattr(STRATEGIES, "_elsewhere", None)

    def install(name, value):
        point = EntryPoint(name, value, "spatialeval.strategies")
        monkeypatch.setattr(module, "entry_points", lambda **wanted: EntryPoints([point]).select(**wanted))

    yield install
    sys.modules.pop("my_package", None)


@pytest.mark.parametrize(
    ("value", "said"), [("my_package.twise:Twice", "ModuleNotFoundError"), ("my_package:Twise", "AttributeError")]
)
def test_an_entry_point_that_cannot_be_loaded_says_which_and_what_to_mend(tmp_path, installed, value, said):
    installed("twice", value)
    told = refused("run", *letters(tmp_path), "-m", "random", "-s", "twice", "--out", tmp_path / "out")
    assert f"strategy 'twice' cannot be loaded: {said} (" in told
    assert f"Mend {value}, which its pyproject.toml names under spatialeval.strategies" in told


def test_a_bug_in_a_strategy_names_its_line_and_keeps_what_was_answered(tmp_path, installed):
    installed("twice", "my_package:Twice")
    told = refused("run", *letters(tmp_path), "-m", "random", "-s", "twice", "--out", tmp_path / "out")
    assert "strategy 'twice' raised AttributeError ('Response' object has no attribute 'txt')" in told
    assert f"{tmp_path / 'my_package.py'}:12, in run" in told
    assert "what was answered is kept" in told
    assert list((tmp_path / "out").rglob("journal.sqlite"))


def test_a_bug_before_the_first_question_is_told_by_a_dry_run(tmp_path, installed):
    installed("early", "my_package:Early")
    told = refused("run", *letters(tmp_path), "-m", "random", "-s", "early", "--dry-run", "--out", tmp_path / "out")
    assert "strategy 'early' raised AttributeError" in told
    assert f"{tmp_path / 'my_package.py'}:18, in run" in told
