"""What an error out of torch or TRL means to the person in front of it. The traceback goes to a file."""

from __future__ import annotations

import contextlib
import errno
import re
import traceback
from typing import TYPE_CHECKING

from spatialeval.errors import SpatialEvalError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME = "error.txt"
"""In the folder of a stage: the traceback of what stopped it last."""

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
_DISK_SAID = re.compile(
    r"No space left|File too large|Read-only file system|quota exceeded|os error (28|27|30)\b"
    r"|PytorchStreamWriter failed|inline_container",
    re.IGNORECASE,
)
"""How safetensors and torch.save, which raise errors of their own, say that they cannot write."""


class StageError(SpatialEvalError):
    """A stage stopped in the middle; what was trained until its last checkpoint is kept."""


@contextlib.contextmanager
def explained(stage: str, folder: Path) -> Iterator[None]:
    """Turn what torch, transformers, peft or TRL raise within into one message.

    Args:
        stage: its name.
        folder: of the stage.

    Raises:
        StorageError: when the disk is full or cannot be written.
        StageError: for anything else that is no error of ours.
    """
    try:
        yield
    except SpatialEvalError:
        raise
    except Exception as error:
        with contextlib.suppress(OSError):  # a full disk has no room for this either
            (folder / FILE_NAME).write_text("".join(traceback.format_exception(error)))
        raise _explained(error, stage, folder) from error


def _explained(error: Exception, stage: str, folder: Path) -> SpatialEvalError:
    reason = str(error).strip() or type(error).__name__
    if _is_disk(error):
        return StorageError(
            f"stage {stage!r}: {folder} cannot be written ({reason[:200]}). Make room, then run the same command "
            "again: training goes on from the last whole checkpoint, which is kept."
        )
    if "out of memory" in reason.lower() or isinstance(error, MemoryError):
        return StageError(
            f"stage {stage!r}: memory is full ({reason[:200]}). Lower per_device_train_batch_size and raise "
            "gradient_accumulation_steps by as much, lower max_completion_length, or add `lora`."
        )
    return StageError(
        f"stage {stage!r} stopped: {type(error).__name__}: {reason[:600]}\nThe traceback is in {folder / FILE_NAME}. "
        "Mend the cause, then run the same command again: training goes on from the last checkpoint."
    )


def _is_disk(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in _DISK:
            return True
        if _DISK_SAID.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False
