"""A made set in the shape of VSI-Bench: few videos, many questions about each, the rows not sorted by video.

videos.jsonl     a row per question
rooms/N.mp4      a coloured square that moves over a grey floor, another way in each video
rooms.yaml       the task: protocols even, tail and timed show the same videos by the three rules
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (40, 40, 230), "yellow": (220, 220, 30)}

TASK = """
spec: 1
id: rooms
about:
  title: Made rooms
  paper: none
  license: CC0-1.0
  modalities: [video]
  access: generated
  abilities: [direction]
data:
  source: local
  files: ["videos.jsonl"]
sample:
  id: "{{ row.id }}"
  category: "colour"
  answer: choice
  question: "{{ row.question }}"
  choices: "{{ row.options }}"
  target: "{{ row.answer }}"
  video: "{{ row.video }}"
default_protocol: even
protocols:
  even:
    source: made
    media: {frames: FRAMES, pick: linspace}
    question: "{{ question }} {{ choices | join(', ') }}?"
    instruction: " Answer with a letter."
    generate: {max_tokens: 4, temperature: 0.0}
  tail:
    source: made
    extends: even
    media: {frames: FRAMES, pick: uniform_tail}
  timed:
    source: made
    extends: even
    media: {fps: 5, frames: 6, pick: fps}
"""


def write_video(path: Path, number: int, size: tuple[int, int], total: int, *, noisy: bool) -> None:
    """Write a video of `total` frames at 10 a second; noise makes its pictures as large as those of a camera."""
    import av

    rng = np.random.default_rng(number)
    floor = rng.integers(0, 256 if noisy else 1, (size[1], size[0], 3), dtype=np.uint8) // 2 + 60
    side = size[1] // 4
    colour = list(COLOURS.values())[number % len(COLOURS)]
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *size, "yuv420p", 4_000_000
        for index in range(total):
            pixels = floor.copy()
            x = (number * 7 + index * (1 + number % 3)) % (size[0] - side)
            y = (number * 11) % (size[1] - side)
            pixels[y : y + side, x : x + side] = colour
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode())


def write_set(
    folder: Path,
    videos: int = 36,
    questions: int = 640,
    *,
    frames: int = 8,
    size: tuple[int, int] = (64, 64),
    total: int = 24,
    noisy: bool = False,
) -> Path:
    """Write the set; return the task file. Rows take the videos in turn, so that no two neighbours share one."""
    (folder / "rooms").mkdir(parents=True)
    for number in range(videos):
        write_video(folder / "rooms" / f"{number}.mp4", number, size, total, noisy=noisy)
    names = list(COLOURS)
    with (folder / "videos.jsonl").open("w") as rows:
        for number in range(questions):
            video, turn = number % videos, number // videos
            row = {
                "id": f"q{number:05}",
                "video": f"rooms/{video}.mp4",
                "question": f"Question {turn} about the moving square: which colour is it,",
                "options": names[turn % 4 :] + names[: turn % 4],
                "answer": "ABCD"[(video - turn) % 4],
            }
            rows.write(json.dumps(row) + "\n")
    task = folder / "rooms.yaml"
    task.write_text(TASK.replace("FRAMES", str(frames)))
    return task
