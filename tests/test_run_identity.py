"""The manifest: what a run is, where it comes from, and nothing that should stay secret."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import get_args

import pytest
from run_fakes import make_items

from spatialeval.data.fingerprint import fingerprint as data_fingerprint
from spatialeval.errors import RunChangedError, StorageError
from spatialeval.media import Media
from spatialeval.messages import Response, Usage
from spatialeval.run.identity import check_same
from spatialeval.run.manifest import FILE_NAME, Manifest, Session, git_state, package_versions, totals
from spatialeval.run.records import Call, Record
from spatialeval.run.secrets import HIDDEN, redact, redact_command, redact_data
from spatialeval.samples import AnswerType
from spatialeval.scores import Failure, Reading, Score
from spatialeval.strategies.cot import ChainOfThought
from spatialeval.tasks import load_task, task_files


def test_equal_identities_are_the_same_run(tmp_path):
    check_same({"a": {"b": [1, 2]}, "c": None}, {"c": None, "a": {"b": [1, 2]}}, tmp_path)


def test_every_changed_key_is_listed_with_both_values_and_the_way_out(tmp_path):
    old = {"model": {"spec": "openai:a", "extra": {}}, "settings": {"stop": ["x"], "seed": 1}, "same": 1}
    new = {"model": {"spec": "openai:b", "extra": {"detail": "high"}}, "settings": {"stop": ["x", "y"]}, "same": 1}
    with pytest.raises(RunChangedError) as caught:
        check_same(old, new, tmp_path / "official.plain")
    text = str(caught.value)
    assert '  model.spec: "openai:a" -> "openai:b"\n' in text
    assert '  model.extra.detail: (absent) -> "high"\n' in text
    assert '  settings.stop.1: (absent) -> "y"\n' in text
    assert "  settings.seed: 1 -> (absent)\n" in text
    assert "same" not in text
    assert "--fresh" in text
    assert "official.plain.old-" in text


def test_long_values_are_shortened_around_the_change(tmp_path):
    with pytest.raises(RunChangedError) as caught:
        check_same({"prompt": "x" * 5000}, {"prompt": "x" * 5000 + "y"}, tmp_path)
    assert len(str(caught.value)) < 1000
    assert 'xxy" (5003 characters)' in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"question": "another?"},
        {"target": "C"},
        {"choices": ("z",)},
        {"category": "b"},
        {"group": "g"},
        {"meta": {"unit": "m"}},
        {"media": (Media("image", "column", b"xyz"),)},
        {"id": "s99"},
    ],
)
def test_data_that_changed_have_another_fingerprint(change):
    samples = [item.sample for item in make_items(5)]
    changed = [*samples[:4], replace(samples[4], **change)]
    assert data_fingerprint(samples) == data_fingerprint(samples[:])
    assert data_fingerprint(samples) != data_fingerprint(changed)


def test_media_files_that_arrive_later_do_not_change_the_fingerprint(tmp_path):
    sample = replace(make_items(1)[0].sample, media=(Media("video", "v.mp4", tmp_path / "v.mp4"),))
    before = data_fingerprint([sample])
    (tmp_path / "v.mp4").write_bytes(b"frames")
    assert data_fingerprint([sample]) == before


def test_a_manifest_comes_back_as_it_was_written_and_leaves_no_other_file(tmp_path):
    session = Session.begin(["/usr/bin/spatialeval", "run", "vsr"])
    assert session.command == ["spatialeval", "run", "vsr"]
    manifest = Manifest({"task": {"id": "vsr"}}).with_session(session)
    manifest.write(tmp_path)
    assert Manifest.read(tmp_path) == manifest
    ended = replace(manifest.with_session(session.end("finished")), totals={"items": 3})
    ended.write(tmp_path)
    (held,) = Manifest.read(tmp_path).sessions
    assert (held.status, held.started) == ("finished", session.started)
    assert held.ended >= held.started
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_second_session_is_added_to_the_first():
    first, second = Session.begin(["a"]), Session.begin(["b"])
    manifest = Manifest({}).with_session(first).with_session(second).with_session(second.end("finished"))
    assert [(s.command, s.status) for s in manifest.sessions] == [(["a"], "running"), (["b"], "finished")]


@pytest.mark.parametrize("content", ["{", "", '{"format": 7}', "[]", '{"format": 1}', '{"format": 1, "identity": 3}'])
def test_a_damaged_manifest_is_named_with_the_way_out(tmp_path, content):
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(StorageError, match=r"manifest\.json.*--fresh"):
        Manifest.read(tmp_path)


def test_a_manifest_that_cannot_be_written_is_an_error_with_advice_and_leaves_the_old_one(tmp_path):
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StorageError, match=r"cannot be written.*--out"):
        Manifest({}).write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_totals_add_up_what_backends_told():
    (first, second) = make_items(2)
    calls = [Call({}, Response("A", usage=Usage(10, 2)).record(), 0.1, n) for n in (1, 3)]
    records = [
        Record.of(first, Score(1.0, Reading("A", "r"), "scored"), calls, "A"),
        Record.of(second, Failure("timeout", "x", 6), []),
    ]
    assert totals(records) == {
        "items": 2,
        "calls": 2,
        "attempts": 10,
        "prompt_tokens": 20,
        "completion_tokens": 4,
        "cached_tokens": 0,
        "cached_answers": 0,
    }


def test_versions_are_found_without_importing_the_packages():
    code = (
        "import sys; from spatialeval.run.manifest import package_versions; v = package_versions();"
        "assert v['datasets'] and v['spatialeval'] and v['python'], v;"
        "assert not {'torch', 'datasets', 'openai', 'transformers', 'numpy', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert package_versions()["python"].startswith("3.")


def test_git_state_names_the_commit_and_whether_files_differ(tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=n", "-c", "user.email=e@e"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    assert git_state(tmp_path) is None
    git("init")
    assert git_state(tmp_path) is None
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-m", "m")
    clean = git_state(tmp_path)
    assert len(clean["commit"]) == 40
    assert clean["dirty"] is False
    (tmp_path / "a").write_text("2")
    assert git_state(tmp_path) == {**clean, "dirty": True}


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (["run", "--api-key", "abc12345"], ["run", "--api-key", HIDDEN]),
        (["--api-key=abc"], [f"--api-key={HIDDEN}"]),
        (["--token", "t", "--max-tokens", "512"], ["--token", HIDDEN, "--max-tokens", "512"]),
        (["--max-tokens=512"], ["--max-tokens=512"]),
        (["OPENAI_API_KEY=abc", "run"], [f"OPENAI_API_KEY={HIDDEN}", "run"]),
        (["--api-key", "--limit", "5"], ["--api-key", "--limit", "5"]),
        (["--extra", "api_key=abc"], ["--extra", f"api_key={HIDDEN}"]),
        (["--extra", '{"authorization": "Basic xyz"}'], ["--extra", f'{{"authorization": "{HIDDEN} xyz"}}']),
        (["--base-url", "http://me:pass@host/v1"], ["--base-url", f"http://{HIDDEN}@host/v1"]),
        (["x", "sk-proj-abcdefgh12345"], ["x", HIDDEN]),
        (["--header", "Authorization: Bearer abc.def"], None),
        (
            ["run", "vsr", "--strategy", "cot(max_tokens=512)+blind"],
            ["run", "vsr", "--strategy", "cot(max_tokens=512)+blind"],
        ),
    ],
)
def test_a_stored_command_line_has_no_keys(given, stored):
    shown = redact_command(given)
    if stored is None:
        assert "abc.def" not in " ".join(shown)
    else:
        assert shown == stored


def test_values_of_keys_in_the_environment_are_hidden_wherever_they_stand(monkeypatch):
    monkeypatch.setenv("MY_SERVICE_API_KEY", "plain-looking-value")
    monkeypatch.setenv("MAX_TOKENS", "12345678")
    assert redact("x plain-looking-value y 12345678") == f"x {HIDDEN} y 12345678"


def test_nested_data_lose_their_keys_and_nothing_else():
    data = {
        "extra": {"api_key": "abc", "max_tokens": 5, "list": ["sk-abcdefgh1234", 1.5, None]},
        "url": "http://host/v1",
    }
    hidden = {"extra": {"api_key": HIDDEN, "max_tokens": 5, "list": [HIDDEN, 1.5, None]}, "url": "http://host/v1"}
    assert redact_data(data) == hidden
    assert json.loads(json.dumps(redact_data(data))) == hidden


def test_the_wording_of_cot_for_every_answer_type_is_part_of_its_identity():
    wordings = ChainOfThought().identity()["instruction"]
    assert set(wordings) == set(get_args(AnswerType))
    assert all("<answer>" in wording for wording in wordings.values())


def test_a_changed_prompt_beside_a_task_file_changes_the_task(tmp_path):
    own = tmp_path / "prompts"
    own.mkdir()
    (own / "words.txt").write_text("Look closely.")
    shutil.copy(task_files()["vsr"], tmp_path / "mine.yaml")
    before = load_task(str(tmp_path / "mine.yaml")).identity()
    (own / "words.txt").write_text("Look again.")
    after = load_task(str(tmp_path / "mine.yaml")).identity()
    with pytest.raises(RunChangedError, match="prompts"):
        check_same(before, after, tmp_path)
