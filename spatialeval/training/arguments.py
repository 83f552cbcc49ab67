"""The arguments of a stage for TRL: ours where a recipe leaves them open, the recipe's by their own names."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from spatialeval.errors import TaskFileError, UsageError, nearest
from spatialeval.models.hf.checkpoint import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from spatialeval.training.load import RecipeFile
    from spatialeval.training.schema import Stage

_OURS = {
    "output_dir": "stages write below --out",
    "seed": "write `seeds`",
    "reward_weights": "write the weights into `rewards`",
    "resume_from_checkpoint": "the same command resumes",
    "remove_unused_columns": "rewards need the rows",
    "push_to_hub": "nothing is uploaded while training",
}
"""Arguments that a recipe cannot give, and what stands in their place."""


def derived(found: RecipeFile, stage: Stage, seed: int, folder: Path) -> dict[str, Any]:
    """Return every argument that is handed to TRL's SFTConfig or GRPOConfig; no import is heavier than this module.

    Raises:
        TaskFileError: for an argument that the recipe cannot give.
    """
    given = {**found.recipe.trl, **stage.trl}
    for name in given:
        if name in _OURS:
            raise _refused(found, stage, name, f"cannot be given: {_OURS[name]}.")
    ours: dict[str, Any] = {
        "report_to": "none",
        "logging_steps": 1,
        "save_strategy": "steps",
        "save_total_limit": 2,
        "disable_tqdm": True,
        "output_dir": str(folder),
        "seed": seed,
        "remove_unused_columns": False,
    }
    if stage.method == "sft":
        ours |= {"completion_only_loss": True, "max_length": None}
    return {**ours, **given}


def config_of(found: RecipeFile, stage: Stage, arguments: dict[str, Any]) -> Any:
    """Return the TRL configuration. Imports torch.

    Raises:
        TaskFileError: for an argument that the installed TRL does not know, or a value that it refuses.
        UsageError: when TRL is not installed.
    """
    make = _config_class(stage)
    lora_of(found, stage)  # a wrong name in it is told with the others, before anything is loaded
    known = {field.name for field in fields(make)}
    for name in {**found.recipe.trl, **stage.trl}:
        if name not in known:
            raise _refused(found, stage, name, f"is no argument of TRL's {make.__name__}. {nearest(name, known)}")
    try:
        return make(**_on_this_machine(arguments, known))
    except (TypeError, ValueError, ImportError) as error:
        reason = str(error).strip()
        given = [name for name in {**found.recipe.trl, **stage.trl} if name in reason]
        raise _refused(
            found, stage, max(given, key=len, default=None), f"{make.__name__} says: {reason[:500]}{_hint(reason)}"
        ) from error


def lora_of(found: RecipeFile, stage: Stage) -> Any:
    """Return peft's LoraConfig of a stage, None where all weights are trained. Imports torch.

    Raises:
        TaskFileError: for an argument that the installed peft does not know, or a value that it refuses.
    """
    if stage.lora is None:
        return None
    from peft import LoraConfig  # noqa: PLC0415 - imports torch

    known = {field.name for field in fields(LoraConfig)}
    given = stage.lora.model_dump()
    place = ("stages", found.recipe.stages.index(stage), "lora")
    for name in given:
        if name not in known:
            path = (*place, name)
            why = f"is no argument of peft's LoraConfig. {nearest(name, known)}"
            raise TaskFileError(why, file=found.file, line=found.lines.of(path), key=".".join(map(str, path)))
    try:
        return LoraConfig(**{"task_type": "CAUSAL_LM", **given})
    except (TypeError, ValueError) as error:
        why = f"peft's LoraConfig says: {error}"
        raise TaskFileError(why, file=found.file, line=found.lines.of(place), key=".".join(map(str, place))) from error


def _hint(reason: str) -> str:
    if "divisible by num_generations" not in reason:
        return ""
    return (
        " Batches count completions: per_device_train_batch_size x processes x gradient_accumulation_steps must be a "
        "multiple of num_generations."
    )


def _config_class(stage: Stage) -> Any:
    try:
        from trl import GRPOConfig, SFTConfig  # noqa: PLC0415 - imports torch
    except ImportError as error:
        raise UsageError(f"training needs TRL ({error}): pip install 'spatialeval[train]'") from error
    return SFTConfig if stage.method == "sft" else GRPOConfig


def loading(found: RecipeFile, stage: Stage) -> LoadSettings:
    """Return how the base is loaded: in float32, as TRL does, unless `model_init_kwargs` give another dtype.

    Raises:
        TaskFileError: for another key of `model_init_kwargs`.
    """
    given = {**found.recipe.trl, **stage.trl}.get("model_init_kwargs") or {}
    known = ("dtype", "trust_remote_code")
    if unknown := sorted(set(given) - set(known)):
        why = f"takes {' and '.join(known)}, and not {unknown[0]!r}. Leave it out."
        raise _refused(found, stage, "model_init_kwargs", why)
    trusted = bool(given.get("trust_remote_code", False))
    return LoadSettings(dtype=given.get("dtype", "float32"), device="cpu", trust_remote_code=trusted)


def _on_this_machine(arguments: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Return the arguments with what a machine without an accelerator needs: TRL's own defaults are for GPUs."""
    import torch  # noqa: PLC0415 - heavy

    old, new = "gradient_checkpointing", "activation_checkpointing"
    name = new if new in known else old  # transformers warns about the old name, which TRL sets by default
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        plain: dict[str, Any] = {name: True}
    else:
        plain = {"use_cpu": True, "bf16": False, name: False, "dataloader_pin_memory": False}
    given = {key: value for key, value in arguments.items() if key != "model_init_kwargs"}  # see `loading`
    return {**plain, **{name if key == old else key: value for key, value in given.items()}}


def _refused(found: RecipeFile, stage: Stage, name: str | None, why: str) -> TaskFileError:
    place = found.recipe.stages.index(stage)
    key: tuple[str | int, ...] = ("stages", place, "trl")
    if name in found.recipe.trl and name not in stage.trl:
        key = ("trl",)
    path = (*key, name) if name else key
    return TaskFileError(why, file=found.file, line=found.lines.of(path), key=".".join(map(str, path)))
