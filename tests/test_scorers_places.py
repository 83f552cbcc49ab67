"""Scorers of points, boxes and routes, the routes on real networks and maps."""

from __future__ import annotations

import io
import itertools
import json
import math
import random

import PIL.Image
import pytest

from spatialeval.errors import DataError, MediaError, UsageError
from spatialeval.media import Media
from spatialeval.models.base import ModelOptions, open_model
from spatialeval.readers import READERS
from spatialeval.samples import Sample
from spatialeval.scorers import SCORERS
from spatialeval.scorers.boxes import best_matching
from spatialeval.stats import chance


def mask(mode="L", bright=255):
    """A mask 10 wide and 4 high whose right half is bright."""
    picture = PIL.Image.new(mode, (10, 4))
    picture.paste(bright, (5, 0, 10, 4))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return Media("image", "mask.png", file.getvalue())


def masked(held):
    return Sample("s", "points", "q", (), mask=held)


MASKS = [mask(), mask("1", 1), mask("L", 1), mask("RGB", (255, 0, 0))]


@pytest.mark.parametrize("held", MASKS, ids=["L", "1", "dark", "RGB"])
@pytest.mark.parametrize(
    ("points", "options", "worth"),
    [
        (((0.5, 0.5),), {}, 1),
        (((0.499, 0.5),), {}, 0),
        (((0.9, 0.9), (0.1, 0.1)), {}, 0.5),
        (((0.9, 0.9), (0.1, 0.1)), {"points": "any"}, 1),
        (((0.9, 0.9), (0.1, 0.1)), {"points": "all"}, 0),
        (((0.1, 0.1), (0.9, 0.9)), {"points": "first"}, 0),
        (((1.0, 0.5), (-0.1, 0.5)), {}, 0),
        (((1.0, 0.5), (-0.1, 0.5)), {"outside": "clip"}, 0.5),
        (((0.0, 0.0, 1.0, 1.0),), {}, 0.5),
        (((0.5, 0.0, 1.5, 1.0),), {}, 0.5),
        (((1.2, 0.1, 1.5, 0.2),), {}, 0),
        (((math.inf, 0.5), (0.5, math.nan), (0.5, 0.5)), {}, 1 / 3),
        ((), {}, 0),
    ],
)
def test_points_are_right_where_the_mask_is_bright(held, points, options, worth):
    assert SCORERS.get("in_mask")(**options)(points, masked(held)) == worth


def test_the_threshold_says_what_is_bright_and_a_mask_must_be_one():
    assert SCORERS.get("in_mask")(threshold=127)(((0.9, 0.9),), masked(mask("L", 100))) == 0
    with pytest.raises(DataError, match="mask"):
        SCORERS.get("in_mask")()(((0.9, 0.9),), Sample("s", "points", "q", ()))
    with pytest.raises(MediaError, match="corrupt"):
        SCORERS.get("in_mask")()(((0.9, 0.9),), masked(Media("image", "m.png", b"no picture")))


async def test_a_mask_gives_the_chance_of_a_point_and_the_oracle_its_brightest_pixel():
    sample = masked(mask())
    assert chance([sample]) == 0.5
    place = open_model("oracle", ModelOptions()).answer(sample)
    assert SCORERS.get("in_mask")()(place, sample) == 1


@pytest.mark.parametrize(
    ("reader", "text", "worth"),
    [
        ("refspatial_text", "(7, 2)", 1),
        ("refspatial_text", "(0.4, 0.5), (0.99, 0.5)", 0.5),
        ("refspatial_text", "(0.0, 0.0, 1.0, 1.0)", 0.5),
        ("refspatial_text", "(7, 2", None),
        ("refspatial_molmo", '<points x1="75" y1="50">', 1),
        ("refspatial_molmo", '<point x="75" y="50">', None),
        ("refspatial_gemini", '```json\n[{"point": [500, 750]}]\n```', 1),
        ("refspatial_gemini", '[{"point": [500, 750]}]', None),
        ("lmms_refspatial", "(7, 2)", 0),
        ("lmms_point2d", '{"point_2d": [750, 500]}', 1),
        ("vlmevalkit_refspatial", '[{"point_2d": [750, 500]}]', 1),
        ("easi_refspatial", '[{"point_2d": [750, 500]}]', 1),
        ("easi_refspatial", "(7, 2)", 1),
    ],
)
def test_published_readers_of_points_find_the_pixels_that_their_code_finds(reader, text, worth):
    sample = masked(mask())
    value = READERS.get(reader)()(text, sample).value
    assert (None if value is None else SCORERS.get("in_mask")()(value, sample)) == worth


