"""Runs of one model side by side in a report: told apart, shown once where they are the same, with what they cover."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace

import pytest
from command import spatialeval
from video_set import write_video

from spatialeval.data.frames import sample_frames
from spatialeval.errors import ModelError
from spatialeval.media import Media
from spatialeval.messages import Response
from spatialeval.models.base import FunctionModel
from spatialeval.report.html.arms import Stored, survivals_of
from spatialeval.report.html.board import Board, Rank
from spatialeval.report.html.files import coverage, marks, place, reasons
from spatialeval.report.html.making import make_board
from spatialeval.report.html.names import name_of
from spatialeval.report.html.runs import find_runs, shown_once
from spatialeval.report.html.tables import abilities
from spatialeval.report.html.thumbs import Pictures
from spatialeval.run.ablation import ablate
from spatialeval.run.execute import execute
from spatialeval.run.prepare import RunSpec
from spatialeval.run.retry import RetryPolicy
from spatialeval.run.robustness import robust
from spatialeval.tasks import load_task

YAML = """\
spec: 1
id: sides
about: {title: Sides, license: none, abilities: [relation]}
data: {source: local, expect: {rows: 12}}
sample:
  id: "{{ row.id }}"
  category: "{{ row.kind }}"
  answer: yesno
  question: "Is the lamp {{ 'left of' if row.kind == 'near' else 'behind' }} {{ row.id }}?"
  target: "{{ row.target }}"
protocols:
  official: {source: here, instruction: " Answer yes or no.", generate: {max_tokens: 16}}
