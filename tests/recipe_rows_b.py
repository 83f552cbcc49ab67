"""A few rows of published training sets in their own columns, with small made pictures, for the full-size recipes."""

from __future__ import annotations

import base64
import gzip
import json
import os
import zlib
from pathlib import Path

import PIL.Image

from spatialeval.tasks import load_task

REAL = Path(os.environ.get("SPATIALEVAL_REALDATA", Path(__file__).parents[2] / "shared" / "realdata"))
LINES = {
    "Line 1": ["North Gate Station", "Mill Station", "Central Station (Transfer Station)"],
    "Line 3": ["Central Station (Transfer Station)", "Quay Station", "Harbour Station"],
}
MOVE_ON = "Route Name: \nDeparture Stop: \nArrival Stop: "


def write_lines(file, rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def picture(file):
    """Write a picture of a colour of its own."""
    file.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", (32, 16), zlib.crc32(str(file).encode()) & 0xFFFFFF).save(file)


def example_rows(task, folder):
    """Write the example rows of a task file as its data; return their folder, or their file where there is one."""
    files = {}
    for example in load_task(task).spec.examples:
        row = {key: value for key, value in example.row.items() if not key.startswith("_")}
        files.setdefault(example.row.get("_file", "rows.jsonl"), []).append(row)
    for name, rows in files.items():
        if name.endswith(".json"):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(json.dumps(rows))
        else:
            write_lines(folder / name, rows)
    return folder / name if len(files) == 1 else folder


def panoenv(folder):
    """Write train.jsonl, of real rows where they are here, and val.jsonl and test.jsonl of other panoramas."""
    examples = [example.row for example in load_task("panoenv").spec.examples]
    own = [{key: value for key, value in row.items() if key != "_index"} for row in examples]
    train = [{**row, "image": "Harbour/P000_000000/rgb_erp.png"} for row in own]
    if (real := REAL / "panoenv" / "val.jsonl.gz").is_file():
        kinds = {}
        for row in map(json.loads, gzip.decompress(real.read_bytes()).splitlines()):
            kinds.setdefault((row["question_type"], row["accu_reward_method"]), []).append(row)
        train = [row for rows in kinds.values() for row in rows[:8]]
    for name, rows in (("train", train), ("val", own), ("test", own)):
        write_lines(folder / f"{name}.jsonl", rows)
        for row in rows:
            picture(folder / row["image"])
    return train


def surds(folder):
    """Write rows as the authors' GRPO script reads them: image, problem, solution."""
    van, car, front = [example.row["prompt"] for example in load_task("surds").spec.examples]
    white, red = "hite van: [350, 470, 470, 570]", "red hatchback: [400, 300, 600, 500]"
    rows = [
        ("CAM_FRONT/1.webp", van, f"<location>The w{white}</location><answer>West</answer>"),
        ("CAM_FRONT/2.webp", car, f"<location>{red}</location><answer>[510, 390]</answer>"),
        ("CAM_FRONT/3.webp", front, f"<location>w{white}, {red}</location><answer>Yes</answer>"),
    ]
    for image, _, _ in rows:
        picture(folder / image)
    named = [dict(zip(("image", "problem", "solution"), row, strict=True)) for row in rows]
    return write_lines(folder / "train.jsonl", named)


def reasonmap_train(folder):
    """Write rows of every type of ReasonMap-Train, networks and maps beside them; of a real city where one is here."""
    country, city, lines = "nowhere", "inventia", LINES
    if (real := REAL / "reasonmap" / "stations" / "switzerland" / "geneva.json").is_file():
        country, city, lines = "switzerland", "geneva", json.loads(real.read_text())
    (folder / "stations" / country).mkdir(parents=True)
    (folder / "stations" / country / f"{city}.json").write_text(json.dumps(lines))
    picture(folder / "maps" / country / f"{city}.png")
    direct, changing = routes(lines)
    boxed = 'put your answer in one "\\boxed{}".'
    choice = f"How many stops lie between? Solve it and {boxed}\nA) 8 \nB) 1 \nC) 25 \nD) 12 \n"
    kinds = [
        ("TorF1", f"Are they on one line? Answer yes or no and {boxed}", 1, "easy", direct, 0),
        ("TorF2", f"Is a change needed? Answer yes or no and {boxed}", 0, "middle", direct, 0),
        ("Counting1", choice, 1, "hard", direct, 0),
        ("Counting2", f"How many lines stop there? {boxed}", 2, "easy", direct, 0),
        ("Counting3", f"How many lines are there? {boxed}", 4, "middle", direct, 0),
        ("planning", f"Plan a route in this form:\n{MOVE_ON}", -1, "easy", direct, 0),
        ("planning", f"Plan another route in this form:\n{MOVE_ON}", -1, "hard", changing, 1),
    ]
    rows = [
        {
            "question": question, "figure": f"./maps/{country}/{city}.png", "answer": answer, "type": kind,
            "difficulty_city": hard, "city_line_count": len(lines), "city_transfer_count": 1,
            "question_transfer_count": transfers, "country": country, "city": city, "station_1": ends[0],
            "station_2": ends[1], "json": f"./stations/{country}/{city}.json",
        }
        for kind, question, answer, hard, ends, transfers in kinds
    ]  # fmt: skip
    write_lines(folder / "train.jsonl", rows)
    return rows


def routes(lines):
    """Return two stops of one line, and two that need one transfer."""
    stops = list(lines.values())
    for one in stops:
        for two in stops:
            shared = set(one) & set(two)
            for start in one:
                for end in two:
                    if shared and not any({start, end} <= set(line) for line in stops):
                        return (one[0], one[-1]), (start, end)
    raise AssertionError("no pair of stops needs a transfer")


def ariadne(folder):
    """Write train_am.jsonl and test_am.jsonl: messages, images and solution, of mazes of our own."""
    for name, task in (
        ("train", "ariadne(rows=24, seed=5, lengths=[1, 2, 3, 4, 5], turns=[0, 1, 2])"),
        ("test", "ariadne(rows=8, seed=6, lengths=[6, 7], turns=[1, 2])"),
    ):
        rows = [
            {
                "messages": [{"role": "user", "content": "<image>Please navigate from the origin to the target, ..."}],
                "images": [f"data:image/png;base64,{base64.b64encode(row['image']).decode()}"],
                "solution": "".join(f"<|{move}|>" for move in row["solution"].split(", ")),
            }
            for row in load_task(task).rows()
        ]
        write_lines(folder / "src" / f"{name}_am.jsonl", rows[::-1])
    return folder
