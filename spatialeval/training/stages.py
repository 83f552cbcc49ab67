"""The stages of a recipe one after the other, each from the checkpoint before it; a finished stage is not run again.

OUT/<recipe>/seed-<n>/<stage>/stage.json       what the stage is: its identity, data, time and versions
checkpoint-<n>/  as the trainer writes them; the newest whole one is resumed
log.jsonl        what TRL logs, a line per step
curves.svg, .png reward, spread, lengths and more over the steps, where matplotlib is installed
completions/     every completion with its rewards (GRPO)
filter.jsonl     how often the base solved each prompt, where the stage filters
error.txt        the traceback of what stopped it last
final/           the trained model, adapters merged
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialeval.data.fingerprint import fingerprint
from spatialeval.errors import RunChangedError, StorageError, UsageError
from spatialeval.models.hf.model import EMBEDDED
from spatialeval.rewards.sets import load_set
from spatialeval.run.families import FILE_NAME as FAMILIES
from spatialeval.run.families import trained_families
from spatialeval.run.files import write_json
from spatialeval.run.folder import locked, move_aside
from spatialeval.run.identity import check_same
from spatialeval.run.manifest import now, package_versions
from spatialeval.training import guards, processes
from spatialeval.training.arguments import config_of, derived, loading
from spatialeval.training.curves import draw
from spatialeval.training.rows import load_rows
from spatialeval.training.schema import BASE
from spatialeval.training.solving import teaching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spatialeval.training.load import RecipeFile
    from spatialeval.training.rows import Rows
    from spatialeval.training.schema import Stage

FILE_NAME = "stage.json"


@dataclass(frozen=True)
class Trained:
    """A stage that has ended.

    Attributes:
        stage: its name.
        seed: of the run.
        model: the folder of its model.
        told: the content of its stage.json.
    """

    stage: str
    seed: int
    model: Path
    told: dict[str, Any]


def base_of(found: RecipeFile) -> str:
    """Return the folder or hub name of the recipe's base; a folder is relative to the recipe."""
    base = found.recipe.base
    if base == "embedded":
        return str(EMBEDDED)
    folder = found.below(base)
    return str(folder) if folder.is_dir() else base


def run_folder(found: RecipeFile, out: Path, seed: int) -> Path:
    """Return where the stages of one seed go."""
    return out / found.recipe.id / f"seed-{seed}"


def run_stages(
    found: RecipeFile, out: Path, seed: int, *, fresh: bool = False, tell: Callable[[str], None] = lambda _: None
) -> Iterator[Trained]:
    """Train every stage that has not ended yet, and yield each as it ends.

    Args:
        found: the recipe.
        out: where results go.
        seed: one of the recipe's.
        fresh: move what is there aside and start over.
        tell: hears what happens.

    Raises:
        RunChangedError: when a folder holds a stage of another recipe, base or data.
        ContaminationError: when rows are questions of an evaluation.
        RewardError: when a reward raises; what was trained is kept.
        StorageError: when the disk is full; checkpoints written before are kept.
        StageError: for what else stops the trainer.
    """
    if not processes.is_main():
        tell = _nothing
    models = {BASE: base_of(found)}
    folder = run_folder(found, out, seed)
    if fresh and processes.is_main() and (moved := move_aside(folder)):
        tell(f"What was there before is in {moved}.")
    for stage in found.recipe.stages:
        base = models[found.recipe.start_of(stage)]
        with locked(folder / stage.name) if processes.is_main() else contextlib.nullcontext():
            trained = _stage(found, stage, seed, base, folder / stage.name, tell)
        yield trained
        models[stage.name] = str(trained.model)


def _nothing(_: str) -> None:
    """Hear a line of a process that has nothing to say."""


