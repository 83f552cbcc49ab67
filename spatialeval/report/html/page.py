"""The page: one HTML file that needs nothing else, with a policy that lets it load and send nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from spatialeval.report.cells import NOTHING, interval, percent
from spatialeval.report.html.files import coverage, marks, place, reasons
from spatialeval.report.html.names import apart, name_of
from spatialeval.report.html.sections import section
from spatialeval.report.html.tables import abilities, board_lines, reference_lines, shade, step
from spatialeval.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spatialeval.report.html.board import Board
    from spatialeval.report.html.browse import Samples
    from spatialeval.report.html.runs import Run
    from spatialeval.tasks import Task

_SMALL = 0.0005
_LONGEST = 4000
"""Letters of one name or remark."""
_ASSETS = files("spatialeval.report.html") / "assets"


@dataclass(frozen=True)
class Lead:
    """What stands before the leaderboard.

    Attributes:
        title: of the page.
        links: place -> name, for the navigation.
        template: of our assets; it finds `told` as `lead.told`.
        told: what the template shows.
    """

    title: str
    links: Mapping[str, str]
    template: str
    told: Mapping[str, Any]


def render(
    board: Board,
    runs: Sequence[Run],
    samples: Samples | None = None,
    tasks: Mapping[str, Task | None] | None = None,
    lead: Lead | None = None,
) -> str:
    """Return the page of a board.

    Args:
        board: what is shown.
        runs: those that the board was made from, in their order.
        samples: of the browser.
        tasks: name -> task, for replies whose folder does not say how they were averaged.
        lead: what stands before the leaderboard.
    """
    sources = {shown.id: run for shown, run in zip(board.runs, runs, strict=True)}
    style = _asset("report.css")
    script = _asset("report.js") + (_asset("samples.js") if samples else "")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            board=board,
            lines=board_lines(board),
            reference_lines=reference_lines(board),
            task_names=[task.name for task in board.tasks],
            sections=[section(board, task, sources, (tasks or {}).get(task.name)) for task in board.tasks],
            abilities=abilities(board),
            provenance=[(shown, _provenance(sources[shown.id])) for shown in board.runs],
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            policy=policy(style, script, beside=samples is not None and samples.beside),
            samples=samples,
            choices=_choices(board),
            lead=lead,
        )
    )


def policy(style: str, script: str, *, beside: bool = False) -> str:
    """Return the Content-Security-Policy: only this style and this script, pictures only from within the page.

    Args:
        style: all of it.
        script: all of it.
        beside: pieces of data lie beside the page, as scripts; from there alone more scripts may come.
    """
    more = " 'self'" if beside else ""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'{more}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _environment() -> jinja2.Environment:
    """Return an environment that escapes everything; `text` also takes characters away that steer a terminal or text.

    Its templates are ours; what is put into them is not.
    """
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals.update(NOTHING=NOTHING)
    environment.filters.update(percent=percent, interval=interval, shade=shade, json=_json)
    environment.filters.update(place=place, marks=marks, coverage=coverage, reasons=reasons)
    environment.filters.update(points=_points, p=_p, step=step)
    environment.globals.update(name_of=name_of, apart=apart)
    environment.filters["breaks"] = _breaks
    return environment


def _shown(value: object) -> object:
    """Return a text that steers nothing, no longer than a name or a remark may be; markup is ours, and stays."""
    if isinstance(value, Markup):
        return value
    return printable(_cut(str(value)), "\n\t")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\N{HORIZONTAL ELLIPSIS}"


def _points(value: float | None) -> str:
    return NOTHING if value is None else f"{round(100 * value, 1) + 0:+.1f}"  # + 0: no -0.0


def _p(value: float | None) -> str:
    return NOTHING if value is None else "<0.001" if value < _SMALL else f"{value:.3f}"


def _breaks(name: str) -> Markup:
    """Return a name that may break behind the signs that stand between its words."""
    pieces = re.split(r"(?<=[_/:.,(-])(?=\w)", printable(_cut(name)))
    return Markup("<wbr>").join(pieces)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _choices(board: Board) -> dict[str, list[str]]:
    """Return what each filter offers."""
    return {
        "suite": sorted({suite for task in board.tasks for suite in task.suites}),
        "ability": sorted({ability for task in board.tasks for ability in task.abilities}),
        "protocol": sorted({run.protocol for run in board.runs}),
        "strategy": sorted({run.strategy for run in board.runs}),
    }


def _provenance(run: Run) -> list[tuple[str, str]]:
    """Return what the numbers of a run come from, as pairs of a term and a text."""
    summary, about, manifest = run.summary, run.summary.about, run.manifest
    session = manifest.sessions[-1] if manifest and manifest.sessions else None
    identity = manifest.identity if manifest else {}
    git = session.git if session else None
    protocol = identity.get("protocol", {})
    cached = f" ({summary.tokens.cached:,} from a prefix cache)" if summary.tokens.cached else ""
    wanted = {
        "Command": shlex.join(session.command) if session and session.command else None,
        "Started": session.started if session else None,
        "Ended": f"{session.ended} ({session.status})" if session else None,
        "Sessions": str(len(manifest.sessions)) if manifest else None,
        "Code": f"{git['commit']}{' with changes' if git.get('dirty') else ''}" if git else None,
        "Data": _data(identity, about.data),
        "Scores version": str(about.scores_version),
        "Prompt": _short_digest(protocol, "system", "question", "instruction") if protocol else None,
        "Token cap": f"{about.cap}"
        + (f", raised to {summary.cap_sent}" if (summary.cap_sent or 0) > about.cap else ""),
        "Settings": _json(protocol["generate"]) if "generate" in protocol else None,
        "Changed settings": ", ".join(about.changed) or None,
        "Model": _json(identity["model"]) if "model" in identity else about.model,
        "Judge": about.judge,
        "Imported from": about.origin,
        "Calls": f"{summary.calls:,} ({summary.attempts:,} attempts)",
        "From a cache of answers": f"{summary.cached_answers:,} calls, whose tokens are not counted"
        if summary.cached_answers
        else None,
        "Tokens": f"{summary.tokens.prompt:,} in{cached}, {summary.tokens.completion:,} out",
        "Versions": ", ".join(f"{name} {version}" for name, version in summary.versions.items()) or None,
    }
    return [(name, value) for name, value in wanted.items() if value]


def _data(identity: Mapping[str, Any], fingerprint: str | None) -> str | None:
    data = identity.get("task", {}).get("data", {})
    source = data.get("source")
    parts = [source, f"revision {data['revision']}" if data.get("revision") else None]
    parts.append(f"fingerprint {fingerprint}" if fingerprint else None)
    return ", ".join(part for part in parts if part) or None


def _short_digest(protocol: Mapping[str, Any], *keys: str) -> str:
    held = json.dumps([protocol.get(key) for key in keys], sort_keys=True)
    return f"sha256 {hashlib.sha256(held.encode()).hexdigest()[:16]} (wording of protocol {protocol.get('name')})"