def test_points_are_right_in_any_box_edges_included():
    sample = Sample("s", "points", "q", (), meta={"boxes": [[0, 0, 0.2, 0.2], [0.5, 0.5, 1, 1]]})
    scorer = SCORERS.get("in_box")()
    assert [scorer((point,), sample) for point in [(0.2, 0.2), (0.7, 0.7), (0.3, 0.3)]] == [1, 1, 0]
    assert scorer(((0.3, 0.3),), Sample("s", "points", "q", (), meta={"box": [0, 0, 1, 1]})) == 1
    with pytest.raises(DataError, match="boxes"):
        scorer(((0.3, 0.3),), Sample("s", "points", "q", ((0.5, 0.5),)))


def test_points_are_right_within_a_radius_in_shares_or_pixels():
    sample = Sample("s", "points", "q", ((0.5, 0.5), (0.1, 0.1)), meta={"size": [100, 50]})
    near = SCORERS.get("near_point")
    assert near(radius=0.1)(((0.58, 0.5), (0.9, 0.9)), sample) == 0.5
    assert near(radius=8, unit="pixel")(((0.58, 0.5),), sample) == 1
    assert near(radius=8, unit="pixel")(((0.5, 0.7),), sample) == 0
    assert SCORERS.get("inverse_error")(a=0.1)(((0.6, 0.5),), sample) == pytest.approx(0.5)
    assert SCORERS.get("inverse_error")(a=0.1)((), sample) == 0
    with pytest.raises(UsageError, match="radius"):
        near(radius=-1)


A, B, HALF = (0.0, 0.0, 0.4, 0.4), (0.5, 0.5, 1.0, 1.0), (0.0, 0.0, 0.2, 0.4)


@pytest.mark.parametrize(
    ("answer", "target", "options", "worth"),
    [
        ((A,), (A,), {}, 1),
        ((HALF,), (A,), {}, 0.5),
        ((B, HALF), (A, B), {}, 0.75),
        ((A,), (A, B), {}, 0.5),
        ((A, B, HALF), (A,), {}, 1 / 3),
        ((HALF, B), (A, B), {"threshold": 0.6}, 0.5),
        ((HALF,), (A,), {"threshold": 0.5}, 1),
        ((B, A), (A, B), {"match": "first"}, 0),
        (((0.4, 0.4, 0.0, 0.0),), (A,), {}, 0),
        ((), (), {}, 1),
        ((A,), (), {}, 0),
        ((), (A,), {}, 0),
    ],
)
def test_boxes_are_worth_their_overlap_one_to_one(answer, target, options, worth):
    assert SCORERS.get("box_iou")(**options)(answer, Sample("s", "boxes", "q", target)) == pytest.approx(worth)


def test_the_matching_is_the_best_of_all():
    dice = random.Random(1)
    for _ in range(200):
        rows, columns = sorted((dice.randint(1, 5), dice.randint(1, 5)))
        worth = [[dice.choice([0, 0.5, 1, dice.random()]) for _ in range(columns)] for _ in range(rows)]
        most = max(sum(map(list.__getitem__, worth, each)) for each in itertools.permutations(range(columns), rows))
        assert sum(best_matching(worth)) == pytest.approx(most)
        assert sum(best_matching(list(zip(*worth, strict=True)))) == pytest.approx(most)


def legs(*said):
    return tuple(dict(zip(("route", "departure", "arrival"), leg, strict=True)) for leg in said)


@pytest.fixture
def oslo(realdata):
    lines = json.loads((realdata / "reasonmap" / "stations" / "norway" / "oslo.json").read_text(encoding="utf-8"))
    return {"lines": lines, "start": "Ris Station", "end": "Stortinget Station", "country": "norway", "city": "oslo"}


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ([("Line 1", "Ris Station", "Stortinget Station")], 1),
        ([("Line 1", "ris station", "Majorstuen"), ("Line 2", "Majorstuen", "Stortinget Station")], 0),
        ([("Line 1", "Ris Station", "Majorstuen Station"), ("Line 2", "Majorstuen Station", "Stortinget Station")], 1),
        ([("Line 1", "Ris Station", "Slemdal Station"), ("Line 1", "Majorstuen Station", "Stortinget Station")], 0),
        ([("Line 99", "Ris Station", "Stortinget Station")], 0),
        ([("Line 1", "Stortinget Station", "Ris Station")], 0),
        ([], 0),
    ],
)
def test_any_route_that_a_real_metro_can_ride_is_right(oslo, said, right):
    assert SCORERS.get("metro_route")()(legs(*said), Sample("s", "json", "q", {}, meta=oslo)) == right


def chinese(departure, arrival, **more):
    return {"route_name": "地铁1号线(甲--乙)", "departure_stop": departure, "arrival_stop": arrival, **more}


