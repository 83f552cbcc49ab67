"""Copying the answers of one journal into another: each answered item once, none of them changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from spatialeval.errors import RunError
from spatialeval.run.journal import Journal
from spatialeval.run.records import judged_key
from spatialeval.run.storage import explain

if TYPE_CHECKING:
    from pathlib import Path

    from spatialeval.run.records import Record

_JUDGED = judged_key("")

_DIFFERING = """
SELECT theirs.item FROM theirs.records theirs JOIN main.records ours USING (item)
    WHERE theirs.state != 'failed' AND ours.state != 'failed' AND theirs.record != ours.record
UNION
SELECT calls.item FROM theirs.calls calls JOIN main.calls held USING (item, step)
    JOIN theirs.records theirs USING (item) JOIN main.records ours USING (item)
    WHERE theirs.state != 'failed' AND ours.state != 'failed' AND calls.response != held.response"""
"""Items answered in both whose rows are not the same: what a retry or a token count may do, or another answer."""

# An answered item keeps its calls; of any other one the calls that are here may be more than those that are there.
_COPY_CALLS = f"""
INSERT INTO main.calls ({{columns}}) SELECT {{columns}} FROM theirs.calls calls
    WHERE NOT EXISTS (
        SELECT 1 FROM main.records ours WHERE ours.state != 'failed' AND ours.item IN (
            calls.item, CASE WHEN calls.item LIKE '%{_JUDGED}' THEN substr(calls.item, 1, length(calls.item) - {len(_JUDGED)}) END))
    ORDER BY calls.rowid
    ON CONFLICT (item, step) DO UPDATE SET {{changes}}"""  # noqa: E501, S608 - made of names in the file's own tables
_COPY_RECORDS = """
INSERT INTO main.records ({columns}) SELECT {columns} FROM theirs.records theirs
    WHERE NOT EXISTS (SELECT 1 FROM main.records ours WHERE ours.item = theirs.item
        AND (ours.state != 'failed' OR theirs.state = 'failed'))
    ORDER BY theirs.rowid
    ON CONFLICT (item) DO UPDATE SET {changes}"""
_KEYS = {"calls": ("item", "step"), "records": ("item",)}


def join(source: Path, target: Path) -> None:
    """Copy what the journal `source` has and the journal `target` lacks, all of it or nothing; doing it again is fine.

    A failed item is replaced by an answered one, never the other way round. Rows go from file to file.

    Raises:
        RunError: when both have answered an item, and not alike.
        StorageError: when one of the files is damaged or cannot be written.
    """
    Journal.open(source, readonly=True).close()  # says what is wrong with a damaged or an absent one
    Journal.open(target).close()
    # A journal that was closed properly has no -wal file; without one, a read-only folder needs immutable=1.
    mode = "mode=ro" if source.with_name(f"{source.name}-wal").exists() else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(target.absolute().as_uri(), uri=True, timeout=30, isolation_level=None)) as both:
            both.execute("PRAGMA synchronous = FULL")
            both.execute("ATTACH ? AS theirs", (f"{source.absolute().as_uri()}?{mode}",))
            both.execute("BEGIN IMMEDIATE")
            _refuse_other_answers(both, source, target)
            # Calls first: whether an item was answered here must still be as it was.
            for table, sql in (("calls", _COPY_CALLS), ("records", _COPY_RECORDS)):
                columns = [row[1] for row in both.execute(f"PRAGMA main.table_info({table})")]
                changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in _KEYS[table])
                both.execute(sql.format(columns=", ".join(columns), changes=changes))
            both.execute("COMMIT")
    except sqlite3.Error as error:
        raise explain(target, error) from error


def _refuse_other_answers(both: sqlite3.Connection, source: Path, target: Path) -> None:
    items = [item for (item,) in both.execute(_DIFFERING)]
    if not items:
        return
    with Journal.open(source, readonly=True) as theirs, Journal.open(target, readonly=True) as ours:
        for their, our in zip(theirs.records(items), ours.records(items), strict=True):
            if _answer(their) != _answer(our):
                raise RunError(
                    f"{their.key!r} was answered twice, and not alike: {their.reply!r} in {source}, {our.reply!r} in "
                    f"{target}. Nobody can tell which one counts: move one of the two away, or merge into another "
                    "place with --out."
                )


def _answer(record: Record) -> tuple[object, ...]:
    """Return what a record says, without how often and how long it was asked."""
    told = [(call.response["text"], call.response["finish"]) for call in (*record.calls, *record.judged)]
    return record.state, record.score, record.reply, told
