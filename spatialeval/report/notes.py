"""What must be said under a table so that its numbers are read rightly."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from spatialeval.models.prices import dollars
from spatialeval.report.cells import count, score, some
from spatialeval.text import printable

if TYPE_CHECKING:
    from spatialeval.run.summary import Summary

_SHOWN = 8
_LONGEST_MESSAGE = 300


class Note(NamedTuple):
    """One remark; a grave one means that the score does not stand for the whole run."""

    text: str
    grave: bool = False


def notes(summary: Summary) -> list[Note]:
    """Return the remarks on one run, the grave ones first."""
    found = [*_incomplete(summary), *_missing(summary), *_asked(summary), *_unread(summary), _intervals(summary)]
    found += [_drawn(summary), _kept(summary), _cached(summary), _cost(summary)]
    return [note for note in found if note]


def _incomplete(summary: Summary) -> list[Note]:
    if summary.complete:
        return []
    counts, reasons = summary.counts, []
    if counts.failed:
        kinds = ", ".join(f"{count(number)} {kind}" for kind, number in summary.failures.items())
        reasons.append(f"{count(counts.failed)} failed ({kinds})")
    if counts.missing:
        reasons.append(f"{count(counts.missing)} {'has' if counts.missing == 1 else 'have'} no reply")
    text = f"INCOMPLETE: of {some(summary.total, 'question')}, {' and '.join(reasons)}. None of these is in any mean."
    if summary.about.strategy != "saved" and summary.about.origin is None:
        text += " Run the same command again: it asks only them."
    met = [Note(f"{kind}, for example: {_short(message)}") for kind, message in summary.messages.items() if message]
    return [Note(text, grave=True), *met]


def _missing(summary: Summary) -> list[Note]:
    parts = [row for row in summary.parts if row.missing]
    if parts:
        lacking = "; ".join(f"{printable(row.name)} lacks {_listed(row.missing)}" for row in parts)
        return [Note(f"Missing categories: {lacking}. The others share their weight.", grave=True)]
    if summary.missing_categories:
        return [Note(f"Categories without a scored answer: {_listed(summary.missing_categories)}.", grave=True)]
    return []


def _asked(summary: Summary) -> list[Note]:
    about, found = summary.about, []
    if about.origin:
        found.append(Note(f"Replies imported from {printable(about.origin)}."))
    if about.expected and summary.samples != about.expected:
        found.append(
            Note(f"Partial: {count(summary.samples)} of the task's {some(about.expected, 'question')} were asked.")
        )
    if not about.verified:
        why = printable(about.note or "parts of it could not be checked at its source").rstrip(".")
        found.append(Note(f"Protocol {about.protocol} is not verified: {why}."))
    if about.floating:
        data = f" This run's data: {about.data[:12]}." if about.data else ""
        found.append(Note(f"The task file pins no revision of its data, so they can change under the same name.{data}"))
    if summary.cap_sent and summary.cap_sent > about.cap:
        caps = f"from {count(about.cap)} to {count(summary.cap_sent)}"
        found.append(Note(f"Strategy {printable(about.strategy)} raised the token cap {caps}."))
    return found


def _unread(summary: Summary) -> list[Note]:
    counts, found = summary.counts, []
    if counts.matched:
        told = f"{count(counts.matched)} of {some(counts.scored, 'read answer')}"
        found.append(Note(f"{told} come from the saved match: the protocol's own rule reads none in those replies."))
    if counts.excluded:
        found.append(Note(f"The protocol leaves {some(counts.excluded, 'unread answer')} out of the mean."))
    found += _judge(summary)
    row = next((row for row in summary.parts if row.headline), None)
    if row and row.answered_only and row.score and row.answered_only.n < row.score.n:
        read, all_ = count(row.answered_only.n), count(row.score.n)
        found.append(
            Note(
                f"Over the {read} of {all_} answers that were read, {printable(row.name)} is "
                f"{score(row.answered_only)}."
            )
        )
    return found


def _judge(summary: Summary) -> list[Note]:
    about = summary.about
    if about.judge_wanted is None:
        return []
    published, _, when = about.judge_wanted.rpartition(": ")
    if about.judge:
        judged = f"{count(summary.judged)} of {some(summary.total, 'reply', 'replies')}"
        return [
            Note(
                f"{judged} were judged by {printable(about.judge)}; the published protocol uses {printable(published)}."
            )
        ]
    if when == "unparsed" and summary.counts.unparsed:
        return [
            Note(
                f"The published protocol asks {printable(published)} about replies that its rule cannot read; nobody "
                f"was asked about these {count(summary.counts.unparsed)}. Name a judge with --judge."
            )
        ]
    return []


def _drawn(summary: Summary) -> Note | None:
    if summary.drawn is None:
        return None
    told = f"Pass@1 {score(summary.drawn.pass_1)}, Pass@{summary.drawn.k} {score(summary.drawn.pass_k)}"
    return Note(f"Of {summary.drawn.k} replies to each question, without a vote: {told}.")


def _kept(summary: Summary) -> Note | None:
    if not summary.cached_answers:
        return None
    told = some(summary.cached_answers, "call")
    were = "was" if summary.cached_answers == 1 else "were"
    return Note(f"{told} {were} answered from a cache of answers; tokens and costs are those of the others.")


def _cached(summary: Summary) -> Note | None:
    tokens = summary.tokens
    if not tokens.cached or not tokens.prompt:
        return None
    share = f"{100 * tokens.cached / tokens.prompt:.1f} %"
    return Note(
        f"Of {some(tokens.prompt, 'prompt token')}, {share} came from a prefix cache, as the model's side counted."
    )


def _cost(summary: Summary) -> Note | None:
    if not summary.cost_usd:
        return None
    told = "; ".join(f"{name} {price}" for name, price in summary.prices.items())
    return Note(f"Cost: {dollars(summary.cost_usd)}, USD per million tokens: {printable(told)}.")


def _intervals(summary: Summary) -> Note | None:
    estimate = summary.score
    if estimate is not None and estimate.n > 1 and estimate.clusters == 1:
        return Note("One group: no interval, since all questions share something.")
    if estimate is None or estimate.method is None:
        return None
    if estimate.clusters == estimate.n:
        return Note("95 % intervals in brackets.")
    return Note(
        f"95 % intervals in brackets, over {count(estimate.clusters)} groups of questions that share something."
    )


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(printable, names[:_SHOWN])) + more


def _short(message: str) -> str:
    message = printable(" ".join(message.split()))
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE].rstrip('. ')}..."
