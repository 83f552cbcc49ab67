"""Rows as the data set that TRL reads. Pictures are opened when a batch is made, so nothing is copied to disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spatialeval.media import open_image
from spatialeval.messages import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import datasets

    from spatialeval.messages import Message
    from spatialeval.training.rows import Row


def text_dataset(rows: Sequence[Row], *, answers: bool) -> datasets.Dataset:
    """Return `prompt` (a dialogue) and `row` (a key) of each row; with `answers`, also `completion`."""
    import datasets  # noqa: PLC0415 - slow to import

    return datasets.Dataset.from_list([_record(row, answers=answers, pictures=False) for row in rows])


def picture_dataset(rows: Sequence[Row], *, answers: bool) -> datasets.Dataset:
    """Return the same with `images`, each row made when it is read."""
    import datasets  # noqa: PLC0415 - slow to import

    made = datasets.Dataset.from_dict({"place": list(range(len(rows)))})
    return made.with_transform(_Shown(tuple(rows), answers))


@dataclass(frozen=True)
class _Shown:
    rows: tuple[Row, ...]
    answers: bool

    def __call__(self, batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        records = [_record(self.rows[place], answers=self.answers, pictures=True) for place in batch["place"]]
        return {name: [record[name] for record in records] for name in records[0]}


def _record(row: Row, *, answers: bool, pictures: bool) -> dict[str, Any]:
    messages = row.request.messages
    record: dict[str, Any] = {"prompt": [_turn(message, parts=pictures) for message in messages]}
    if answers:
        said = [{"type": "text", "text": row.answer}] if pictures else row.answer
        record["completion"] = [{"role": "assistant", "content": said}]
    if pictures:
        record["images"] = [open_image(image.media) for message in messages for image in message.images]
    return {**record, "row": row.key}


def _turn(message: Message, *, parts: bool) -> dict[str, Any]:
    """Return a turn as TRL takes it: for pictures in parts, since those of a plain text would all be put in front."""
    if not parts:
        return {"role": message.role, "content": message.text}
    content = [
        {"type": "text", "text": part.text} if isinstance(part, Text) else {"type": "image"} for part in message.parts
    ]
    return {"role": message.role, "content": content}
