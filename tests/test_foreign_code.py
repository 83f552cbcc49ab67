"""Plug-ins of other packages that are broken: one message that names the plug-in, the error and the line."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest
from command import letters, refused
from run_letters import TASK

from spatialeval import registry as module
from spatialeval.readers import READERS
from spatialeval.scorers import SCORERS
from spatialeval.strategies import STRATEGIES
from spatialeval.views import VIEWS

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

HOOKS = """
from spatialeval.strategies.plain import Plain
from spatialeval.views import View

def broken(*_):
    raise KeyError("gone")

class Asks(Plain):
    name = "asks"

class Shows(View):
    name = "shows"

    def expand(self, sample):
        return {"same": sample}

def reads():
    return lambda text, sample: broken()

def scores():
    return lambda answer, sample: broken()
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return what makes an entry point of a package: strategy name, module and object."""
    (tmp_path / "my_package.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    for registry in (STRATEGIES, VIEWS, READERS, SCORERS):
        registry.names()
        monkeypatch.setattr(registry, "_things", dict(registry._things))
        monkeypatch.setattr(registry, "_elsewhere", None)

    def install(name, value, kind="strategies"):
        point = EntryPoint(name, value, f"spatialeval.{kind}")
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


def with_hook(tmp_path, name, hook):
    """Write the package with a broken hook in one of its classes."""
    (tmp_path / "my_package.py").write_text(f"{HOOKS}\n{name}.{hook} = broken\n")


@pytest.mark.parametrize("hook", ["bound", "refuses", "identity"])
def test_a_bug_in_a_hook_of_a_strategy_names_its_line(tmp_path, installed, hook):
    with_hook(tmp_path, "Asks", hook)
    installed("asks", "my_package:Asks")
    told = refused("run", *letters(tmp_path), "-m", "random", "-s", "asks", "--out", tmp_path / "out")
    assert "strategy 'asks' raised KeyError ('gone')" in told
    assert f"{tmp_path / 'my_package.py'}:6, in broken" in told


@pytest.mark.parametrize("hook", ["bound", "asked_by", "expand", "identity"])
def test_a_bug_in_a_view_names_its_line(tmp_path, installed, hook):
    with_hook(tmp_path, "Shows", hook)
    installed("shows", "my_package:Shows", "views")
    told = refused("run", *letters(tmp_path), "-m", "random", "-s", "plain+shows", "--out", tmp_path / "out")
    assert "view 'shows' raised KeyError ('gone')" in told
    assert f"{tmp_path / 'my_package.py'}:6, in broken" in told


@pytest.mark.parametrize(("kind", "name", "key"), [("reader", "reads", "parse"), ("scorer", "scores", "score")])
def test_a_bug_in_a_reader_or_a_scorer_names_its_line(tmp_path, installed, kind, name, key):
    (tmp_path / "my_package.py").write_text(HOOKS)
    installed(name, f"my_package:{name}", f"{kind}s")
    task = f"{TASK.rstrip()}\n    {key}: {name}\n"
    told = refused("run", *letters(tmp_path, task=task), "-m", "constant:A", "--out", tmp_path / "out")
    assert f"{kind} {name!r} raised KeyError ('gone')" in told
    assert f"{tmp_path / 'my_package.py'}:6, in broken" in told
