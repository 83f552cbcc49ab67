"""One run from its description to its results, through a task file and rows on disk."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from run_letters import ROWS, Truthful, letters_run, run

from spatialeval.errors import ModelError, RunChangedError, RunLockedError, StorageError, UnknownNameError, UsageError
from spatialeval.models.base import FunctionModel
from spatialeval.run.events import Finished
from spatialeval.run.execute import estimate, execute
from spatialeval.run.folder import locked
from spatialeval.run.journal import FILE_NAME, Journal
from spatialeval.run.manifest import Manifest


@pytest.fixture
def spec(tmp_path):
    return letters_run(tmp_path)


async def test_a_run_leaves_results_a_manifest_and_its_journal(spec):
    events = []
    outcome = await run(spec, events=events.append)
    assert outcome.folder == spec.out / "letters" / "function-truthful" / "official.plain"
    assert outcome.states == {"scored": ROWS}
    assert outcome.complete
    assert sum(isinstance(event, Finished) for event in events) == ROWS
    names = {path.name for path in outcome.folder.iterdir()}
    assert {"manifest.json", "journal.sqlite", "samples.parquet", "summary.json"} <= names
    manifest = Manifest.read(outcome.folder)
    (session,) = manifest.sessions
    assert session.status == "finished"
    assert manifest.totals["items"] == manifest.totals["calls"] == ROWS
    assert "topsecret1" not in (outcome.folder / "manifest.json").read_text()


async def test_the_same_command_asks_nothing_again(spec):
    model = Truthful()
    first, second = await run(spec, model), await run(spec, model)
    assert first.summary == second.summary
    assert set(model.asked.values()) == {1}
    assert [s.status for s in Manifest.read(first.folder).sessions] == ["finished", "finished"]


async def test_a_higher_limit_asks_only_what_is_new_and_a_lower_one_reports_fewer(spec):
    model = Truthful()
    assert (await run(replace(spec, limit=10), model)).states == {"scored": 10}
    ten = set(model.asked)
    assert (await run(replace(spec, limit=25), model)).states == {"scored": 25}
    assert ten < set(model.asked)
    assert set(model.asked.values()) == {1}
    assert (await run(replace(spec, limit=5), model)).states == {"scored": 5}
    assert model.asked.total() == 25


async def test_blind_and_plain_runs_have_folders_of_their_own(spec):
    plain, blind = await run(spec), await run(replace(spec, strategy="plain+blind"))
    assert blind.folder == plain.folder.with_name("official.plain+blind")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda spec: replace(spec, max_tokens=99), "protocol.generate.max_tokens: 16 -> 99"),
        (lambda spec: replace(spec, temperature=0.7), "protocol.generate.temperature: 0.0 -> 0.7"),
        (lambda spec: edit(spec.task, "with a letter", "by letter"), 'by letter."'),
        (lambda spec: edit(spec.task, "Which is", "What is"), "task.sample.question"),
        (lambda spec: edit(spec.data, '"target": "A"', '"target": "B"'), "data: "),
    ],
)
async def test_what_changed_is_refused_with_a_list_and_a_fresh_start_keeps_the_old_answers(spec, change, told):
    first = await run(spec)
    changed = change(spec) or spec
    model = Truthful()
    with pytest.raises(RunChangedError) as caught:
        await run(changed, model)
    assert told in str(caught.value)
    assert "--fresh" in str(caught.value)
    assert not model.asked
    fresh = await run(replace(changed, fresh=True), model)
    assert (fresh.folder, model.asked.total()) == (first.folder, ROWS)
    with Journal.open(fresh.moved / FILE_NAME, readonly=True) as journal:
        assert len(journal.kept()) == ROWS


def edit(path, old, new):
    from pathlib import Path

    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


async def test_another_model_setting_is_refused(spec):
    class Served(FunctionModel):
        temperature_limit = 1

        def identity(self):
            return {"spec": self.spec, "revision": self.temperature_limit}

    model = Served(Truthful(), "function:truthful")
    await execute(spec, model=model)
    model.temperature_limit = 2
    with pytest.raises(RunChangedError, match=r"model\.revision: 1 -> 2"):
        await execute(spec, model=model)


async def test_failures_make_a_run_incomplete_until_they_are_answered(spec):
    def broken(request):
        if request.sample.id in {"r1", "r2"}:
            raise ModelError("HTTP 400", kind="bad_request")
        return request.sample.target

    outcome = await run(spec, broken)
    assert outcome.states == {"scored": ROWS - 2, "failed": 2}
    assert not outcome.complete
    model = Truthful()
    assert (await run(spec, model)).complete
    assert set(model.asked) == {"r1", "r2"}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"task": "vsrr"}, UnknownNameError, "vsr"),
        ({"protocol": "oficial"}, UnknownNameError, "official"),
        ({"strategy": "plane"}, UnknownNameError, "plain"),
        ({"limit": 0}, UsageError, "at least 1"),
    ],
)
async def test_unknown_names_are_errors_before_anything_is_written(spec, change, error, words):
    with pytest.raises(error, match=words):
        await run(replace(spec, **change))
    assert not spec.out.exists()


async def test_an_unknown_model_is_an_error_before_anything_is_written(spec):
    with pytest.raises(UnknownNameError, match="no model named"):
        await execute(replace(spec, model="opnai:gpt"))
    assert not spec.out.exists()


async def test_a_second_run_in_the_same_folder_is_refused(spec):
    outcome = await run(spec)
    with locked(outcome.folder), pytest.raises(RunLockedError, match=f"process {os.getpid()}"):
        await run(spec)


async def test_a_damaged_journal_is_refused_and_recovering_asks_only_what_is_lost(spec):
    outcome = await run(spec)
    path = outcome.folder / FILE_NAME
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(StorageError, match=r"--recover.*--fresh"):
        await run(spec)
    assert path.read_bytes() == data[: len(data) // 2]
    model = Truthful()
    again = await run(replace(spec, recover=True), model)
    assert again.states == outcome.states
    assert 0 < model.asked.total() <= ROWS
    assert again.notes[0].startswith("recovered ")
    assert list(outcome.folder.glob("damaged-*"))


async def test_a_journal_without_its_manifest_is_refused(spec):
    outcome = await run(spec)
    (outcome.folder / "manifest.json").unlink()
    with pytest.raises(StorageError, match=r"no manifest\.json.*--fresh"):
        await run(spec)


async def test_a_model_that_cannot_start_is_closed_and_noted(spec):
    closed = []

    class Broken(FunctionModel):
        async def start(self):
            raise UsageError("no such server")

        async def close(self):
            closed.append(True)

    with pytest.raises(UsageError, match="no such server"):
        await execute(spec, model=Broken(Truthful(), "function:truthful"))
    assert closed == [True]
    folder = spec.out / "letters" / "function-truthful" / "official.plain"
    assert Manifest.read(folder).sessions[0].status == "stopped: UsageError"


async def test_a_plan_counts_what_would_be_asked_and_writes_nothing(spec):
    plan = await estimate(spec)
    assert (plan.items, plan.answered, plan.calls) == (ROWS, 0, ROWS)
    assert plan.first.messages[-1].text.startswith("Which is A?")
    letters = len(plan.first.messages[-1].text)
    assert plan.prompt_tokens == pytest.approx(ROWS * letters / 4, rel=0.1)
    assert plan.completion_tokens == ROWS * 16
    assert not spec.out.exists()
    await run(replace(spec, limit=15))
    plan = await estimate(spec)
    assert (plan.answered, plan.calls) == (15, ROWS - 15)
