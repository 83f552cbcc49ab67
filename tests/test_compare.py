"""Finished runs compared: paired rows, flips both ways, what differs, what is refused, and why two scores differ."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from command import refused, spatialeval

from spatialeval.errors import ModelError, UsageError
from spatialeval.messages import Response
from spatialeval.models.base import FunctionModel
from spatialeval.run.comparison import compare
from spatialeval.run.execute import execute
from spatialeval.run.gap import explain
from spatialeval.run.prepare import RunSpec
from spatialeval.run.retry import RetryPolicy
from spatialeval.run.stored import open_run
from spatialeval.stats.paired import holm, mcnemar
from spatialeval.tasks import load_task

YAML = """\
spec: 1
id: sides
about: {title: "Sides, a test", license: none, abilities: [relation]}
data: {source: local}
sample:
  id: "{{ row.id }}"
  category: "{{ row.kind }}"
  facets: {level: "{{ row.level }}"}
  sets: {pair: "{{ row.pair }}"}
  answer: choice
  question: "{{ row.id }}: left or right?"
  choices: [left, right]
  target: A
protocols:
  official: {source: here, parse: {choice: blink_official}, instruction: " Letter.", generate: {max_tokens: 16}}
  stern: {extends: official, source: there, parse: {choice: strict_choice}, unparsed: excluded}
  pooled:
    extends: official
    source: elsewhere
    parse: {choice: strict_choice}
    aggregate: [{name: all, micro: true}]
aggregate:
  - {name: easy only, mean_of: [level=easy]}
  - {name: pairs, micro: true, sets: pair}
  - {name: overall, mean_of: [near, far], weights: [3, 1], headline: true}
"""
ROWS = [
    {"id": f"{kind}{i}", "kind": kind, "level": ("easy", "hard")[i % 2], "pair": f"{kind}{i // 2}"}
    for kind, number in (("near", 20), ("far", 30))
    for i in range(number)
]


@pytest.fixture
def sides(tmp_path):
    (tmp_path / "task.yaml").write_text(YAML)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return tmp_path


def ran(folder, name, answer, **changes):
    """Run the task with a function from sample id to reply; return the run's folder."""
    spec = RunSpec(
        str(folder / "task.yaml"), name, data=folder / "rows.jsonl", out=folder / name, retry=RetryPolicy(attempts=1)
    )
    model = FunctionModel(lambda request: answer(request.sample.id), name)
    return asyncio.run(execute(replace(spec, **changes), model=model)).folder


def number(name):
    return int(name.lstrip("nearf"))


def right_below(limit):
    return lambda name: "A" if number(name) < limit else "B"


def row(found, name):
    return next(cell for cell in found.others[0].rows if cell.name == name)


def test_differences_are_paired_weighted_by_the_task_and_corrected_for_their_number(sides):
    found = compare(ran(sides, "one", right_below(10)), ran(sides, "two", right_below(15)))
    names = [cell.name for cell in found.others[0].rows]
    assert names == ["far", "near", "overall", "macro (categories)", "micro (samples)"]
    near, far, overall = row(found, "near"), row(found, "far"), row(found, "overall")
    assert (near.base, near.score, near.paired.n) == (0.5, 0.75, 20)
    assert (near.paired.better, near.paired.worse, near.paired.p) == (5, 0, mcnemar(5, 0))
    assert overall.paired.difference == pytest.approx(0.75 * 5 / 20 + 0.25 * 5 / 30)
    assert far.paired.difference == pytest.approx(5 / 30)
    assert [cell.p for cell in found.others[0].rows] == pytest.approx(
        holm([cell.paired.p for cell in found.others[0].rows])
    )
    assert (found.headline, found.name, found.others[0].name) == ("overall", "one", "two")


def test_the_scores_of_a_comparison_are_those_of_the_runs(sides):
    folders = ran(sides, "one", right_below(10)), ran(sides, "two", lambda name: "AB"[number(name) % 3 > 1])
    samples = load_task(str(sides / "task.yaml")).samples(sides / "rows.jsonl")
    found = compare(*folders, samples=samples)
    for place, folder in enumerate(folders):
        summary = open_run(folder).summary
        told = {one.name: one.score.mean for one in (*summary.categories, *summary.parts)}
        compared = {one.name: (one.base, one.score)[place] for one in found.others[0].rows}
        assert compared == pytest.approx(told)
    assert {"easy only", "pairs"} < compared.keys()
    assert found.left_out == ()


def test_parts_over_facets_and_sets_are_not_made_up_where_the_data_are_not_at_hand(sides):
    found = compare(ran(sides, "one", right_below(10)), ran(sides, "two", right_below(15)))
    assert found.left_out == ("easy only", "pairs")