def _stage(found: RecipeFile, stage: Stage, seed: int, base: str, folder: Path, tell: Callable[[str], None]) -> Trained:
    rows, notes = askable(found, stage, seed)
    for note in notes:
        tell(note)
    if processes.is_main():
        _begin(folder, _identity(found, stage, seed, base, rows), base, rows)
    processes.wait()
    told = _known(folder)
    if told["ended"]:
        tell(f"{stage.name}, seed {seed}: trained before, in {folder / 'final'}")
        return Trained(stage.name, seed, folder / "final", told)
    _check_arguments(found, stage, seed, folder)
    start = time.monotonic()
    rows, solved = _filtered(found, stage, base, rows, folder, tell)
    tell(f"{stage.name}, seed {seed}: {stage.method} on {len(rows.rows):,} rows from {base}")
    from spatialeval.training.trainer import Job, train  # noqa: PLC0415 - imports torch and trl

    try:
        final = train(Job(found, stage, seed, base, rows.rows, folder, tell))
    finally:
        if processes.is_main():
            told = {**told, **solved, "seconds": told["seconds"] + time.monotonic() - start}
            with contextlib.suppress(StorageError):  # a full disk has its message already
                write_json(folder / FILE_NAME, told)
    if processes.is_main():
        _write_families(final, base, rows.families)
        draw(folder, f"{found.recipe.id}, {stage.name}, seed {seed}", tell)
        write_json(folder / FILE_NAME, {**told, "ended": now(), "packages": _versions()})
    processes.wait()
    return Trained(stage.name, seed, final, _known(folder))


def _versions() -> dict[str, str]:
    """Return the versions of everything that trained."""
    return package_versions() | {name: version(name) for name in ("accelerate", "peft", "trl")}


def _check_arguments(found: RecipeFile, first: Stage, seed: int, folder: Path) -> None:
    """Refuse arguments of this stage and of those after it before hours are spent on the first."""
    stages = found.recipe.stages
    for stage in stages[stages.index(first) :]:
        loading(found, stage)
        config_of(found, stage, derived(found, stage, seed, folder))


def _begin(folder: Path, identity: dict[str, Any], base: str, rows: Rows) -> None:
    """Write down what the stage is, or check that it is what is in the folder."""
    if held := _read(folder):
        check_same(held["identity"], identity, folder)
        _check_processes(held, folder)
        return
    told = {
        "format": 1, "identity": identity, "base": base, "started": now(), "ended": None, "seconds": 0.0,
        "processes": processes.count(), "rows": rows.counts, "left_out": rows.left_out,
        "families": sorted(rows.families),
    }  # fmt: skip
    write_json(folder / FILE_NAME, told)


def _check_processes(held: dict[str, Any], folder: Path) -> None:
    """Refuse to go on with other batches: they are made by all processes together."""
    begun = held.get("processes", processes.count())
    if held["ended"] or begun == processes.count():
        return
    if any(folder.glob("checkpoint-*")):
        raise UsageError(
            f"{folder} was begun by {begun} processes, and this is {processes.count()}: batches would not be the same. "
            "Start as many, or add --fresh to start over."
        )
    write_json(folder / FILE_NAME, {**held, "processes": processes.count()})


def _known(folder: Path) -> dict[str, Any]:
    if (told := _read(folder)) is None:
        raise StorageError(f"{folder / FILE_NAME} is not there. Processes that train together must share --out.")
    return told


def _filtered(
    found: RecipeFile, stage: Stage, base: str, rows: Rows, folder: Path, tell: Callable[[str], None]
) -> tuple[Rows, dict[str, Any]]:
    """Return the rows that are neither solved nor hopeless, and a note on the others for stage.json."""
    if stage.filter is None:
        return rows, {}
    most = {**found.recipe.trl, **stage.trl}.get("max_completion_length", 512)  # TRL's default
    asks = tell if processes.is_main() else None
    kept, left_out = teaching(stage.filter, rows.rows, base, int(most), folder, tell=asks)
    tell(f"{stage.name}: filter kept {len(kept):,} of {len(rows.rows):,} prompts ({_told(left_out)} left out)")
    if not kept:
        raise UsageError(
            f"{found.file}: the filter of stage {stage.name!r} leaves no prompt: all are solved or hopeless."
        )
    return replace(rows, rows=kept), {"filtered": left_out}


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.items()) or "none"


