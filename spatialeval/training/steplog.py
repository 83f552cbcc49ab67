"""What TRL logs, as one JSON line per step, and one short line now and then for the person who waits."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import transformers

from spatialeval.run.files import write_atomically
from spatialeval.training.steps import FILE_NAME, lines_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spatialeval.training.completions import Completions

_PAUSE = 10.0
"""Seconds between two lines of progress."""
_TOLD = (("loss", "loss"), ("reward", "reward"), ("frac_reward_zero_std", "no spread"), ("kl", "KL"))


class StepLog(transformers.TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """Writes log.jsonl and the completions, and tells how it goes.

    Args:
        folder: of the stage.
        completions: written with each line.
        name: of the stage.
        tell: hears the lines of progress.
    """

    def __init__(self, folder: Path, completions: Completions, name: str, tell: Callable[[str], None]) -> None:
        self._file, self._completions, self._name, self._tell = folder / FILE_NAME, completions, name, tell
        self._told = float("-inf")

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Drop lines of steps after the checkpoint that is resumed: they are trained, and logged, again."""
        if not state.is_world_process_zero or not self._file.exists():
            return
        kept = lines_until(self._file.parent, state.global_step)
        write_atomically(self._file, "".join(f"{json.dumps(line)}\n" for line in kept).encode())

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Write the completions of steps that will not be run again."""
        self._completions.flush()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:  # noqa: ARG002
        """Append one line, and tell it where the last one is some time ago."""
        self._completions.flush()
        if not state.is_world_process_zero:
            return
        with self._file.open("a") as stream:
            stream.write(json.dumps({"step": state.global_step, **(logs or {})}, default=float) + "\n")
        told = [f"{short} {logs[name]:.4g}" for name, short in _TOLD if logs and name in logs]
        last = state.global_step >= state.max_steps
        if told and (last or time.monotonic() - self._told >= _PAUSE):
            self._told = time.monotonic()
            self._tell(f"  {self._name} {state.global_step:,}/{state.max_steps:,}: {', '.join(told)}")