aggregate: [{name: overall, mean_of: [near, far], headline: true}]
robustness: {polarity: {pair: [left], exhaustive: true, when: {category: [near]}}}
"""
ROWS = [
    {"id": f"{kind}{place}", "kind": kind, "target": ["yes", "no"][place % 2]}
    for kind in ("near", "far")
    for place in range(6)
]


@pytest.fixture
def spec(tmp_path):
    (tmp_path / "sides.yaml").write_text(YAML)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return RunSpec(
        str(tmp_path / "sides.yaml"), "function", data=tmp_path / "rows.jsonl", out=tmp_path / "out",
        retry=RetryPolicy(attempts=1),
    )  # fmt: skip


YES = FunctionModel(lambda _: Response("<answer>yes</answer> yes"))


def ask(spec, folder, model=YES):
    asyncio.run(execute(replace(spec, out=spec.out / folder), model=model))


def moody(request):
    sample = request.sample
    return str(sample.target) if len(sample.question) % 2 else (*sample.labels, *sample.letters, "no")[0]


def flaky(request):
    if "near3" in request.messages[-1].text:
        raise ModelError("no")
    return Response("yes")


def test_of_runs_that_are_the_same_the_most_complete_and_then_the_newest_is_shown(spec):
    for folder, model in (("a", YES), ("b", YES), ("c", FunctionModel(flaky))):
        ask(spec, folder, model)
    found = find_runs([spec.out])
    assert [run.summary.complete for run in found.runs] == [True, True, False]
    (run,) = shown_once(found).runs
    assert run.name.startswith("b/")
    assert [place.relative_to(spec.out).parts[0] for place in run.same] == ["a", "c"]


def test_the_page_says_for_how_many_more_a_run_stands(spec, tmp_path):
    for folder in ("a", "b"):
        ask(spec, folder)
    assert spatialeval("report", spec.out, "-o", tmp_path / "report").code == 0
    (run,) = Board.model_validate_json((tmp_path / "report" / "leaderboard.json").read_text()).runs
    assert run.same == 1
    assert "1 more is the same as one of these" in (tmp_path / "report" / "report.html").read_text()
    assert "stands for 1 more of the same" in (tmp_path / "report" / "leaderboard.md").read_text()


def test_strategies_are_compared_though_their_plain_run_is_shown_from_another_folder(spec, tmp_path):
    ablate(replace(spec, out=spec.out / "a"), ["plain", "cot"], caps="own", model=YES)
    ablate(replace(spec, out=spec.out / "b", max_tokens=9), ["plain", "cot"], caps="own", model=YES)
    ask(replace(spec, max_tokens=9), "c")
    assert spatialeval("report", spec.out, "-o", tmp_path / "report").code == 0
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("<caption>Strategies of function") == 2


def test_runs_that_differ_have_names_that_differ_everywhere(spec):
    ask(spec, "a")
    ask(replace(spec, max_tokens=9), "b")
    rows = spec.data.read_text().replace("near0", "near9")
    (spec.out / "other.jsonl").write_text(rows)
    ask(replace(spec, data=spec.out / "other.jsonl"), "c")
    board = make_board(shown_once(find_runs([spec.out])))
    folder = "sides/function/official.plain"
    names = [name_of(run, board.runs) for run in board.runs]
    assert names == [f"function, a/{folder}", "function, max_tokens=9", f"function, c/{folder}"]
    lines = [line.apart for line, _ in abilities(board)[1]]
    assert sorted(lines) == [[f"a/{folder}"], [f"c/{folder}"], ["max_tokens=9"]]


def test_what_a_view_cannot_ask_is_coverage_and_what_has_no_answer_is_incomplete(spec):
    robust(spec, ["polarity"], model=FunctionModel(flaky))
    plain, changed = make_board(find_runs([spec.out])).runs
    assert marks(plain) == marks(changed.model_copy(update={"complete": False, "counts": plain.counts, "total": 12}))
    assert marks(plain) == ["incomplete: 11 of 12"]
    assert coverage(plain) is None
    robust(replace(spec, out=spec.out / "again"), ["polarity"], model=YES)
    _, whole = make_board(find_runs([spec.out / "again"])).runs
    assert (whole.complete, whole.partial, marks(whole)) == (True, False, [])
    assert coverage(whole) == "asks 6 of 12"
    assert reasons(whole) == "6 (polarity: when:category)"
    assert not changed.complete


@pytest.mark.parametrize(
    ("best", "worst", "tied", "told"), [(1, 1, False, "1 of 3"), (1, 2, True, "1 to 2 of 3, tied")]
)
def test_a_rank_is_told_in_one_way(best, worst, tied, told):
    assert place(Rank(best=best, worst=worst, of=3, tied=tied, method="bootstrap")) == told


@pytest.mark.parametrize("rule", ["linspace", "uniform_tail"])
def test_a_frame_is_taken_from_its_video_where_it_is_the_one_that_was_sent(tmp_path, rule):
    pytest.importorskip("av")
    (tmp_path / "rooms").mkdir()
    write_video(tmp_path / "rooms" / "0.mp4", 0, (64, 64), 24, noisy=False)
    frames = sample_frames(Media("video", "0.mp4", tmp_path / "rooms" / "0.mp4"), 4, rule)
    digests = [hashlib.sha256(frame.read()).hexdigest() for frame in frames]
    assert len(set(digests)) == 4
    pictures = Pictures(tmp_path, 100_000)
    shown = [pictures.thumb(digest, f"rooms/0.mp4#{rule}:{place}/4") for place, digest in enumerate(digests, 1)]
    assert all(uri.startswith("data:image/webp;base64,") for uri in shown)
    assert Pictures(tmp_path, 100_000).thumb(digests[0], f"rooms/0.mp4#{rule}:2/4") is None


def test_consistency_and_changed_pictures_of_a_generated_task_are_those_of_robust(tmp_path):
    spec = RunSpec("scenes:easy(rows=12)", "function", out=tmp_path / "out", retry=RetryPolicy(attempts=1))
    told = robust(spec, ["mirror", "polarity"], model=FunctionModel(moody))
    found = find_runs([spec.out])
    board = make_board(found)
    stored = Stored({shown.id: run for shown, run in zip(board.runs, found.runs, strict=True)}, load_task(spec.task))
    here = {one.told.name: one.told.consistent for one in survivals_of(board.runs, stored)}
    assert here == {row.name: row.consistent for row in told.rows}
    assert 0 < here["mirror"].mean < 1
    pictures = Pictures(None, 1_000_000)
    pictures.begin(spec.task, board.runs)
    (mirrored,) = (run for run in board.runs if run.strategy == "plain+mirror")
    shown = stored.remade.items(mirrored).values()
    assert all(pictures.thumb(media.sha256, "x") for item in shown for media in item.sample.media)
    assert {item.sample.media[0].sha256 for item in shown} != {item.origin.media[0].sha256 for item in shown}
