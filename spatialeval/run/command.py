"""The command that goes on with a run, as its manifest has it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from spatialeval.run.manifest import Manifest

if TYPE_CHECKING:
    from pathlib import Path

    from spatialeval.run.shard import Shard


def command_of(folder: Path, shard: Shard | None = None) -> str | None:
    """Return the last command that worked on a run folder, as a shell takes it; None where nobody knows.

    Args:
        folder: of the run.
        shard: which shard the command should ask, where the folder is that of another one.

    Raises:
        StorageError: when the manifest is damaged.
    """
    manifest = Manifest.read(folder)
    words = list(manifest.sessions[-1].command) if manifest and manifest.sessions else []
    if len(words) < 2:  # started from Python
        return None
    if shard:
        words = [_moved(word, before, shard) for before, word in zip(["", *words], words, strict=False)]
    return shlex.join(words)


def _moved(word: str, before: str, shard: Shard) -> str:
    if word.startswith("--shard="):
        return f"--shard={shard}"
    return str(shard) if before == "--shard" else word
