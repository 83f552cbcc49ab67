"""The world of the fault harness: its task, what its server answers, what every sample must end as, and its disk."""

from __future__ import annotations

import contextlib
import random
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PASSING = ("429", "500", "drop", "truncated", "429", "500", "drop", "truncated", "429", "hang")
"""Faults that happen once and are asked again at once."""
LASTING = {
    "400": "failed", "401": "failed", "null": "failed", "filter": "failed", "refusal": "failed",
    "empty": "unparsed", "length": "truncated",
}  # fmt: skip
"""Faults that happen each time, and what they come to."""
TASK = """
spec: 1
id: faults
about: {title: Faults, license: CC0, abilities: [relation]}
data: {source: local}
sample:
  id: "{{ row.id }}"
  answer: choice
  question: "{{ row.id }}?"
  choices: [w, x, y, z]
  target: "{{ row.target }}"
protocols:
  official: {source: made up, question: "{{ question }}", generate: {max_tokens: 16}}
aggregate:
  - {name: overall, micro: true, headline: true}
"""


@dataclass(frozen=True)
class Truth:
    """What one sample must end as."""

    state: str
    score: float | None
    passing: int
    """Requests that a passing fault costs."""


def reply(prompt: str) -> str:
    """Return what the server answers: right, now and then wrong, now and then nothing that can be read."""
    number = int(prompt.split(maxsplit=1)[0].split("row")[1].rstrip("?"))
    if number % 31 == 9:
        return "I would rather not say."
    return f"The answer is ({'ABCD'[(number + (number % 10 == 3)) % 4]})"


def rows(samples: int, seed: int) -> tuple[list[dict[str, str]], dict[str, Truth]]:
    """Return the rows of the task, and the truth about each."""
    dice = random.Random(seed)
    faulty = dice.sample(range(samples), samples // 10)
    marks = {number: place for place, number in enumerate(faulty)}
    made, truth = [], {}
    for number in range(samples):
        name, passing, lasting = f"row{number}", 0, None
        if (place := marks.get(number)) is not None:
            if place % 5 < 3:
                passing = 1
                name = f"{name} [fault:{PASSING[place // 5 % len(PASSING)]}:once]"
            else:
                lasting = tuple(LASTING)[place % len(LASTING)]
                name = f"{name} [fault:{lasting}:always]"
        right = number % 10 != 3
        state = LASTING[lasting] if lasting else "unparsed" if number % 31 == 9 else "scored"
        score = None if state == "failed" else float(right) if state == "scored" else 0.0
        truth[name] = Truth(state, score, passing)
        made.append({"id": name, "target": "ABCD"[number % 4]})
    return made, truth


class Disk:
    """The place of the results: a small file system of its own where mounting is allowed, else a folder."""

    def __init__(self, place: Path, *, mount: bool) -> None:
        place.mkdir()
        self.place = place
        self.mounted = mount and _quietly("mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", place)

    def fill(self) -> None:
        """Leave no room at all."""
        with contextlib.suppress(OSError), (self.place / "filler").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def empty(self) -> None:
        """Leave room again."""
        (self.place / "filler").unlink(missing_ok=True)

    def freeze(self, folder: Path, *, frozen: bool) -> None:
        """Make the run folder read-only, or writable again."""
        if self.mounted:
            _quietly("mount", "-o", f"remount,{'ro' if frozen else 'rw'}", self.place)
        elif not _quietly("chattr", "+i" if frozen else "-i", folder):
            folder.chmod(0o555 if frozen else 0o755)

    def close(self) -> None:
        """Take the file system away."""
        if self.mounted:
            _quietly("umount", self.place)


def _quietly(*command: object) -> bool:
    """Run a command of the system; return whether it worked."""
    with contextlib.suppress(FileNotFoundError):
        return subprocess.run([*map(str, command)], capture_output=True, check=False).returncode == 0
    return False
