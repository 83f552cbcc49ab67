"""Pictures in parquet rows: known by digest, read again when asked for, never held, never taken for others."""

from __future__ import annotations

import copy
import hashlib
import pickle
import random
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spatialeval.data import cells, fingerprint, read_files, resolve_media
from spatialeval.data.cells import ParquetShelf
from spatialeval.errors import MediaError
from spatialeval.media import Cell, Media
from spatialeval.samples import Sample

ROWS = 150


def picture(number, size=2000):
    return random.Random(number).randbytes(size)


@pytest.fixture
def table(tmp_path):
    """A file of three row groups with pictures as dicts, bare bytes and lists."""
    rows = [
        {
            "id": f"r{i}",
            "image": {"bytes": picture(i), "path": f"{i}.jpg"},
            "bare": picture(1000 + i),
            "several": [{"bytes": picture(2000 + i), "path": None}, {"bytes": picture(3000 + i), "path": "b.png"}],
        }
        for i in range(ROWS)
    ]
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=70)
    return path


def media_of(path, column):
    return [
        media for row in read_files([path]) for media in resolve_media(row[column], kind="image", name="x", root=None)
    ]


@pytest.mark.parametrize(("column", "first", "each"), [("image", 0, 1), ("bare", 1000, 1), ("several", 2000, 2)])
def test_pictures_in_rows_are_read_again_in_any_order(table, column, first, each):
    found = media_of(table, column)
    assert len(found) == each * ROWS
    assert all(isinstance(media.source, Cell) and media.in_row for media in found)
    order = list(range(len(found)))
    random.Random(1).shuffle(order)
    for place in order:
        expected = picture(first + 1000 * (place % each) + place // each)
        assert found[place].read() == expected
        assert found[place].sha256 == hashlib.sha256(expected).hexdigest() == found[place].fingerprint


def test_the_fingerprint_of_data_is_that_of_held_bytes(table):
    def sample(media):
        return Sample("s", "choice", "?", "A", media=(media,))

    (cell, *_) = media_of(table, "image")
    held = Media("image", cell.name, picture(0))
    assert fingerprint([sample(cell)]) == fingerprint([sample(held)])


def test_a_file_that_changed_after_loading_is_noticed_and_a_lost_one_is_named(table):
    first, *_, last = media_of(table, "bare")
    other = pa.Table.from_pylist([{"bare": picture(7)} for _ in range(ROWS)])
    pq.write_table(other, table, row_group_size=70)
    with pytest.raises(MediaError, match="has changed since"):
        first.read()
    table.unlink()
    (table.parent / "rows.parquet").write_bytes(b"no table")
    with pytest.raises(MediaError, match=r"row 0 of .*rows\.parquet cannot be read again"):
        Media("image", "x", Cell(b"", ParquetShelf(table), 0, ("bare",))).read()
    assert isinstance(last.source, Cell)


def test_copies_and_pickles_carry_the_bytes_themselves(table):
    (media, *_) = media_of(table, "image")
    for other in (pickle.loads(pickle.dumps(media)), copy.deepcopy(media)):
        assert other.source == picture(0)
        assert other.sha256 == media.sha256


def test_a_picture_is_at_hand_once_its_neighbour_was_read(table):
    found = media_of(table, "image")
    assert not found[5].at_hand
    found[4].read()
    assert found[5].at_hand
    assert not found[ROWS - 1].at_hand


def test_what_is_held_of_large_files_stays_below_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "HELD_BYTES", 300_000)
    monkeypatch.setattr(cells, "_HELD", cells._Blocks())
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist([{"image": picture(i, 20_000)} for i in range(60)]), path, row_group_size=30)
    monkeypatch.setattr(cells, "BLOCK_BYTES", 100_000)
    found = media_of(path, "image")
    assert all(media.read() == picture(place, 20_000) for place, media in enumerate(found))
    assert 0 < cells._HELD._bytes <= 300_000


def test_threads_that_read_in_turns_get_their_own_pictures(table):
    found, wrong = media_of(table, "image"), []

    def read(start):
        wrong.extend(place for place in range(start, ROWS, 4) if found[place].read() != picture(place))

    threads = [threading.Thread(target=read, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_file_that_is_read_after_another_was_dropped_never_gets_the_other_ones_pictures(tmp_path):
    shelves = set()
    for seed in range(20):  # Python gives the ids of objects that are gone to new ones
        path = tmp_path / f"{seed}.parquet"
        pq.write_table(pa.table({"image": [picture(1000 * seed + i) for i in range(5)]}), path)
        found = media_of(path, "image")
        shelves.add(id(found[0].source.shelf))
        assert [media.read() for media in found] == [picture(1000 * seed + i) for i in range(5)]
        del found
    assert len(shelves) < 20


def test_small_cells_and_columns_without_bytes_are_left_as_they_are(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist([{"id": "a", "mark": b"xy", "choices": ["l", "r"]}]), path)
    (row,) = read_files([path])
    assert type(row["mark"]) is bytes
    assert row["choices"] == ["l", "r"]
