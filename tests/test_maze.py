"""Mazes: the token format, the walking rule, and the generator."""

from __future__ import annotations

import json
from itertools import islice, pairwise

import pytest

from spatialeval.errors import DataError, UsageError
from spatialeval.generators import GENERATORS
from spatialeval.generators.maze import maze
from spatialeval.mazes import STEPS, Cell, beyond, move_tokens, parse_maze

LEVELS = ("easy", "medium", "hard")
SMALL = (
    "<|0-0|><|up_left_wall|><|origin|><|0-1|><|up_right_wall|><|blank|>\n"
    "<|1-0|><|down_left_wall|><|blank|><|1-1|><|down_right_wall|><|target|>"
)


@pytest.fixture
def real_mazes(realdata):
    return json.loads((realdata / "alphamaze" / "sample_mazes.json").read_text(encoding="utf-8"))


def moves_of(text):
    return [token.strip("<|>") for token in text.split("><")]


def test_real_mazes_are_written_back_byte_for_byte(real_mazes):
    assert len(real_mazes) == 2
    for row in real_mazes:
        assert parse_maze(row["maze"]).tokens() == row["maze"]


def test_real_mazes_are_solved_and_judged_as_published(real_mazes):
    for row in real_mazes:
        grid = parse_maze(row["maze"])
        assert move_tokens(grid.solution()) == row["shortest_path_ours"]
        assert grid.walk(moves_of(row["shortest_path_ours"])).solved
        if "candidate_from_source" in row:
            walk = grid.walk(moves_of(row["candidate_from_source"]))
            assert walk.solved is row["candidate_verdict"]
            assert (walk.end, walk.problem) == (Cell(3, 2), "move 4 (right) meets a wall")


@pytest.mark.parametrize(
    ("moves", "solved", "problem"),
    [
        (("right", "down"), True, ""),
        (("blank", "right", "0-0", "down"), True, ""),
        (("right", "down", "left", "right"), True, ""),
        (("right", "down", "left"), False, "the walk does not end on the target"),
        (("UP", "RIGHT"), False, "the walk does not end on the target"),
        (("right", "right"), False, "move 2 (right) meets a wall"),
    ],
)
def test_a_walk_follows_the_published_rule(moves, solved, problem):
    walk = parse_maze(SMALL).walk(moves)
    assert (walk.solved, walk.problem) == (solved, problem)


def test_a_walk_through_an_open_border_leaves_the_maze():
    grid = parse_maze(SMALL.replace("<|0-0|><|up_left_wall|>", "<|0-0|><|left_wall|>"))
    assert grid.walk(["up"]).problem == "move 1 (up) leaves the maze"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("<|0-1|><|up_right_wall|>", "<|0-1|><|up_left_right_wall|>", "0-0 and 0-1"),
        ("<|1-1|>", "<|1-2|>", "0-2 is missing"),
        ("<|1-1|>", "<|0-1|>", "0-1"),
        ("<|1-1|>", "<|here|>", "here"),
        ("down_right_wall", "down_north_wall", "1-1"),
        ("<|down_right_wall|>", "<|down_right|>", "1-1"),
        ("<|target|>", "<|goal|>", "1-1"),
        ("<|target|>", "<|blank|>", "target"),
        ("<|target|>", "<|origin|>", "origin"),
        ("<|target|>", "", "three"),
        (SMALL, "", "three"),
    ],
)
def test_a_broken_maze_is_refused_and_the_cell_named(old, new, named):
    assert old in SMALL
    with pytest.raises(DataError, match=named):
        parse_maze(SMALL.replace(old, new))


def test_a_maze_without_a_way_has_no_solution():
    closed = (
        "<|0-0|><|up_down_left_right_wall|><|origin|><|0-1|><|up_left_right_wall|><|blank|>\n"
        "<|1-0|><|up_down_left_wall|><|blank|><|1-1|><|down_right_wall|><|target|>"
    )
    assert parse_maze(closed).solution() is None


def test_rows_are_the_same_however_many_are_asked_for():
    few, many = list(maze(seed=7, rows=5)), list(maze(seed=7, rows=40))
    assert few == many[:5]
    assert few == list(islice(maze(seed=7, rows=1_000_000), 5))
    assert few != list(maze(seed=8, rows=5))