def test_what_flipped_is_told_both_ways_with_what_each_run_read(sides, tmp_path):
    folders = ran(sides, "one", right_below(10)), ran(sides, "two", lambda n: "A" if 2 <= number(n) < 13 else "hm")
    ending = spatialeval("compare", *folders, "--flipped", tmp_path / "f.jsonl")
    assert ending.code == 0
    assert "10 questions flipped: 6 gained, 4 lost." in ending.text
    assert "+ near10: B -> A (right: A) near10: left or right?" in ending.text
    assert "- far1: A -> unparsed (right: A)" in ending.text
    flips = [json.loads(line) for line in (tmp_path / "f.jsonl").read_text().splitlines()]
    assert [(flip["id"], flip["gained"]) for flip in flips[:3]] == [
        ("near0", False),
        ("near1", False),
        ("near10", True),
    ]
    assert (flips[0]["base_run"], flips[0]["other_run"], flips[0]["category"]) == ("one", "two", "near")
    base = flips[0]["base"]
    assert (base["state"], base["score"], base["read"], base["reply"]) == ("scored", 1.0, "A", "A")
    assert (flips[0]["other"]["state"], flips[0]["other"]["reply"]) == ("unparsed", "hm")


def test_many_flips_are_shown_in_part(sides):
    ending = spatialeval("compare", ran(sides, "one", lambda _: "B"), ran(sides, "two", lambda _: "A"))
    assert "50 questions flipped: 50 gained, 0 lost." in ending.text
    assert ending.out.count("  + ") == 10
    assert "... and 40 more" in ending.text


def test_a_tie_is_printed_as_a_tie_and_a_gain_as_a_gain(sides):
    folders = ran(sides, "one", right_below(10)), ran(sides, "two", right_below(11)), ran(sides, "three", lambda _: "A")
    text = spatialeval("compare", *folders).text
    assert "two against one: a tie (+4.6 points on overall; the interval holds zero; so many questions show" in text
    assert "three against one: gain of 54.2 points on overall, p <0.001." in text


def test_a_question_without_an_answer_is_in_no_comparison(sides):
    def failing(name):
        if number(name) < 5:
            raise ModelError("no route", kind="server_error")
        return "A"

    found = compare(ran(sides, "one", lambda _: "A"), ran(sides, "two", failing))
    assert (found.others[0].shared, found.others[0].alone, found.others[0].flips) == (40, (10, 0), ())
    assert (row(found, "near").paired.n, row(found, "near").paired.difference) == (15, 0)
    assert "not complete" in found.remarks[0]


def test_runs_over_other_numbers_of_questions_share_some(sides):
    found = compare(ran(sides, "one", right_below(10)), ran(sides, "two", lambda _: "A", limit=20))
    assert (found.others[0].shared, found.others[0].alone) == (20, (30, 0))


def test_categories_that_one_run_lacks_leave_their_weight_to_the_others(sides):
    def near_only(name):
        if "far" in name:
            raise ModelError("no route", kind="server_error")
        return "A"

    found = compare(ran(sides, "one", lambda _: "B"), ran(sides, "two", near_only))
    assert (row(found, "overall").paired.n, row(found, "overall").score) == (20, 1)
    assert found.left_out == ("easy only", "pairs")
    assert any("macro (categories)" in remark and "share no question" in remark for remark in found.remarks)


def test_what_differs_is_said_from_the_manifests(sides):
    found = compare(
        ran(sides, "one", lambda _: "A"),
        ran(sides, "two", lambda _: "A", protocol="stern", strategy="cot(max_tokens=64)"),
    )
    told = {setting.name: setting.values for setting in found.differing}
    assert told["model"] == ("one", "two")
    assert told["protocol"] == ("official", "stern")
    assert told["strategy"] == ("plain", "cot(max_tokens=64)")
    assert told["token cap"] == ("16", "64")
    assert told["reader"] == ('{"choice": "blink_official"}', '{"choice": "strict_choice"}')
    assert told["unread answers"] == ("wrong", "excluded")
    assert not told.keys() & {"task", "data", "prompt", "aggregation", "scores version", "version.python"}


def test_another_wording_is_another_prompt(sides):
    first = ran(sides, "one", lambda _: "A")
    (sides / "task.yaml").write_text(YAML.replace('" Letter."', '" Only the letter."'))
    found = compare(first, ran(sides, "two", lambda _: "A"))
    one, two = next(setting.values for setting in found.differing if setting.name == "prompt")
    assert one != two


