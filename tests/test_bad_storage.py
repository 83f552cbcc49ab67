"""Damaged journals, results cut in half, full and read-only disks: one message, and nothing answered is lost."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess

import pytest
from command import at, letters, process, refused, serving, spatialeval, summary_of


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


# the journal and the results


@pytest.fixture
def finished(tmp_path, out):
    """A finished run, its server and its command."""
    with serving() as server:
        command = ("run", *letters(tmp_path, rows=200), *at(server), "--out", out)
        assert spatialeval(*command).code == 0
        assert server.total == 200
        yield command, server, out / "letters" / "openai-m" / "official.plain"


def test_a_damaged_journal_is_left_alone_until_it_is_recovered(finished):
    command, server, folder = finished
    journal = folder / "journal.sqlite"
    whole = bytearray(journal.read_bytes())
    half = len(whole) // 2
    whole[half : half + 8192] = b"\x55" * 8192
    journal.write_bytes(whole)
    message = refused(*command)
    assert f"{journal} is damaged" in message
    assert "Run the same command with --recover to copy what is readable into a new journal" in message
    assert journal.read_bytes() == whole
    ran = spatialeval(*command, "--recover")
    assert ran.code == 0, ran
    saved = int(ran.out.split("recovered ")[1].split()[0])
    assert saved > 100
    assert server.total <= 200 + (200 - saved) + 20
    assert len(list(folder.glob("damaged-*.sqlite"))) == 1
    assert summary_of(folder)["score"]["mean"] == 1
    assert spatialeval(*command).code == 0


def test_a_journal_cut_in_half_is_recovered_as_far_as_it_goes(finished):
    command, server, folder = finished
    journal = folder / "journal.sqlite"
    journal.write_bytes(journal.read_bytes()[: journal.stat().st_size // 2])
    assert "--recover" in refused(*command)
    ran = spatialeval(*command, "--recover")
    assert ran.code == 0, ran
    assert "recovered " in ran.out
    assert server.total < 400  # some of it was saved
    assert summary_of(folder)["total"] == 200


def test_a_journal_of_which_nothing_is_left_says_so(finished):
    command, server, folder = finished
    journal = folder / "journal.sqlite"
    journal.write_bytes(b"garbage" * 1000)
    assert "--recover" in refused(*command)
    message = refused(*command, "--recover")
    assert "Nothing in" in message
    assert "--fresh" in message
    assert server.total == 200
    assert "There is no journal" in refused(*command[:-1], folder.parents[2].with_name("other"), "--recover")


@pytest.mark.parametrize("name", ["summary.json", "samples.parquet"])
def test_a_results_file_cut_in_half_is_written_anew_without_asking(finished, name):
    command, server, folder = finished
    file = folder / name
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    if name == "summary.json":
        shown = spatialeval("show", folder)
        assert shown.code == 2
        assert f"{file} is damaged" in shown.err
        assert "The journal beside it still holds every answer: run " in shown.err
        assert "the results are written anew without asking anything twice" in shown.err
    assert spatialeval(*command).code == 0
    assert server.total == 200
    assert file.read_bytes() == whole
    assert spatialeval("show", folder).code == 0


def test_a_manifest_that_is_damaged_or_gone_is_said_with_the_ways_out(finished):
    command, server, folder = finished
    (folder / "manifest.json").write_text('{"format"')
    message = refused(*command)
    assert "manifest.json cannot be read" in message
    assert "Put the original back" in message
    (folder / "manifest.json").unlink()
    assert "Put the manifest back, or add --fresh" in refused(*command)
    assert spatialeval(*command, "--fresh").code == 0
    assert server.total == 400


# the disk


FULL_DISK = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))"


def test_a_full_disk_stops_the_run_and_what_was_answered_is_kept(tmp_path, out):
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    with serving() as server:
        command = ("run", *letters(tmp_path, rows=300), *at(server), "--out", out)
        with process(*command, before=FULL_DISK) as running:
            _, said = running.communicate(timeout=60)
        assert running.returncode == 2, said
        assert "the disk is full or failing" in said
        assert "Free some space or choose a folder on another disk with --out, then run the same command again" in said
        assert "Traceback" not in said
        answered = server.total
        assert 0 < answered < 300
        ran = spatialeval(*command)
        assert ran.code == 0, ran
        assert server.total <= 300 + 16  # only what was in flight is asked twice
        assert summary_of(out)["score"]["mean"] == 1


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_asked(tmp_path):
    (tmp_path / "file").write_text("x")
    with serving() as server:
        command = ("run", *letters(tmp_path), *at(server), "--out")
        for place in (tmp_path / "file", "/proc/spatialeval"):
            message = refused(*command, place)
            assert "cannot be written" in message
            assert "choose another folder with --out" in message
        assert server.total == 0


def frozen(folder):
    """Make a folder unwritable even for root; tell whether that worked."""
    done = subprocess.run(["chattr", "+i", folder], capture_output=True, check=False)
    return done.returncode == 0


def test_a_read_only_folder_is_said_and_its_answers_stay(finished):
    command, server, folder = finished
    files = {file: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    if os.geteuid() == 0:
        if shutil.which("chattr") is None or not frozen(folder):
            pytest.skip("nothing is read-only for root, and the file system has no immutable flag")
    else:
        folder.chmod(0o555)
    try:
        message = refused(*command)
    finally:
        if os.geteuid() == 0:
            subprocess.run(["chattr", "-i", folder], check=True)
        else:
            folder.chmod(0o755)
    assert "cannot be" in message
    assert "writable" in message
    assert {file: file.read_bytes() for file in files} == files
    assert spatialeval(*command).code == 0
    assert server.total == 200