@pytest.mark.parametrize(
    ("size", "bounds", "loops"),
    [
        (2, (1, None), 0.0),
        (3, (1, 4), 0.0),
        (5, (1, None), 0.0),
        (5, (6, 9), 0.2),
        (8, (10, 30), 0.5),
        (4, (1, None), 1.0),
    ],
)
def test_every_row_has_a_solution_within_the_bounds(size, bounds, loops):
    for row in maze(seed=1, rows=25, size=size, min_path=bounds[0], max_path=bounds[1], loops=loops):
        grid = parse_maze(row["maze"])
        assert grid.tokens() == row["maze"]
        assert (grid.rows, grid.columns) == (size, size) == (row["size"], row["size"])
        assert move_tokens(grid.solution()) == row["solution"]
        assert row["path_length"] == len(grid.solution())
        assert bounds[0] <= row["path_length"] <= (bounds[1] or size * size - 1)
        assert len(grid.distances()) == size * size


def test_a_maze_without_loops_has_one_way_between_cells_and_one_with_loops_has_more():
    def openings(row):
        grid = parse_maze(row["maze"])
        return sum(
            move not in grid.walls[cell] and beyond(cell, move) in grid.walls
            for cell in grid.walls
            for move in ("down", "right")
        )

    assert {openings(row) for row in maze(seed=3, rows=10, size=6)} == {35}
    assert {openings(row) for row in maze(seed=3, rows=10, size=6, loops=0.2)} == {40}
    assert {openings(row) for row in maze(seed=3, rows=2, size=6, loops=1)} == {60}


def test_a_search_walks_open_ways_and_its_cells_without_the_detours_are_the_solution():
    detours = 0
    for row in maze(seed=5, rows=60, size=5):
        grid = parse_maze(row["maze"])
        passed = grid.search()
        assert "".join(f"<|{cell.row}-{cell.column}|>" for cell in passed) == row["search"]
        steps = list(pairwise(passed))
        assert all(any(beyond(a, move) == b and move not in grid.walls[a] for move in STEPS) for a, b in steps)
        straight = []
        for cell in passed:
            straight = [*straight[: straight.index(cell)], cell] if cell in straight else [*straight, cell]
        moves = [next(move for move in STEPS if beyond(a, move) == b) for a, b in pairwise(straight)]
        assert move_tokens(moves) == row["solution"]
        detours += len(passed) > len(straight)
    assert detours > 20


def test_a_search_without_a_way_ends_where_it_began():
    shut = "<|0-0|><|up_left_wall|><|origin|><|0-1|><|up_right_wall|><|blank|>\n"
    shut += "<|1-0|><|down_left_right_wall|><|blank|><|1-1|><|up_down_left_right_wall|><|target|>"
    grid = parse_maze(shut.replace("<|0-1|><|up_right", "<|0-1|><|up_down_right"))
    assert [tuple(cell) for cell in grid.search()] == [(0, 0), (1, 0), (0, 0), (0, 1), (0, 0)]


def test_mazes_differ_and_levels_grow_with_the_path():
    rows = list(maze(seed=2026, rows=300))
    assert len({row["maze"] for row in rows}) == len({row["id"] for row in rows}) == 300
    longest = {
        level: max(row["path_length"] for row in rows if row["level"] == level) for level in ("easy", "medium", "hard")
    }
    assert all(low < high for low, high in pairwise(longest.values()))


def test_a_size_with_few_mazes_repeats_them_instead_of_stopping():
    assert len(list(maze(seed=1, rows=80, size=2, max_path=1))) == 80


@pytest.mark.parametrize(
    "wrong", [{"size": 1}, {"min_path": 0}, {"min_path": 5, "max_path": 4}, {"min_path": 25}, {"loops": 1.5}]
)
def test_mazes_that_cannot_be_are_refused(wrong):
    with pytest.raises(UsageError, match="maze"):
        next(maze(seed=1, rows=1, **wrong))


def test_a_path_too_long_for_the_openings_is_refused_with_advice():
    with pytest.raises(UsageError, match="lower loops"):
        next(maze(seed=1, rows=1, size=3, min_path=8, loops=1))


def test_the_generator_is_found_by_name():
    assert GENERATORS.get("maze") is maze