@pytest.mark.parametrize("change", ["rows", "scores"])
def test_runs_of_other_data_or_scoring_are_refused_unless_told(sides, change):
    first = ran(sides, "one", right_below(10))
    if change == "rows":
        (sides / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS[1:]))
    else:
        (sides / "task.yaml").write_text(YAML.replace("id: sides", "id: sides\nversion: {scores: 2}"))
    second = ran(sides, "two", right_below(15))
    message = refused("compare", first, second)
    assert ("data (" if change == "rows" else "scores version (1 and 2)") in message
    assert "--anyway" in message
    ending = spatialeval("compare", first, second, "--anyway")
    assert ending.code == 0
    assert "against" in ending.text


def test_anyway_leaves_out_questions_whose_right_answer_is_another(sides):
    first = ran(sides, "one", lambda _: "A")
    (sides / "task.yaml").write_text(YAML.replace("target: A", "target: \"{{ 'B' if row.id == 'near0' else 'A' }}\""))
    found = compare(first, ran(sides, "two", lambda _: "A"), anyway=True)
    assert found.others[0].shared == 49
    assert found.others[0].flips == ()
    assert "1 samples have another right answer" in found.remarks[0]


def test_forms_of_a_question_count_as_the_views_of_the_run_say(sides):
    first = ran(sides, "one", lambda _: "A")
    second = ran(sides, "two", lambda _: "A", strategy="plain+circular")
    found = compare(first, second)
    # Under circular options "A" is right in one form of two, and both must be.
    assert (row(found, "near").base, row(found, "near").score) == (1, 0)
    assert row(found, "near").score == open_run(second).summary.row("near").score.mean


@pytest.mark.parametrize("many", [0, 1])
def test_less_than_two_runs_are_refused(sides, many):
    folder = ran(sides, "one", lambda _: "A")
    assert "two" in refused("compare", *[folder] * many) or not many
    with pytest.raises(UsageError, match="two different runs"):
        compare(*[folder] * many)
    with pytest.raises(UsageError, match="two different runs"):
        compare(folder, folder)


def test_a_folder_of_several_runs_is_none(sides):
    ran(sides, "one", lambda _: "A")
    ran(sides, "two", lambda _: "A")
    assert "holds 2 runs" in refused("compare", sides, sides / "one")
    assert "no finished run" in refused("compare", sides / "one", make_folder(sides / "empty"))
    assert "there is no folder" in refused("compare", sides / "one", sides / "nowhere")


def make_folder(place):
    place.mkdir()
    return place


def test_runs_without_a_common_question_are_refused(sides):
    def only(kind):
        def answer(name):
            if kind not in name:
                raise ModelError("no route", kind="server_error")
            return "A"

        return answer

    with pytest.raises(UsageError, match="no question in common"):
        compare(ran(sides, "one", only("near")), ran(sides, "two", only("far")))


def test_everything_is_written_as_json(sides, tmp_path):
    spatialeval(
        "compare", ran(sides, "one", right_below(10)), ran(sides, "two", right_below(15)), "--json", tmp_path / "c.json"
    )
    data = json.loads((tmp_path / "c.json").read_text())
    assert data["runs"][0]["rows"][2]["paired"]["difference"] == pytest.approx(0.75 * 5 / 20 + 0.25 * 5 / 30)
    assert (data["runs"][0]["gained"], data["runs"][0]["lost"], data["why"]) == (10, 0, [])


def test_texts_of_models_cannot_steer_the_terminal(sides):
    first, second = ran(sides, "one", lambda _: "A"), ran(sides, "two", lambda _: "\x1b[31mB\x1b[0m \u202e")
    assert "\x1b" not in spatialeval("compare", first, second).out


# Why


def mumbling(name):
    """Reply in a form that only the published rule reads, on a third of the questions."""
    return "It could be (A), but hm (B), or (A) maybe" if number(name) % 3 == 0 else "AB"[number(name) % 2]


def why(sides, first, second):
    task = load_task(str(sides / "task.yaml"))
    return explain(open_run(first), open_run(second), task, task.samples(sides / "rows.jsonl"))


@pytest.mark.parametrize("protocol", ["official", "stern", "pooled"])
def test_the_gap_between_protocols_over_the_same_replies_is_split_without_a_rest(sides, protocol):
    first, second = ran(sides, "one", mumbling), ran(sides, "two", mumbling, protocol=protocol)
    gap = why(sides, first, second)
    steps = {step.name: step for step in gap.steps}
    scores = [open_run(folder).summary.score.mean for folder in (first, second)]
    assert gap.start == pytest.approx(scores[0])
    assert gap.start + sum(step.change for step in gap.steps) == pytest.approx(scores[1])
    assert steps["replies"].change == pytest.approx(0, abs=1e-12)
    assert (gap.same, gap.shared, gap.kept) == (50, 50, 0)
    changed = {name for name, step in steps.items() if abs(step.change) > 1e-12}
    wanted = {"official": set(), "stern": {"reader", "scoring"}, "pooled": {"reader", "aggregation"}}
    assert changed == wanted[protocol]


