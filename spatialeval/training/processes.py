"""Several processes of one training, as `torchrun` and `accelerate launch` start them: which one speaks and writes.

The first process alone locks folders, writes what all share and tells how it goes; a folder must be seen by all.
"""

from __future__ import annotations

import os


def rank() -> int:
    """Return the number of this process, 0 where it is the only one."""
    return int(os.environ.get("RANK", "0"))


def count() -> int:
    """Return how many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Tell whether this process writes and speaks."""
    return rank() == 0


def wait() -> None:
    """Wait until all processes are here."""
    if count() == 1:
        return
    import torch  # noqa: PLC0415 - heavy, and only several processes need it here
    from accelerate import PartialState  # noqa: PLC0415

    PartialState(cpu=not torch.cuda.is_available()).wait_for_everyone()
