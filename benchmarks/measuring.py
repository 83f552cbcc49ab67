"""Runs commands as children and says what they cost; imports nothing heavy: a child's peak begins with its parent's."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Cost:
    """What one command cost.

    Attributes:
        wall: seconds from start to end.
        cpu: seconds of the process itself; its children are theirs.
        rss: megabytes (10^6 bytes) at the peak.
        began: when it was started, on the clock of the server's statistics.
        out: what it printed.
    """

    wall: float
    cpu: float
    rss: float
    began: float
    out: str = ""


def run(command: Sequence[str | Path], *, check: bool = True) -> Cost:
    """Run `command` to its end; raise RuntimeError with its words when it fails."""
    with tempfile.TemporaryFile("w+") as words:
        began = time.monotonic()
        child = subprocess.Popen([str(part) for part in command], stdout=words, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        words.seek(0)
        told = words.read()
    if check and child.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {child.returncode}:\n{told[-3000:]}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6, began, told)


@dataclass
class Server:
    """A mock server in a process of its own."""

    url: str

    def stats(self) -> dict[str, float]:
        """Return what was seen since the last call (see mock_server.py)."""
        with urllib.request.urlopen(f"{self.url}/stats") as reply:
            return json.load(reply)


@contextlib.contextmanager
def server(*options: str) -> Iterator[Server]:
    """Start mock_server.py with `options` for the block."""
    command = [sys.executable, str(HERE / "mock_server.py"), *options]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield Server(child.stdout.readline().strip())
    finally:
        child.terminate()
        child.wait()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Give a folder that is deleted afterwards; beside the checkout where that is not in memory."""
    place = Path(tempfile.mkdtemp(prefix="measured-", dir=os.environ.get("MEASURE_IN")))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def made(place: Path, rows: int, *, text: bool = False) -> Path:
    """Return a folder with made rows and a task file."""
    where = place / f"{'text' if text else 'pictures'}-{rows}"
    if not where.exists():
        run([sys.executable, HERE / "made_data.py", where, "--rows", str(rows), *(["--text"] if text else [])])
    return where


def spatialeval(*arguments: str | Path) -> list[str | Path]:
    """Return the command line of this installation."""
    return [Path(sys.executable).with_name("spatialeval"), *arguments]


def left_on_disk(place: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())


@dataclass
class Figure:
    """One line of the table: a name, every measured value, the wanted bound."""

    name: str
    unit: str
    values: list[float] = field(default_factory=list)
    wanted: str = ""
    digits: int = 2

    def __str__(self) -> str:
        """Return the median and the range."""
        if not self.values:
            return "not measured"
        middle = f"{statistics.median(self.values):,.{self.digits}f}"
        if len(self.values) == 1:
            return middle
        return f"{middle} ({min(self.values):,.{self.digits}f} to {max(self.values):,.{self.digits}f})"


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print a block of figures."""
    print(f"\n{title}")
    for figure in figures:
        wanted = f"wanted: {figure.wanted}" if figure.wanted else ""
        print(f"  {figure.name:<58}{figure!s:>32} {figure.unit:<9}{wanted}".rstrip(), flush=True)


def spin() -> float:
    """Return the milliseconds that a fixed piece of arithmetic takes: its range is the noise of the machine."""
    begun = time.perf_counter()
    sum(number * number % 7 for number in range(1_000_000))
    return 1000 * (time.perf_counter() - begun)