def test_views_and_strict_strategies_are_graded_again_as_they_were(sides):
    asking = {"strategy": "cot(max_tokens=64)+circular"}
    first, second = ran(sides, "one", mumbling, **asking), ran(sides, "two", mumbling, protocol="pooled", **asking)
    gap = why(sides, first, second)
    assert gap.start == pytest.approx(open_run(first).summary.score.mean)
    assert gap.steps[-1].score == pytest.approx(open_run(second).summary.score.mean)
    # Both were read strictly, whatever their protocols say.
    assert [step.change for step in gap.steps][0::3] == pytest.approx([0, 0])
    assert (gap.same, gap.shared) == (100, 100)


def test_what_other_replies_are_worth_is_told_apart(sides):
    gap = why(sides, ran(sides, "one", right_below(10)), ran(sides, "two", right_below(15)))
    assert [step.change for step in gap.steps[:3]] == [0, 0, 0]
    assert gap.steps[3].change == pytest.approx(0.75 * 5 / 20 + 0.25 * 5 / 30)
    assert (gap.same, gap.shared) == (40, 50)


def test_replies_that_the_cap_cut_stay_cut_when_they_are_read_again(sides):
    def cut(name):
        return Response("A", "length") if number(name) < 5 else "A"

    first = ran(sides, "one", cut)
    gap = why(sides, first, ran(sides, "two", lambda _: "A", protocol="pooled"))
    assert gap.steps[2].score == 0.8
    assert gap.steps[2].score == open_run(ran(sides, "three", cut, protocol="pooled")).summary.score.mean
    assert gap.steps[3].change == pytest.approx(0.2)


def test_answers_that_a_matcher_read_are_left_as_they_were(sides):
    replies = [{"id": one["id"], "response": "hard to say", "matched": "A"} for one in ROWS]
    (sides / "replies.jsonl").write_text("".join(json.dumps(reply) + "\n" for reply in replies))
    for name in ("one", "two"):
        spatialeval(
            "score", sides / "task.yaml", sides / "replies.jsonl", "--data", sides / "rows.jsonl",
            "--matched", "matched", "-p", "official" if name == "one" else "pooled", "--out", sides / name,
        )  # fmt: skip
    gap = why(sides, sides / "one", sides / "two")
    assert (gap.start, gap.kept, [step.change for step in gap.steps]) == (1, 50, [0, 0, 0, 0])


def test_the_command_explains_and_names_the_task(sides):
    first, second = ran(sides, "one", mumbling), ran(sides, "two", mumbling, protocol="pooled")
    ending = spatialeval("compare", first, second, "--why", "--data", sides / "rows.jsonl")
    assert ending.code == 0
    assert "reader: reading them with the second run's readers" in ending.text
    assert "50 of 50 replies that both have are the same word for word." in ending.text


def test_other_data_than_were_asked_explain_nothing(sides):
    first, second = ran(sides, "one", mumbling), ran(sides, "two", mumbling, protocol="pooled")
    (sides / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS[1:]))
    message = refused("compare", first, second, "--why", "--data", sides / "rows.jsonl")
    assert "--data" in message


def test_the_published_replies_of_blink_are_compared_as_their_protocols_score_them(realdata, tmp_path):
    blink = realdata / "blink"
    columns = ("--id", "idx", "--response", "full_prediction", "--where", "model=GPT4o")
    spatialeval(
        "score", "blink:answers", blink / "raw_outputs_val.jsonl.gz", "--data", blink / "val_answers.json", *columns,
        "-p", "official", "-p", "strict", "--out", tmp_path,
    )  # fmt: skip
    task = load_task("blink:answers")
    samples = task.samples(blink / "val_answers.json")
    runs = tmp_path / "official", tmp_path / "strict"
    found = compare(*runs, task=task, samples=samples)
    for place, folder in enumerate(runs):
        told = {one.name: one.score.mean for one in open_run(folder).summary.parts}
        assert {one.name: (one.base, one.score)[place] for one in found.others[0].rows if one.name in told} == (
            pytest.approx(told)
        )
    gap = explain(*map(open_run, runs), task, samples)
    assert gap.steps[3].change == pytest.approx(0, abs=1e-12)
    assert not found.remarks
