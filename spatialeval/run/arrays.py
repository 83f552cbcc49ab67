"""The scores of a stored run as arrays, for numbers over many runs: a column at a time, never all rows as objects."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spatialeval.run.results import read_samples
from spatialeval.run.stored import forms_count, tellable, told_parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from spatialeval.run.summary import Summary
    from spatialeval.tasks.aggregate import Part
    from spatialeval.tasks.protocol_schema import AggregatePart

_COLUMNS = ("key", "sample_id", "category", "group", "score")


@dataclass(frozen=True)
class Scored:
    """The graded questions of a run, in the order of their ids; two runs with the same `digest` share them all.

    Attributes:
        values: their scores, 0 to 1.
        categories: number of the category of each, in `names`.
        names: of the categories.
        clusters: number of what each shares with others.
        digest: of ids, categories and clusters.
    """

    values: Any
    categories: Any
    names: tuple[str, ...]
    clusters: Any
    digest: str

    def rows_of(self, part: Part) -> tuple[Any, list[str], dict[str, float]] | None:
        """Return places in the arrays, the term that each counts for, and the weights of the terms.

        None where a term is over sets, which results do not name.
        """
        import numpy as np  # noqa: PLC0415 - keeps the command line's help quick

        if any(term.sets or term.selector not in {"", *self.names} for term in part.terms):
            return None
        every = np.arange(len(self.values))
        taken = {
            term.selector: every[self.categories == self.names.index(term.selector)] if term.selector else every
            for term in part.terms
        }
        places = np.concatenate(list(taken.values()))
        within = [name for name, held in taken.items() for _ in range(len(held))]
        return places, within, {term.selector: weight for term, weight in part.terms.items()}

    def headline(self, summary: Summary, rules: Sequence[AggregatePart] | None) -> Part | None:
        """Return the part that stands for the run; None where results do not tell it."""
        import numpy as np  # noqa: PLC0415 - keeps the command line's help quick

        counts = dict(zip(self.names, np.bincount(self.categories, minlength=len(self.names)).tolist(), strict=True))
        told = None if rules is None else tellable(rules, set(self.names))
        known = [row.name for row in summary.categories if counts.get(row.name)]
        parts = told_parts(told, {name: counts[name] for name in known}, {}, summary.headline, ruled=rules != [])
        return next((part for part in parts if part.headline), None)


def read_scored(folder: Path, summary: Summary) -> Scored:
    """Return the scores of a run.

    Raises:
        UsageError: when the forms of a question count by vote, which needs the task.
        StorageError: when samples.parquet is absent or damaged.
    """
    import numpy as np  # noqa: PLC0415 - keeps the command line's help quick
    import pyarrow as pa  # noqa: PLC0415 - heavy, and only results need it
    import pyarrow.compute as pc  # noqa: PLC0415

    how = forms_count(summary.about.strategy, folder)
    table = read_samples(folder, _COLUMNS)
    name = pc.coalesce(table["key"] if how == "each" else table["sample_id"], "").combine_chunks()
    order = pc.sort_indices(name)
    ordered = [pc.fill_null(column, "").combine_chunks().take(order) for column in map(table.column, _COLUMNS[1:4])]
    sample, category, group = ordered
    cluster = pc.if_else(pc.equal(group, ""), pc.binary_join_element_wise("sample", sample, " "), group)
    held = name.take(order).dictionary_encode()
    codes = held.indices.to_numpy(zero_copy_only=False)
    values = table["score"].combine_chunks().take(order).to_numpy(zero_copy_only=False)
    first = np.searchsorted(codes, np.arange(len(held.dictionary)))
    values = _together(values, codes, first, how)
    kept = pa.array(first[~np.isnan(values)])
    texts = [pc.cast(column.take(kept), pa.large_string()) for column in (name.take(order), category, cluster)]
    encoded = texts[1].dictionary_encode()
    return Scored(
        values[~np.isnan(values)],
        encoded.indices.to_numpy(zero_copy_only=False),
        tuple(encoded.dictionary.to_pylist()),
        texts[2].dictionary_encode().indices.to_numpy(zero_copy_only=False),
        _digest(texts),
    )


def _together(values: Any, codes: Any, first: Any, how: str) -> Any:
    """Return one value per question: what its forms are worth together; not a number where one has no score."""
    import numpy as np  # noqa: PLC0415 - keeps the command line's help quick

    if how == "each" or not len(values):
        return values
    reduce: Mapping[str, Any] = {"all": np.minimum, "any": np.maximum}
    if how in reduce:
        return reduce[how].reduceat(values, first)
    mean = np.bincount(codes, values) / np.bincount(codes)
    return mean if how == "mean" else np.where(np.isnan(mean), mean, mean > 0.5)


def _digest(columns: Sequence[Any]) -> str:
    import numpy as np  # noqa: PLC0415 - keeps the command line's help quick
    import pyarrow as pa  # noqa: PLC0415 - heavy, and only results need it
    import pyarrow.compute as pc  # noqa: PLC0415

    digest = hashlib.sha256()
    for column in columns:
        whole = pa.LargeListArray.from_arrays(pa.array([0, len(column)], pa.int64()), column)
        digest.update(pc.binary_length(column).to_numpy(zero_copy_only=False).astype(np.int64).tobytes())
        digest.update(pc.binary_join(whole, pa.scalar("", pa.large_string()))[0].as_buffer())
    return digest.hexdigest()