def askable(found: RecipeFile, stage: Stage, seed: int) -> tuple[Rows, list[str]]:
    """Return the rows of a stage that may be trained on, and what is to be said of those that may not.

    Raises:
        ContaminationError: when rows are questions of an evaluation.
        UsageError: when no row is left, or GRPO would mix rows with and without pictures.
    """
    rows = load_rows(found, stage, seed)
    kept, notes = guards.check(found, rows.rows)
    if not kept:
        raise UsageError(f"{found.file}: every row of stage {stage.name!r} is a question of an evaluation.")
    seen = sum(bool(row.sample.media) for row in kept)
    if stage.method == "grpo" and 0 < seen < len(kept):
        raise UsageError(
            f"{found.file}: stage {stage.name!r} has {seen:,} rows with pictures and {len(kept) - seen:,} without, of "
            "which TRL 1.16's GRPO makes no batch. Leave one kind out (`where`), or give each a stage of its own."
        )
    return replace(rows, rows=kept), notes


def _identity(found: RecipeFile, stage: Stage, seed: int, base: str, rows: Rows) -> dict[str, Any]:
    """Return what decides what a stage learns, JSON-able; paths of this machine are no part of it."""
    recipe = found.recipe
    arguments = derived(found, stage, seed, Path())
    plain = {name: value for name, value in arguments.items() if name not in _NO_IDENTITY}
    told = {
        "recipe": recipe.id,
        "stage": stage.model_dump(mode="json", exclude=_NO_IDENTITY_OF_STAGE, exclude_defaults=True),
        "prompt": (stage.prompt or recipe.prompt).model_dump(mode="json", exclude_defaults=True),
        "rewards": _dumped(stage.rewards or recipe.rewards),
        "arguments": plain,
        "base": _digest_of(base),
        "data": fingerprint(row.sample for row in rows.rows),
        "prompts": hashlib.sha256("".join(row.request.digest for row in rows.rows[:64]).encode()).hexdigest(),
    }
    plain_told: dict[str, Any] = json.loads(json.dumps(told, default=str))
    return plain_told


_PLACES = {"data": True, "media": True, "partial": True}
_NO_IDENTITY_OF_STAGE: Any = {"trl": True, "start": True, "data": {"__all__": _PLACES}}
"""`start`, since the digest of its base stands for it, and where rows lie, since that of the rows does."""

_NO_IDENTITY = frozenset({"output_dir", "logging_steps", "save_steps", "save_total_limit", "report_to", "disable_tqdm"})


def _dumped(rewards: Any) -> Any:
    """Return the terms; of a set, which a later version may change, its name with them."""
    if isinstance(rewards, str):
        return {rewards: _dumped(load_set(rewards).rewards)}
    return [term.model_dump(mode="json", exclude_defaults=True) for term in rewards]


def _digest_of(base: str) -> str:
    from spatialeval.models.hf.checkpoint import locate  # noqa: PLC0415 - only where something is trained

    name, _, revision = base.partition("@")
    return locate(name, revision or None).identity


def _write_families(final: Path, base: str, families: frozenset[str]) -> None:
    """Write beside the model which transformations it was trained on, those of its base included."""
    known = trained_families(f"hf:{base}") or frozenset()
    write_json(final / FAMILIES, {"format": 1, "families": sorted(families | known)})


def _read(folder: Path) -> dict[str, Any] | None:
    file = folder / FILE_NAME
    try:
        told = json.loads(file.read_bytes())
        if told["format"] != 1 or not isinstance(told["identity"], dict):
            raise ValueError("not a stage of format 1")  # noqa: TRY301 - joins the other reasons below
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{file} cannot be read ({error}). Add --fresh to start over.") from error
    read: dict[str, Any] = told
    return read


__all__ = ["RunChangedError", "Trained", "base_of", "run_folder", "run_stages"]
