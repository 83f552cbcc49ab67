"""Score a checkpoint on rows it never saw (test wordings, test backgrounds, other seeds) by strict matching."""

from __future__ import annotations

import argparse
import io
import json
import math
import random
import re
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lessons import COT, PLAIN
from mazes import INSTRUCTIONS, MOVES, maze
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from spatialeval.generators.scenes import FORMS, KINDS, LEVELS, scenes

SEED = 90_001  # training draws its scenes from named pools, never from a numbered seed
BATCH = 100
Z95 = 1.959963984540054


class Cell(NamedTuple):
    """One row of the table."""

    level: str
    kind: str
    form: str
    strategy: str
    right: int
    asked: int


def prompt(row: dict[str, Any], strategy: str) -> str:
    """The question, its options and the instruction, as the project's tasks write them."""
    options = "".join(f"\n{letter}. {text}" for letter, text in zip("ABCD", row["choices"] or (), strict=False))
    return str(row["question"]) + options + (COT if strategy == "cot" else PLAIN[row["form"]])


def answer(reply: str, strategy: str) -> str:
    """The final answer in a reply: all of it, or what stands between the last pair of answer tags."""
    if strategy == "cot":
        found = re.findall(r"<answer>(.*?)</answer>", reply)
        return str(found[-1]).strip() if found else ""
    return reply.strip()


