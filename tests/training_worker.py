"""`spatialeval train` in a process of its own that comes to harm while it writes the checkpoint of step 4.

Usage: training_worker.py killed|full_disk RECIPE OUT
"""

from __future__ import annotations

import os
import resource
import signal
import sys

import training_rewards  # noqa: F401 - registers its rewards
from transformers import Trainer, TrainerState

from spatialeval.cli.main import main

STEP = 4


def kill_while_the_checkpoint_is_half_written():
    save = TrainerState.save_to_json

    def half(self, path):
        if self.global_step == STEP:
            os.kill(os.getpid(), signal.SIGKILL)
        save(self, path)

    TrainerState.save_to_json = half


def fill_the_disk():
    save = Trainer._save_checkpoint

    def full(self, *arguments, **named):
        if self.state.global_step == STEP:
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        save(self, *arguments, **named)

    Trainer._save_checkpoint = full


if __name__ == "__main__":
    how, recipe, out = sys.argv[1:]
    {"killed": kill_while_the_checkpoint_is_half_written, "full_disk": fill_the_disk}[how]()
    main(["train", recipe, "--out", out])
