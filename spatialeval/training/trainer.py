"""One stage on TRL: model, data and rewards put into its trainer. Imports torch; loaded when a stage starts."""

from __future__ import annotations

import contextlib
import json
import shutil
import warnings
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import datasets
import transformers
from trl import GRPOTrainer, SFTTrainer

from spatialeval.errors import UsageError
from spatialeval.models.hf.checkpoint import locate
from spatialeval.models.hf.loading import load
from spatialeval.models.hf.paligemma import mask_answers
from spatialeval.training import processes
from spatialeval.training.arguments import config_of, derived, loading, lora_of
from spatialeval.training.completions import Completions
from spatialeval.training.dataset import picture_dataset, text_dataset
from spatialeval.training.failures import explained
from spatialeval.training.load import terms_of
from spatialeval.training.muon import make_muon
from spatialeval.training.rewarding import RewardFunctions, looks_at_group
from spatialeval.training.steplog import StepLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from spatialeval.models.hf.loading import Loaded
    from spatialeval.training.load import RecipeFile
    from spatialeval.training.rows import Row
    from spatialeval.training.schema import Stage

_STATE = "trainer_state.json"
"""What the Trainer writes last into a checkpoint: one without it was cut off while it was written."""


@dataclass(frozen=True)
class Job:
    """A stage that is about to run.

    Attributes:
        found: the recipe.
        stage: of it.
        seed: of this run.
        base: folder or hub name of the checkpoint it starts from, with `@revision` where given.
        rows: what is trained on.
        folder: of the stage: checkpoints, `final`, `log.jsonl`, `completions`.
        tell: hears how it goes.
    """

    found: RecipeFile
    stage: Stage
    seed: int
    base: str
    rows: Sequence[Row]
    folder: Path
    tell: Callable[[str], None] = lambda _: None


def train(job: Job) -> Path:
    """Run the stage, from its last whole checkpoint where there is one, and return the folder of the trained model.

    Raises:
        RewardError: when a reward raises; checkpoints written before are kept.
        TaskFileError: for arguments that TRL does not take.
        UsageError: when the base cannot be loaded.
        StorageError: when a checkpoint cannot be written; earlier ones are kept.
        StageError: for what else stops the trainer.
    """
    with explained(job.stage.name, job.folder), _quiet():
        transformers.set_seed(job.seed)
        loaded = _load(job)
        _freeze(loaded.model, job.stage)
        completions = Completions(job.folder / "completions", processes.rank())
        trainer = make_trainer(job, loaded, completions)
        if job.stage.lora is not None:  # adapters of frozen weights would be merged into them
            _freeze(trainer.model, job.stage)
        if job.stage.optimizer == "muon":
            trainer.optimizer = make_muon(trainer.model, trainer.args)
        for model in (loaded.model, getattr(trainer, "ref_model", None)):
            if model is not None and model.config.model_type == "paligemma":
                mask_answers(model)
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.add_callback(StepLog(job.folder, completions, job.stage.name, job.tell))
        last = last_checkpoint(job.folder)
        if last and job.stage.lora is None and not trainer.is_fsdp_enabled:
            trainer._load_from_checkpoint = lambda folder, *_: _load_weights(trainer.model, folder)  # noqa: SLF001 - no other way in
        trainer.train(resume_from_checkpoint=str(last) if last else None)
        return _save(job, trainer, loaded)


def _load(job: Job) -> Loaded:
    """Return the base on the CPU: the trainer puts it where it belongs, one device of each process or parts of many."""
    name, _, revision = job.base.partition("@")
    return load(locate(name, revision or None), loading(job.found, job.stage))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave out the bars of every small step, and the warning about a name that TRL itself still uses."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)
        shown = datasets.are_progress_bars_disabled()
        datasets.disable_progress_bars()
        try:
            yield
        finally:
            if not shown:
                datasets.enable_progress_bars()


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint of a stage; one that was cut off while it was written does not count."""
    whole = [
        (int(path.name.rpartition("-")[2]), path)
        for path in folder.glob("checkpoint-*")
        if path.name.rpartition("-")[2].isdigit() and _is_whole(path)
    ]
    return max(whole, default=(0, None))[1]


def _is_whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / _STATE).read_bytes())
    except (OSError, ValueError):
        return False
    return True


def make_trainer(job: Job, loaded: Loaded, completions: Completions) -> Any:
    """Return TRL's trainer of the stage, with its data and rewards."""
    config = config_of(job.found, job.stage, derived(job.found, job.stage, job.seed, job.folder))
    seeing = loaded.sees and any(row.sample.media for row in job.rows)
    if any(row.sample.media for row in job.rows) and not loaded.sees:
        raise UsageError(f"{job.base} takes no pictures, and {job.stage.name!r} trains on rows with some.")
    make = picture_dataset if seeing else text_dataset
    sft = job.stage.method == "sft"
    shared = {
        "model": loaded.model,
        "args": config,
        "train_dataset": make(job.rows, answers=sft),
        "processing_class": loaded.renderer,
        "peft_config": lora_of(job.found, job.stage),
    }
    if sft:
        return SFTTrainer(**shared)
    functions = RewardFunctions(
        {row.key: row for row in job.rows},
        terms_of(job.found.recipe, job.stage),
        frozenset(_ends(loaded)),
        completions,
    )
    _check_groups(job, config, functions)
    config.reward_weights = functions.weights
    return GRPOTrainer(reward_funcs=functions.functions(), **shared)


