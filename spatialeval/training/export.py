"""A stage for other engines: their data files, and a reward module that calls our rewards by a row's key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spatialeval.errors import DataError, UsageError
from spatialeval.media import sniff_mime
from spatialeval.messages import Text
from spatialeval.rewards.reply import Reply
from spatialeval.rewards.sets import load_set
from spatialeval.rewards.terms import bind
from spatialeval.run.storage import unwritable
from spatialeval.training import exported
from spatialeval.training.engines import COMMANDS, MODULES
from spatialeval.training.rewarding import looks_at_group
from spatialeval.training.stages import askable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from spatialeval.messages import Message
    from spatialeval.rewards.terms import Term
    from spatialeval.training.load import RecipeFile
    from spatialeval.training.rows import Row
    from spatialeval.training.schema import Stage

_PLACE = "<image>"
"""Where a picture stands in a text, for all three engines."""


def export(
    found: RecipeFile, engine: str, folder: Path, *, stage: str | None, seed: int, tell: Callable[[str], None]
) -> list[Path]:
    """Write data and reward module of one GRPO stage; return the files.

    Args:
        found: the recipe.
        engine: `verl`, `easyr1` or `ms-swift`.
        folder: where the files go; the engine reads them there.
        stage: its name; the only GRPO stage of the recipe when left out.
        seed: draws and shuffles the rows.
        tell: hears what to run, and which overlaps are accepted.

    Raises:
        UsageError: for a stage that the engine cannot take.
        ContaminationError: when rows are questions of an evaluation.
        StorageError: when the files cannot be written.
    """
    chosen = _stage(found, stage)
    rows, notes = askable(found, chosen, seed)
    for note in notes:
        tell(note)
    rewards = chosen.rewards or found.recipe.rewards
    terms = load_set(rewards).rewards if isinstance(rewards, str) else rewards
    _check(engine, rows.rows, terms)
    most = int({**found.recipe.trl, **chosen.trl}.get("max_completion_length", 512))  # TRL's default
    try:
        folder.mkdir(parents=True, exist_ok=True)
        data = _WRITERS[engine](rows.rows, folder)
        module = folder / "reward.py"
        weights = {term.name: term.term.weight for term in bind(terms)}
        module.write_text(MODULES[engine].format(recipe=found.recipe.id, stage=chosen.name, weights=weights))
        files = [data, module, *exported.write(folder, rows.rows, terms, most)]
    except OSError as error:
        raise unwritable(folder, error) from error
    names = {
        "names": " ".join(f"spatialeval_{name}" for name in weights),
        "weights": " ".join(map(str, weights.values())),
    }
    tell(COMMANDS[engine].format(folder=folder.resolve(), **names))
    return files


def _stage(found: RecipeFile, name: str | None) -> Stage:
    stages = [stage for stage in found.recipe.stages if stage.method == "grpo" and name in {None, stage.name}]
    if len(stages) != 1:
        known = ", ".join(stage.name for stage in found.recipe.stages if stage.method == "grpo") or "none"
        raise UsageError(f"{found.file}: one GRPO stage is exported; name it with --stage. GRPO stages: {known}.")
    return stages[0]


def _check(engine: str, rows: Sequence[Row], terms: Sequence[Term]) -> None:
    """Refuse what the engine cannot say to a model or to a reward."""
    for row in rows:
        if any(_PLACE in message.text for message in row.request.messages):
            raise UsageError(f"row {row.key!r} has {_PLACE} in its text, which {engine} takes for a picture.")
        if engine == "easyr1" and [message.role for message in row.request.messages] != ["user"]:
            raise UsageError(f"row {row.key!r} has more than one user turn, which EasyR1 cannot show. Take `verl`.")
    if engine == "easyr1":
        return  # it tells the length of a reply
    for term in bind(terms):
        row = rows[0]
        if looks_at_group(term):
            raise UsageError(f"verl does not tell rewards the other replies to a prompt, which {term.name!r} looks at.")
        try:
            term.reward(Reply(row.sample, row.answer, row.grader))
        except DataError as error:
            raise UsageError(
                f"{engine} does not tell rewards how long a reply is, and {term.name!r}: {error}"
            ) from error


def _plain(message: Message) -> dict[str, str]:
    text = "".join(part.text if isinstance(part, Text) else _PLACE for part in message.parts)
    return {"role": message.role, "content": text}


def _pictures(row: Row) -> list[bytes]:
    return [image.media.read() for message in row.request.messages for image in message.images]


def _parquet(records: list[dict[str, Any]], file: Path) -> Path:
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.parquet as pq  # noqa: PLC0415

    pq.write_table(pa.Table.from_pylist(records), file)
    return file


def _verl(rows: Sequence[Row], folder: Path) -> Path:
    """Columns of docs/preparation/prepare_data.rst and examples/data_preprocess/geo3k.py (volcengine/verl b178a3c)."""
    seeing = any(row.sample.media for row in rows)
    records = [
        {
            "data_source": row.task,
            "prompt": [_plain(message) for message in row.request.messages],
            **({"images": [{"bytes": data} for data in _pictures(row)]} if seeing else {}),
            "ability": row.sample.category,
            "reward_model": {"style": "rule", "ground_truth": row.answer},
            "extra_info": {"split": "train", "index": index, "row": row.key},
        }
        for index, row in enumerate(rows)
    ]
    return _parquet(records, folder / "train.parquet")


def _easyr1(rows: Sequence[Row], folder: Path) -> Path:
    """Columns that verl/utils/dataset.py reads (hiyouga/EasyR1 b44b311); the answer is the row's key."""
    seeing = any(row.sample.media for row in rows)
    records = [
        {
            "prompt": _plain(row.request.messages[0])["content"],
            "answer": row.key,
            **({"images": [{"bytes": data} for data in _pictures(row)]} if seeing else {}),
        }
        for row in rows
    ]
    return _parquet(records, folder / "train.parquet")


def _swift(rows: Sequence[Row], folder: Path) -> Path:
    """Lines of Custom-dataset.md (modelscope/ms-swift 3602360); further columns are handed to rewards."""
    file = folder / "train.jsonl"
    with file.open("w") as stream:
        for row in rows:
            record: dict[str, Any] = {"messages": [_plain(message) for message in row.request.messages], "row": row.key}
            if any(message.images for message in row.request.messages):
                record["images"] = [
                    _kept(image.media, folder) for message in row.request.messages for image in message.images
                ]
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")
    return file


def _kept(media: Any, folder: Path) -> str:
    """Write a picture once, named by its hash; return its absolute path."""
    data = media.read()
    file = folder / "images" / f"{media.sha256}.{sniff_mime(data, media.name).rpartition('/')[2]}"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)
    return str(file.resolve())


_WRITERS: dict[str, Callable[[Sequence[Row], Path], Path]] = {"verl": _verl, "easyr1": _easyr1, "ms-swift": _swift}
