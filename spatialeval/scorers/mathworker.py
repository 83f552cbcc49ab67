"""A process that compares mathematical answers, so that one on which sympy never ends can be stopped from outside.

Run as a program it reads lines of JSON, [target, answer, digits, relative], and writes true or false for each.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
from functools import cache
from importlib.util import find_spec
from math import isclose
from typing import Any

from spatialeval.errors import UsageError

_START = 120.0
"""Seconds for the first answer: importing sympy can take long on a busy machine."""


class Worker:
    """Starts the process when it is first needed, and again after it was stopped. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)

    def equal(self, target: str, answer: str, digits: int, relative: float, seconds: float) -> bool | None:
        """Return whether the two are equal; None when that is not known after `seconds`."""
        with self._lock:
            process = self._process
            if process is None or process.poll() is not None:
                process = self._process = _started()
            said = _asked(process, json.dumps([target, answer, digits, relative]), seconds)
            if said is None:
                self._stop()
            return None if said is None else bool(json.loads(said))

    def stop(self) -> None:
        """End the process."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


@cache
def worker() -> Worker:
    """Return the one worker of this process; raise UsageError when math-verify is not installed."""
    if find_spec("math_verify") is None:
        raise UsageError('math_equal needs the package math-verify. Install it: pip install "spatialeval[math]".')
    return Worker()


def _started() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", __name__]
    process = subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
    )
    if _asked(process, json.dumps(["1", "1", 6, 0]), _START) is None:
        process.kill()
        process.wait()
        raise UsageError("math_equal: math-verify does not start. Install it again: pip install 'spatialeval[math]'.")
    return process


def _asked(process: subprocess.Popen[bytes], line: str, seconds: float) -> bytes | None:
    """Write a line and return the answer; None when there is none in time."""
    if process.stdin is None or process.stdout is None:
        return None
    try:
        process.stdin.write(line.encode() + b"\n")
    except OSError:
        return None
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    return (process.stdout.readline() or None) if ready else None


def main() -> None:
    """Compare until the input ends."""
    import logging  # noqa: PLC0415 - the worker's own imports, after its start

    import math_verify  # type: ignore[import-untyped]  # noqa: PLC0415

    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        target, answer, digits, relative = json.loads(line)
        try:
            gold, said = (_parsed(math_verify, text) for text in (target, answer))
            equal = bool(gold and said) and math_verify.verify(gold, said, float_rounding=digits, timeout_seconds=None)
            equal = equal or (relative > 0 and isclose(_value(gold), _value(said), rel_tol=relative))
        except Exception:  # noqa: BLE001 - whatever the library cannot compare is not equal
            equal = False
        os.write(1, json.dumps(bool(equal)).encode() + b"\n")


def _value(expressions: list[Any]) -> float:
    """Return the first expression as a number; one that is none raises."""
    first = expressions[0]
    return float(first.evalf() if hasattr(first, "evalf") else first)


def _parsed(library: object, text: str) -> list[object]:
    marked = any(mark in text for mark in ("$", "\\boxed", "\\(", "\\["))
    found: list[object] = library.parse(text if marked else f"${text}$", parsing_timeout=None)  # type: ignore[attr-defined]
    return found


if __name__ == "__main__":
    main()
