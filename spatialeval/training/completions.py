"""Every completion of a GRPO stage with its rewards, as Parquet: one file per step and process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from spatialeval.rewards.reply import Reply


@dataclass
class Completions:
    """Collects what the reward functions saw.

    Attributes:
        folder: where the files go.
        rank: of the process; others than the first have it in their files' names.
    """

    folder: Path
    rank: int = 0
    _held: dict[int, dict[int, dict[str, Any]]] = field(default_factory=dict, repr=False)

    def add(
        self, step: int, keys: Sequence[str], replies: Sequence[Reply], values: Mapping[str, Sequence[Any]]
    ) -> None:
        """Take in one reward's values of a batch; those of other rewards join the same lines."""
        lines = self._held.setdefault(step, {})
        for reply, key, place in zip(replies, keys, range(len(keys)), strict=True):
            line = lines.setdefault(
                id(reply),
                {
                    "step": step,
                    "row": key,
                    "sample_id": reply.sample.id,
                    "category": reply.sample.category,
                    "reply": reply.text,
                    "finish": reply.finish,
                    "tokens": reply.tokens,
                    "state": reply.score.state,
                    "score": reply.score.value,
                    "_reply": reply,  # held, so that its id stays its own
                },
            )
            line |= {f"reward_{name}": found[place] for name, found in values.items()}

    def flush(self) -> None:
        """Write what is held, one file per step."""
        import pyarrow as pa  # noqa: PLC0415 - slow to import
        import pyarrow.parquet as pq  # noqa: PLC0415

        self.folder.mkdir(parents=True, exist_ok=True)
        for step, lines in sorted(self._held.items()):
            plain = [{name: value for name, value in line.items() if name != "_reply"} for line in lines.values()]
            name = f"step-{step:06d}{f'.rank-{self.rank}' if self.rank else ''}.parquet"
            part = self.folder / f".{name}.part"
            pq.write_table(pa.Table.from_pylist(plain), part)
            part.replace(self.folder / name)
        self._held.clear()