class Checkpoint:
    """A model with its processor, loaded the way any user would."""

    def __init__(self, folder: Path) -> None:
        """Load from a folder, in float32."""
        self.model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
        self.processor = AutoProcessor.from_pretrained(folder)

    @torch.inference_mode()
    def replies(self, texts: list[str], images: list[Image.Image] | None, longest: int) -> list[str]:
        """Greedy replies to single-turn prompts."""
        parts = [[{"type": "image"}] if images else [], []]
        chats = [[{"role": "user", "content": [*parts[0], {"type": "text", "text": text}]}] for text in texts]
        prompts = [self.processor.apply_chat_template(chat, add_generation_prompt=True) for chat in chats]
        pictures = {"images": [[image] for image in images]} if images else {}
        inputs = self.processor(text=prompts, return_tensors="pt", padding=True, **pictures)
        made = self.model.generate(**inputs, max_new_tokens=longest, do_sample=False)
        return list(self.processor.batch_decode(made[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True))

    def score(self, rows: list[dict[str, Any]], strategy: str) -> list[bool]:
        """Which rows are answered exactly right."""
        right: list[bool] = []
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            images = [Image.open(io.BytesIO(row["image"])) for row in part]
            replies = self.replies([prompt(row, strategy) for row in part], images, 64 if strategy == "cot" else 8)
            right += [answer(reply, strategy) == str(row["answer"]) for reply, row in zip(replies, part, strict=True)]
        return right


def wilson(right: int, asked: int) -> tuple[float, float]:
    """Wilson's 95 % score interval (E. B. Wilson 1927)."""
    share, square = right / asked, Z95 * Z95
    middle = (share + square / (2 * asked)) / (1 + square / asked)
    half = Z95 / (1 + square / asked) * math.sqrt(share * (1 - share) / asked + square / (4 * asked * asked))
    return max(0.0, middle - half), min(1.0, middle + half)


def forms_of(kind: str) -> list[str]:
    """The forms a kind is asked in, and the generator's own mixture of them."""
    open_form = "number" if kind == "count" else "word"
    return [open_form, "yesno", "letter", "mixture"]


def solved(lines: str, moves: list[str]) -> bool:
    """Whether the moves lead from origin to target without crossing a wall."""
    found = re.findall(r"<\|(\d)-(\d)\|><\|(\w+)_wall\|><\|(\w+)\|>", lines)
    cells = {(int(row), int(column)): (walls.split("_"), mark) for row, column, walls, mark in found}
    here = next(place for place, (_, mark) in cells.items() if mark == "origin")
    for move in moves:
        if move not in MOVES or move in cells[here][0]:
            return False
        here = (here[0] + MOVES[move][0], here[1] + MOVES[move][1])
    return cells[here][1] == "target"


def score_mazes(checkpoint: Checkpoint, size: int, asked: int) -> Cell:
    """Small text mazes under AlphaMaze's instructions."""
    rng = random.Random(f"held-out mazes {size}")
    mazes = [maze(rng, size, 5)[0] for _ in range(asked)]
    replies: list[str] = []
    for start in range(0, asked, BATCH):
        replies += checkpoint.replies([INSTRUCTIONS + lines for lines in mazes[start : start + BATCH]], None, 24)
    right = sum(solved(lines, re.findall(r"<\|(\w+)\|>", reply)) for lines, reply in zip(mazes, replies, strict=True))
    return Cell(f"{size}x{size}", "maze", "moves", "plain", right, asked)


def table(cells: list[Cell]) -> str:
    """The results as a Markdown table: a line per level, kind and prompt, a column per form."""
    columns = ("word", "number", "yesno", "letter", "mixture", "moves")
    found = {cell[:4]: cell for cell in cells}
    shown = [form for form in columns if any(cell.form == form for cell in cells)]
    lines = ["| level | kind | prompt | " + " | ".join(shown) + " |", "|" + " --- |" * (len(shown) + 3)]
    for level, kind, strategy in dict.fromkeys((cell.level, cell.kind, cell.strategy) for cell in cells):
        values = [_value(found.get((level, kind, form, strategy))) for form in shown]
        lines.append(f"| {level} | {kind} | {strategy} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def _value(cell: Cell | None) -> str:
    if cell is None:
        return ""
    low, high = wilson(cell.right, cell.asked)
    return f"{100 * cell.right / cell.asked:.1f} ({100 * low:.0f}-{100 * high:.0f}; {cell.asked})"


def merge(file: Path, cells: list[Cell]) -> list[Cell]:
    """Write the cells to a JSON file, beside those of earlier evaluations of the same checkpoint; return them all."""
    known = (
        [Cell(**{key: one[key] for key in Cell._fields}) for one in json.loads(file.read_text())["cells"]]
        if file.exists()
        else []
    )
    merged = {cell[:4]: cell for cell in (*known, *cells)}
    ordered = sorted(merged.values(), key=lambda cell: [*LEVELS, cell.level].index(cell.level))
    records = [
        cell._asdict() | {"wilson95": [round(end, 4) for end in wilson(cell.right, cell.asked)]} for cell in ordered
    ]
    file.write_text(json.dumps({"seed": SEED, "wording": "test", "cells": records}, indent=1) + "\n")
    return ordered


def main() -> None:
    """Print the table and, if asked, write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--rows", type=int, default=200, help="rows per level, kind and form")
    parser.add_argument("--levels", nargs="+", default=list(LEVELS), choices=LEVELS)
    parser.add_argument("--strategies", nargs="+", default=["plain", "cot"], choices=["plain", "cot"])
    parser.add_argument("--forms", nargs="+", default=[*FORMS, "mixture"])
    parser.add_argument("--mazes", type=int, default=0, help="mazes per size")
    parser.add_argument("--json", type=Path, help="file of scores to write or extend")
    options = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint, cells = Checkpoint(options.checkpoint), []
    for level in options.levels:
        for kind in KINDS:
            for form in forms_of(kind):
                if form not in options.forms:
                    continue
                forms = None if form == "mixture" else [form]
                rows = list(scenes(seed=SEED, rows=options.rows, level=level, kinds=[kind], forms=forms))
                for strategy in options.strategies:
                    right = sum(checkpoint.score(rows, strategy))
                    cells.append(Cell(level, kind, form, strategy, right, options.rows))
                    print(*cells[-1], flush=True)
    cells += [score_mazes(checkpoint, size, options.mazes) for size in (2, 3, 4) if options.mazes]
    print(table(merge(options.json, cells) if options.json else cells))


if __name__ == "__main__":
    main()
