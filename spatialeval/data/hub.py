"""Rows of the Hugging Face Hub. The only module that touches the network for data, and only when it must.

Two habits of `datasets` are guarded against: a repository name that is also a folder here would be read instead of
the Hub, and without a connection the newest cached copy is handed out whatever revision was asked for.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialeval.data.cells import MappedShelf, columns_of_bytes, placed
from spatialeval.errors import DataError, MissingDataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")

BATCH = 64
"""Rows unpacked at a time."""

REACH_TIMEOUT = 5.0
"""Seconds to wait for the Hub's first sign of life; `datasets` by itself tries for more than twenty."""


def read_hub(
    repo: str, *, revision: str | None, config: str | None = None, split: str | None, files: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one split; images, audio and videos stay as stored, as dicts of bytes and path.

    Rows also get `_index`, their 0-based place in the split.

    Args:
        repo: "owner/name" of the dataset.
        revision: commit, tag or branch; None takes the newest, which the caller should flag.
        config: name of the configuration, where the dataset has several.
        split: "test", "validation" ...
        files: names or patterns of the repository's files to read, instead of its own configuration.

    Raises:
        MissingDataError: not cached and the Hub cannot be reached, or it refuses; says how to bring the data.
        DataError: the Hub answered, but has no such configuration, split or file.
    """
    if not _REPO.fullmatch(repo):
        raise DataError(f"{repo!r} is no dataset of the Hub: write owner/name.")
    if not split:
        raise DataError(f"no split is named for the Hub dataset {repo}. Add `data.split` to the task file.")
    if Path(repo).exists():
        raise DataError(
            f"the folder {repo!r} here would be read instead of the Hub. Pass it as --data, or start elsewhere."
        )
    import datasets  # noqa: PLC0415 - heavy, and local data never need it

    try:
        with _offline_unless_reachable() as offline:
            table = datasets.load_dataset(
                repo, name=config, split=split, revision=revision, data_files=list(files) if files else None
            )
    except (datasets.exceptions.DatasetNotFoundError, OSError) as error:
        raise MissingDataError(how_to_bring(repo, revision, _first_line(error))) from error
    except (ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        if offline:
            raise MissingDataError(how_to_bring(repo, revision, _first_line(error))) from error
        raise DataError(
            f"the Hub dataset {repo} at revision {revision or 'newest'} cannot be read as config {config!r}, "
            f"split {split!r}: {_first_line(error)}. Correct `data` in the task file."
        ) from error
    _check_revision(table, repo, revision)
    index = 0
    arrow = table.with_format("arrow")  # as Arrow, nothing decodes a picture
    shelf = MappedShelf(arrow)
    for batch in arrow.iter(batch_size=BATCH):
        columns = columns_of_bytes(batch.schema)
        for row in batch.to_pylist():
            yield {**placed(row, columns, shelf, index), "_index": index}
            index += 1


def fetch_files(repo: str, *, revision: str | None, patterns: Sequence[str]) -> Path:
    """Return the folder that holds a dataset's files as the Hub has them, those that match `patterns`.

    Args:
        repo: "owner/name" of the dataset.
        revision: commit, tag or branch; None takes the newest, which the caller should flag.
        patterns: as in `data.files`; of "a|b" both are taken where both are there.

    Raises:
        MissingDataError: not cached and the Hub cannot be reached, or it refuses; says how to bring the data.
    """
    if not _REPO.fullmatch(repo):
        raise DataError(f"{repo!r} is no dataset of the Hub: write owner/name.")
    import huggingface_hub  # noqa: PLC0415 - heavy, and local data never need it

    wanted = [each for pattern in patterns for each in pattern.split("|")]
    try:
        with _offline_unless_reachable():
            folder = huggingface_hub.snapshot_download(
                repo, repo_type="dataset", revision=revision, allow_patterns=wanted or None
            )
    except (huggingface_hub.errors.HfHubHTTPError, ValueError, OSError) as error:
        raise MissingDataError(how_to_bring(repo, revision, _first_line(error))) from error
    return Path(folder)


def how_to_bring(repo: str, revision: str | None, reason: str) -> str:
    """Return what to tell a user without a connection: the reason, the download command and what to do then."""
    folder = repo.rpartition("/")[2]
    at = f" --revision {revision}" if revision else ""
    return (
        f"the rows of {repo} are not on this machine: {reason}\n"
        "Where there is a connection, run\n"
        "    pip install huggingface_hub\n"
        f"    hf download --repo-type dataset {repo}{at} --local-dir {folder}\n"
        f"bring the folder here, and pass it as --data {folder}"
    )


def offline() -> bool:
    """Tell whether only what is cached can be had: the Hub is switched off, or does not answer at once."""
    from huggingface_hub import constants  # noqa: PLC0415 - heavy

    return bool(constants.HF_HUB_OFFLINE) or not _reachable(constants.ENDPOINT)


@contextmanager
def _offline_unless_reachable() -> Iterator[bool]:
    """Switch both libraries to their caches when the Hub does not answer at once; yield whether they are offline."""
    import datasets  # noqa: PLC0415 - heavy
    from huggingface_hub import constants  # noqa: PLC0415 - heavy

    switches: tuple[Any, Any] = (datasets.config, constants)
    held = [switch.HF_HUB_OFFLINE for switch in switches]
    offline = any(held) or not _reachable(constants.ENDPOINT)
    try:
        for switch in switches:
            switch.HF_HUB_OFFLINE = offline
        yield offline
    finally:
        for switch, value in zip(switches, held, strict=True):
            switch.HF_HUB_OFFLINE = value


def _reachable(endpoint: str) -> bool:
    from huggingface_hub import get_session  # noqa: PLC0415 - heavy

    try:
        # The library's own session knows the user's proxies and certificates.
        get_session().head(endpoint, timeout=REACH_TIMEOUT)
    except Exception:  # noqa: BLE001 - foreign code: requests or httpx, by version, each with errors of its own
        return False
    return True


def _check_revision(table: Any, repo: str, revision: str | None) -> None:
    """Raise MissingDataError when a cached copy of another commit was handed out."""
    if revision is None or not _COMMIT.fullmatch(revision):
        return
    commits = {Path(file["filename"]).parent.name for file in table.cache_files}
    if commits and commits != {revision}:
        other = ", ".join(sorted(commits - {revision}))
        raise MissingDataError(how_to_bring(repo, revision, f"the cache holds only another revision ({other})"))


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
