"""manifest.json: what a run is (its identity) and where its numbers come from (its provenance).

    {"format": 1,
     "identity": {...},                    everything that can change an answer
     "sessions": [{"command", "packages", "git", "started", "ended", "status"}, ...],   one per command run
     "totals": {"items", "calls", "attempts",
                "prompt_tokens", "completion_tokens", "cached_tokens",   of what was really asked, not of a judge
                "cached_answers",           calls, also of a judge, that were answered from a cache of answers
                "cost_usd"},                at `prices`, where they are known; all calls, also those of a judge
     "prices": {"model", "judge"},         USD per million tokens, and where the price is from
     "shard": {...}}                       of a part of a run: what `merge` must know to load the whole one

Nothing in it names the machine or a key.
"""

from __future__ import annotations

import json
import platform
import subprocess
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Self

from pydantic import TypeAdapter, ValidationError

from spatialeval._version import __version__
from spatialeval.errors import StorageError
from spatialeval.run.files import write_json
from spatialeval.run.records import spent_on
from spatialeval.run.secrets import redact_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from spatialeval.run.records import Record

FORMAT = 1
FILE_NAME = "manifest.json"

_PACKAGES = ("datasets", "numpy", "pillow", "openai", "aiohttp", "transformers", "torch", "vllm", "av")
_GIT_SECONDS = 5


@dataclass(frozen=True)
class Session:
    """One command that worked on a run: from start to end."""

    command: list[str]
    packages: dict[str, str]
    git: dict[str, Any] | None
    """Commit and whether files differ from it, of the repository the command was started in."""
    started: str
    ended: str | None = None
    """None while running, and for ever after a kill."""
    status: str = "running"
    """ "running", "finished", "interrupted", or "stopped: " and why."""

    @classmethod
    def begin(cls, command: Sequence[str] = ()) -> Self:
        """Return the session that starts now."""
        program = [PurePath(command[0]).name] if command else []  # where it is installed says nothing about the run
        return cls(redact_command([*program, *command[1:]]), package_versions(), git_state(), now())

    def end(self, status: str) -> Self:
        """Return the session as ended now."""
        return replace(self, ended=now(), status=status)


@dataclass(frozen=True)
class Manifest:
    """The content of manifest.json."""

    identity: dict[str, Any]
    sessions: tuple[Session, ...] = ()
    totals: dict[str, int | float] = field(default_factory=dict)
    prices: dict[str, str] = field(default_factory=dict)
    shard: dict[str, Any] | None = None

    def with_session(self, session: Session) -> Self:
        """Return the manifest with `session` added, or in place of the one that started at the same time."""
        others = tuple(held for held in self.sessions if held.started != session.started)
        return replace(self, sessions=(*others, session))

    def as_json(self) -> dict[str, Any]:
        """Return the content as JSON-able data."""
        data = {"format": FORMAT, **asdict(self), "sessions": [asdict(session) for session in self.sessions]}
        return data if self.shard else {key: value for key, value in data.items() if key != "shard"}

    def write(self, folder: Path) -> None:
        """Write it to the run folder, atomically."""
        write_json(folder / FILE_NAME, self.as_json())

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the manifest of a run folder, or None when there is none; raise StorageError when it is damaged."""
        path = folder / FILE_NAME
        try:
            data = json.loads(path.read_bytes())
            if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
                raise ValueError(f"not a manifest of format {FORMAT}")  # noqa: TRY301 - joins the other reasons below
            return TypeAdapter(cls).validate_python(data)
        except FileNotFoundError:
            return None
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise _unreadable(path, why) from error
        except (OSError, ValueError) as error:
            raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, why: str) -> StorageError:
    return StorageError(
        f"{path} cannot be read ({why}). Put the original back, use the version of spatialeval that wrote it, "
        "or add --fresh to start over (the old folder is moved aside)."
    )


def totals(records: Iterable[Record], cost: float | None = None) -> dict[str, int | float]:
    """Return counts over all items of a run, and its cost in USD where that is known.

    A token count covers only the calls that were really asked, and whose backend told it.
    """
    tokens = ("prompt_tokens", "completion_tokens", "cached_tokens")
    counts: dict[str, int | float] = dict.fromkeys(("items", "calls", "attempts", *tokens, "cached_answers"), 0)
    for record in records:
        usage = spent_on(record.calls)
        counts["items"] += 1
        counts["calls"] += len(record.calls)
        counts["attempts"] += record.attempts
        counts["cached_answers"] += sum(not call.attempts for call in (*record.calls, *record.judged))
        for name in tokens:
            counts[name] += getattr(usage, name) or 0
    return counts if cost is None else {**counts, "cost_usd": round(cost, 6)}


def package_versions() -> dict[str, str]:
    """Return the versions of Python, spatialeval and libraries that can change an answer; imports none."""
    found = {"python": platform.python_version(), "spatialeval": __version__}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_state(folder: Path | None = None) -> dict[str, Any] | None:
    """Return {"commit": hex, "dirty": bool} of the repository around `folder` (or here), or None outside of one."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit.strip(), "dirty": None if changes is None else bool(changes.strip())}


def _git(folder: Path | None, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are literals of this module
            ["git", *arguments],  # noqa: S607 - whichever git the user has
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):  # no git, no repository, no commit yet, or a slow disk
        return None
    return done.stdout


def now() -> str:
    """Return the time in UTC, to the microsecond, as ISO 8601."""
    return datetime.now(UTC).isoformat()
