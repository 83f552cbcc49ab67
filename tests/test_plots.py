"""Plots as files: which there are, what is written in them, and that hostile names are drawn as text."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from graded_runs import make_items, make_manifest, make_records, make_task
from PIL import Image

import spatialeval as se
from spatialeval.report.plots import plot_ablations, plot_comparison, plot_results, plot_robustness
from spatialeval.report.plots.canvas import MARKERS, PALETTE
from spatialeval.run.results import write_results

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
EVIL = "</text><script>alert(1)</script> $\\frac{1}{0}$ \x1b[31m"


@pytest.fixture
def results(tmp_path):
    task, data = make_task(tmp_path)
    items, protocol = make_items(task, data), task.protocol()
    for place, (name, strategy, wrong) in enumerate(
        (("good", "plain", {}), ("good", "cot", {"near-0": "B"}), (EVIL, "plain", {"far-0": "B", "far-1": "B"}))
    ):
        manifest = make_manifest({"name": strategy})
        manifest["identity"]["model"]["spec"] = name
        folder = tmp_path / "out" / str(place)
        write_results(folder, task, protocol, items, make_records(items, protocol, wrong), manifest)
    return tmp_path / "out"


def texts(file):
    return [element.text for element in ET.parse(file).iter("{http://www.w3.org/2000/svg}text")]


def drawn(files):
    """Check that every picture is there in both forms; return name -> the words in it."""
    assert {file.suffix for file in files} == {".svg", ".png"}
    for file in files:
        if file.suffix == ".png":
            with Image.open(file) as picture:
                assert len(picture.convert("L").getcolors(1 << 16)) > 8, "an empty picture"
    return {file.stem: texts(file) for file in files if file.suffix == ".svg"}


def test_results_give_a_leaderboard_categories_tokens_and_ways_of_asking(results, tmp_path):
    found = drawn(plot_results([results], tmp_path / "plots"))
    assert [name.split(".")[-1] for name in found] == ["leaderboard", "categories", "tokens", "asking"]
    board = found[next(name for name in found if name.endswith("leaderboard"))]
    assert "Sides, a test" in board
    assert "good (n 16)" in board
    assert "score in %, with its 95 % interval" in board
    assert any("best constant answer" in text for text in board)
    asking = found[next(name for name in found if name.endswith("asking"))]
    assert "cot (n 16)" in asking
    assert any(text.startswith("points against plain") for text in asking)


def test_hostile_names_are_drawn_as_text(results, tmp_path):
    files = plot_results([results], tmp_path / "plots")
    for file in files:
        if file.suffix == ".svg":
            assert not list(ET.parse(file).iter("{http://www.w3.org/2000/svg}script"))
            assert "\x1b" not in file.read_text()
    assert any("$" in text for words in drawn(files).values() for text in words)


def test_the_same_results_give_the_same_pictures(results, tmp_path):
    first, second = (plot_results([results], tmp_path / name) for name in ("one", "two"))
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


def test_comparisons_ablations_and_robustness_have_plots(results, tmp_path):
    found = se.compare(results / "0", results / "2").comparison
    (words,) = drawn(plot_comparison(found, tmp_path / "plots")).values()
    assert any("near (n 8)" in text for text in words)
    ablated = se.ablate("random", "scenes:easy(rows=12)", ["plain", "cot"], out=tmp_path / "a")
    (words,) = drawn(plot_ablations(ablated.ablations, tmp_path / "plots")).values()
    assert any(text.startswith("mean of kinds: cot") for text in words)
    survived = se.robust("random", "scenes:easy(rows=12)", transforms=["mirror"], out=tmp_path / "r")
    (words,) = drawn(plot_robustness(survived.tasks, tmp_path / "plots")).values()
    assert {"unchanged", "changed", "mirror (equivariant) (n 12)"} <= set(words)


def test_every_colour_has_a_marker_of_its_own():
    assert len(set(PALETTE)) == len(set(MARKERS)) == len(PALETTE)