def test_the_map_score_counts_lines_and_stops_against_the_best_reference():
    meta = {
        "lines": {"Line 1": ["甲站", "丙站", "乙站"]},
        "start": "甲站",
        "end": "乙站",
        "country": "china",
        "city": "x",
    }
    plan = chinese("甲", "乙", num_via_stops=1, via_stops=["丙"])
    sample = Sample("s", "json", "q", {}, meta={**meta, "routes": {"1": [chinese("丁", "戊")], "2": [plan]}})
    (leg,) = legs(("Line 1", "甲站", "乙站"))
    score = SCORERS.get("metro_route")
    assert score("map_score")((leg,), sample) == (1 + 2 + 1 + 1 + 10) / 20
    assert score("map_score")(({**leg, "arrival": "丙站"},), sample) == 0
    long = Sample("s", "json", "q", {}, meta={**meta, "routes": {"1": [plan]}})
    assert score("map_score", long=True)(({**leg, "number": "1 stop"},), long) == (5 + 4 + 20) / 40
    assert score("map_score", long=True)(({**leg, "number": "2"},), long) == (5 + 0 + 20) / 40
    assert score("map_score", long=True)(({**leg, "via": "丙站"},), long) == (5 + (10 + 1) / 2 + 20) / 40
    with pytest.raises(DataError, match="lines"):
        score()((leg,), Sample("s", "json", "q", {}, meta={"start": "甲", "end": "乙"}))


@pytest.fixture
def logged(realdata):
    """The scored log of MapBench on one map, whose stored graph has the neighbours of some nodes in another order."""
    graph = json.loads((realdata / "mapbench" / "graphs.json").read_text(encoding="utf-8"))["google_map/4_2"]
    adjacent = [[] for _ in graph["nodes"]]
    for edge in graph["edges"]:
        adjacent[edge["source"]].append(edge["target"])
        adjacent[edge["target"]].append(edge["source"])
    for place, order in STORED_ORDER.items():
        assert sorted(adjacent[place]) == sorted(order)
        adjacent[place] = order
    lines = (realdata / "mapbench" / "official_log_google_map.jsonl").read_text(encoding="utf-8").splitlines()
    return {"nodes": graph["nodes"], "adjacent": adjacent}, [json.loads(line) for line in lines]


STORED_ORDER = {
    2: [14, 1],
    4: [18, 20, 3],
    6: [21, 5],
    9: [11, 13, 8],
    10: [11, 21, 0, 7],
    11: [10, 12, 8, 9],
    13: [12, 9, 1],
    14: [12, 15, 2, 1],
    16: [15, 17, 0],
    18: [17, 19, 3, 4],
    20: [19, 4, 5],
    21: [19, 10, 5, 6],
}


def walked(graph, start, destination):
    return Sample("s", "json", "q", (), meta={"graph": graph, "start": start, "destination": destination})


def test_the_scored_log_of_mapbench_is_reproduced(logged):
    graph, rows = logged
    assert len(rows) == 4
    for row in rows:
        sample, answer = walked(graph, row["start"], row["destination"]), tuple(row["answer"])
        assert SCORERS.get("map_route")()(answer, sample) == row["success"]
        assert 1 / SCORERS.get("map_route")("efficiency")(answer, sample) == pytest.approx(row["path_score"], rel=1e-12)


@pytest.mark.parametrize(
    ("answer", "worth"),
    [
        (("Cedro -> Otero (x)",), 1),
        (("1. cedro -> Soto (x)", "2. Soto -> Otero (y"), 1),
        (("Cedro -> Soto (x)", "Trancos -> Otero (x)"), 0),
        (("Cedro -> Soto (x)",), 0),
        (("Soto -> Otero (x)",), 0),
        (("Cedro -> The Moon (x)", "The Moon -> Otero (x)"), 0),
        (("Cedro -> Otero",), 0),
        ((), 0),
    ],
)
def test_steps_must_chain_from_start_to_destination(logged, answer, worth):
    graph, _ = logged
    sample = walked(json.dumps(graph), "Cedro", "Otero")
    assert SCORERS.get("map_route")()(answer, sample) == worth


@pytest.mark.parametrize(
    ("held", "start"), [("no", "Cedro"), (None, "Cedro"), ({"nodes": [{}]}, "Cedro"), ({}, "Moon")]
)
def test_a_map_that_is_none_or_lacks_the_start_is_an_error(logged, held, start):
    graph, _ = logged
    with pytest.raises(DataError, match="meta"):
        SCORERS.get("map_route")()(("Cedro -> Otero (x)",), walked(graph if held == {} else held, start, "Otero"))