def _check_groups(job: Job, config: Any, functions: RewardFunctions) -> None:
    """Refuse too few rows, of which TRL makes no batch, and rewards for whole groups where processes share them."""
    prompts = config.generation_batch_size // config.num_generations
    if len(job.rows) < prompts:
        raise UsageError(
            f"stage {job.stage.name!r} has {len(job.rows)} rows, and one batch of {config.generation_batch_size} "
            f"completions needs {prompts}. Lower per_device_train_batch_size or gradient_accumulation_steps."
        )
    each = config.per_device_train_batch_size * config.steps_per_generation
    split = processes.count() > 1 and each % config.num_generations
    if split and (names := [term.name for term in functions.terms if looks_at_group(term)]):
        raise UsageError(
            f"stage {job.stage.name!r}: {', '.join(names)} looks at all completions of a prompt, and a process has "
            f"{each} of groups of {config.num_generations}. Make per_device_train_batch_size a multiple of it."
        )


def _freeze(model: Any, stage: Stage) -> None:
    """Keep the named weights as they are; raise UsageError for a pattern that names none."""
    for pattern in stage.freeze:
        named = [weight for name, weight in model.named_parameters() if fnmatch(name, f"*{pattern}*")]
        if not named:
            raise UsageError(f"stage {stage.name!r}, freeze: no weight is called {pattern!r}. Correct the pattern.")
        for weight in named:
            weight.requires_grad_(requires_grad=False)


def _load_weights(model: Any, checkpoint: str) -> None:
    """Load a checkpoint as any other is loaded.

    The Trainer looks for the names that weights have in memory and passes over all others without a word, but files
    have the names that a model was published with: transformers 5 would go on from the base where the two differ, as
    they do for LLaVA and other vision models.
    """
    kept = type(model).from_pretrained(checkpoint, dtype=model.dtype)
    model.load_state_dict(kept.state_dict())


def _ends(loaded: Loaded) -> list[int]:
    """Return the tokens at which TRL stops: the model's and the tokenizer's."""
    ends = loaded.model.generation_config.eos_token_id
    known = [ends] if isinstance(ends, int) else list(ends or ())
    own = loaded.tokenizer.eos_token_id
    return known if own is None else [*known, own]


def _save(job: Job, trainer: Any, loaded: Loaded) -> Path:
    """Write the trained model, adapters merged, so that the next stage and evaluations load it as any checkpoint.

    The trainer writes it, since the weights may be in parts on several devices; adapters are put into a fresh copy of
    the base for the same reason.
    """
    part, final = job.folder / "final.part", job.folder / "final"
    if job.stage.lora is None:
        trainer.save_model(str(part))
    else:
        trainer.save_model(str(job.folder / "adapter"))
    if processes.is_main():
        if job.stage.lora is not None:
            _merged(job).save_pretrained(part)
        loaded.renderer.save_pretrained(part)
        (part / "training_args.bin").unlink(missing_ok=True)
        if final.exists():  # a stage that was killed between this and the line that says it has ended
            shutil.rmtree(final)
        part.rename(final)
    return final


def _merged(job: Job) -> Any:
    from peft import PeftModel  # noqa: PLC0415 - only where it is used

    return PeftModel.from_pretrained(_load(job).model, job.folder / "adapter").merge_and_unload()


__all__ = ["Job", "last_checkpoint", "make_trainer", "train"]
