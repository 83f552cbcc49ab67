"""Rows of the Hub without a network: what is asked of `datasets`, what is said when nothing can be had."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time

import pytest

from spatialeval.data import hub
from spatialeval.data.hub import read_hub
from spatialeval.errors import DataError, MissingDataError

datasets = pytest.importorskip("datasets")

REVISION = "a" * 40


@pytest.fixture
def reachable(monkeypatch):
    monkeypatch.setattr(hub, "_reachable", lambda endpoint: True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)


def answer_with(monkeypatch, answer) -> list:
    """Put `answer`, a table or an error, behind datasets.load_dataset; return the calls it gets."""
    calls = []

    def load_dataset(*args, **options):
        calls.append((args, options))
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return calls


def picture() -> bytes:
    import PIL.Image

    out = io.BytesIO()
    PIL.Image.new("RGB", (2, 2), "red").save(out, format="PNG")
    return out.getvalue()


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    everything = {**os.environ, **environment}
    return subprocess.run(command, check=False, env=everything, capture_output=True, text=True, timeout=60)


def test_pictures_stay_the_stored_bytes_however_deep_they_lie(monkeypatch, reachable):
    cell = {"bytes": picture(), "path": "1.png"}
    features = datasets.Features(
        {"q": datasets.Value("string"), "image": datasets.Image(), "images": datasets.List(datasets.Image())}
    )
    rows = [{"q": str(i), "image": cell, "images": [cell, cell]} for i in range(150)]
    table = datasets.Dataset.from_list(rows, features=features)
    calls = answer_with(monkeypatch, table)
    found = list(read_hub("owner/name", revision=REVISION, config="full", split="test"))
    assert found == [{**row, "_index": i} for i, row in enumerate(rows)]
    assert calls == [
        (("owner/name",), {"name": "full", "split": "test", "revision": REVISION, "data_files": None}),
    ]


def test_named_files_are_passed_on(monkeypatch, reachable):
    calls = answer_with(monkeypatch, datasets.Dataset.from_list([{"q": 1}]))
    assert list(read_hub("o/n", revision=None, split="test", files=("a.jsonl",))) == [{"q": 1, "_index": 0}]
    assert calls[0][1]["data_files"] == ["a.jsonl"]
    assert "trust_remote_code" not in calls[0][1]


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("Couldn't reach 'owner/name' on the Hub"),
        datasets.exceptions.DatasetNotFoundError("Dataset 'owner/name' is a gated dataset on the Hub."),
        FileNotFoundError("no such file"),
    ],
)
def test_data_that_cannot_be_had_say_how_to_bring_them(monkeypatch, reachable, error):
    answer_with(monkeypatch, error)
    with pytest.raises(MissingDataError) as caught:
        next(read_hub("owner/name", revision=REVISION, split="test"))
    message = str(caught.value)
    assert str(error).rstrip(".") in message
    assert f"hf download --repo-type dataset owner/name --revision {REVISION} --local-dir name\n" in message
    assert message.endswith("--data name")


def test_a_wrong_split_is_the_task_files_mistake_and_not_missing_data(monkeypatch, reachable):
    answer_with(monkeypatch, ValueError("Unknown split \"tset\". Should be one of ['test']."))
    with pytest.raises(DataError, match="Unknown split") as caught:
        next(read_hub("owner/name", revision=REVISION, split="tset"))
    assert not isinstance(caught.value, MissingDataError)


def test_an_unreachable_hub_is_noticed_before_the_libraries_retry_for_long(monkeypatch, tmp_path):
    import huggingface_hub.constants

    # Port 9 of this machine refuses at once, as an unplugged network does; the libraries would retry for 20 s.
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    started = time.monotonic()
    with pytest.raises(MissingDataError, match="hf download --repo-type dataset owner/name --local-dir name"):
        next(read_hub("owner/name", revision=None, split="test"))
    assert time.monotonic() - started < 5
    assert not huggingface_hub.constants.HF_HUB_OFFLINE
    assert not datasets.config.HF_HUB_OFFLINE


def test_offline_mode_says_so_at_once_and_in_a_fresh_process(tmp_path):
    code = (
        "from spatialeval.data.hub import read_hub\n"
        "from spatialeval.errors import MissingDataError\n"
        "try:\n    next(read_hub('owner/name', revision='" + REVISION + "', split='test'))\n"
        "except MissingDataError as error:\n    print(error)\n"
    )
    done = run(code, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path), HF_DATASETS_CACHE=str(tmp_path))
    assert "the rows of owner/name are not on this machine" in done.stdout, done.stderr
    assert f"--revision {REVISION} --local-dir name" in done.stdout


@pytest.fixture
def cached(monkeypatch, tmp_path):
    """A cache that holds one commit of owner/name, as `datasets` writes it, and no network."""
    folder = tmp_path / "owner___name" / "default" / "0.0.0" / REVISION
    features = datasets.Features({"q": datasets.Value("int64")})
    folder.mkdir(parents=True)
    with datasets.arrow_writer.ArrowWriter(path=str(folder / "name-test.arrow"), features=features) as writer:
        for value in (1, 2):
            writer.write({"q": value})
        count, size = writer.finalize()
    split = datasets.SplitInfo("test", num_bytes=size, num_examples=count, dataset_name="name")
    info = datasets.DatasetInfo(
        features=features, builder_name="json", dataset_name="name", config_name="default", version="0.0.0"
    )
    info.splits = datasets.splits.SplitDict({"test": split}, dataset_name="name")
    info.write_to_directory(str(folder))
    assert json.loads((folder / "dataset_info.json").read_text())["config_name"] == "default"
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    monkeypatch.setattr(hub, "_reachable", lambda endpoint: False)
    return folder


def test_cached_data_are_read_without_a_network(cached):
    rows = list(read_hub("owner/name", revision=REVISION, split="test"))
    assert rows == [{"q": 1, "_index": 0}, {"q": 2, "_index": 1}]


def test_a_cached_copy_of_another_revision_is_not_passed_off_as_the_pinned_one(cached):
    with pytest.raises(MissingDataError, match=f"the cache holds only another revision .{REVISION}"):
        next(read_hub("owner/name", revision="b" * 40, split="test"))


def test_a_split_that_the_cache_lacks_is_missing(cached):
    with pytest.raises(MissingDataError, match="Unknown split"):
        next(read_hub("owner/name", revision=REVISION, split="validation"))


@pytest.mark.parametrize("repo", ["name", "a/b/c", "../x", "https://huggingface.co/a/b", "parquet", "a/b@c", ""])
def test_only_owner_and_name_are_taken_for_a_repository(repo, monkeypatch):
    calls = answer_with(monkeypatch, None)
    with pytest.raises(DataError, match="no dataset of the Hub"):
        next(read_hub(repo, revision=None, split="test"))
    assert not calls


def test_a_local_folder_of_the_same_name_is_not_read_in_its_place(monkeypatch, tmp_path):
    (tmp_path / "owner" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    calls = answer_with(monkeypatch, None)
    with pytest.raises(DataError, match="would be read instead of the Hub"):
        next(read_hub("owner/name", revision=None, split="test"))
    assert not calls


def test_a_split_must_be_named():
    with pytest.raises(DataError, match=r"data\.split"):
        next(read_hub("owner/name", revision=None, split=None))


def test_reading_local_files_imports_neither_datasets_nor_torch_nor_numpy(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"q": 1}\n')
    code = (
        "import sys, pathlib\n"
        "from spatialeval.data import read_files, find_files, resolve_media, fingerprint\n"
        f"assert len(list(read_files(find_files(pathlib.Path({str(tmp_path)!r}))))) == 1\n"
        "heavy = {'datasets', 'huggingface_hub', 'torch', 'pandas', 'pyarrow', 'numpy', 'PIL', 'av'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = run(code)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
