"""Checks of a task file beyond its schema. All of them really run: rows, prompts, replies, counts, arithmetic."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from spatialeval.data.media import check_media
from spatialeval.errors import DataError, SpatialEvalError
from spatialeval.tasks.aggregate import combine
from spatialeval.tasks.task import Task, load_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spatialeval.samples import Sample
    from spatialeval.tasks.schema import Example, ParseCase, Reference

Finding = tuple[bool, str]
"""Whether a check passed, and what it checked or found."""


def validate_task(name: str, data: Path | None = None, media: Path | None = None) -> list[Finding]:
    """Return the findings for one task file and its variants, on `data` too when they are given.

    Raises:
        TaskFileError: when the file cannot be loaded at all.
    """
    task = load_task(name)
    findings = [(True, f"schema and templates; protocols: {', '.join(task.protocols)}")]
    for variant in task.spec.variants if task.variant is None else ():
        load_task(f"{name}:{variant}")
    if task.variant is None and task.spec.variants:
        findings.append((True, f"variants: {', '.join(task.spec.variants)}"))
    findings += list(_examples(task))
    findings += list(_counts(task))
    for reference in task.spec.reference:
        findings.append(_reference(task, reference))
    if data is not None or task.spec.data.source.startswith("generate:"):
        findings += list(_all_rows(task, data, media))
    return findings


def _examples(task: Task) -> Iterator[Finding]:
    """Check every example row: what it becomes, what is sent, and what canned replies are worth.

    Examples are rows of the task itself; a variant may read rows of another form.
    """
    if task.variant is not None:
        return
    if not task.spec.examples and not task.spec.data.source.startswith("generate:"):
        yield False, f"{task.file}: examples: at least one made-up row is needed to check prompts and replies offline."
    for i, example in enumerate(task.spec.examples):
        place = f"{task.file}:{task.lines.of(('examples', i))}: examples.{i}"
        try:
            sample = task.sample_of(example.row, Path())
        except DataError as error:
            yield False, f"{place}: {error}"
            continue
        problems = [f"{place}: {problem}" for problem in _example_problems(task, example, sample)]
        for problem in problems:
            yield False, problem
        if not problems:
            yield (
                True,
                f"example {i}: {len(task.protocols)} prompts rendered, {len(example.replies)} canned replies read",
            )


def _example_problems(task: Task, example: Example, sample: Sample) -> Iterator[str]:
    for key, wanted, found in (
        ("target", str(example.target), _plain(sample.target)),
        ("answer", example.answer or sample.answer, sample.answer),
        ("category", example.category or sample.category, sample.category),
    ):
        if wanted != found:
            yield f"{key} should become {wanted!r} and becomes {found!r}."
    for name in task.protocols:
        try:
            text = task.protocol(name).request(sample).messages[-1].text
        except DataError as error:
            yield str(error)
            continue
        if name in example.prompts and text != example.prompts[name]:
            yield f"prompts.{name}: the text sent is\n{text!r}, not\n{example.prompts[name]!r}."
    for name in set(example.prompts) - set(task.protocols):
        yield f"prompts.{name}: there is no such protocol."
    for case in example.replies:
        yield from _reply_problems(task, sample, case)


def _plain(target: object) -> str:
    return str(int(target)) if isinstance(target, float) and target.is_integer() else str(target)


def _reply_problems(task: Task, sample: Sample, case: ParseCase) -> Iterator[str]:
    try:
        score = task.protocol(case.protocol).grader.grade(
            sample, case.reply, "length" if case.state == "truncated" else "stop"
        )
    except SpatialEvalError as error:
        yield f"reply {case.reply!r}: {error}"
        return
    if (score.state, score.value) != (case.state, case.score):
        yield (
            f"reply {case.reply!r} under {case.protocol or task.spec.default_protocol} should be {case.state} with "
            f"score {case.score} and is {score.state} with {score.value} "
            f"(read {score.reading.value!r} by {score.reading.rule!r})."
        )


def _counts(task: Task) -> Iterator[Finding]:
    expect = task.spec.data.expect
    total = sum(expect.categories.values())
    if expect.categories and expect.rows is not None and total != expect.rows:
        line = task.lines.of(("data", "expect", "categories"))
        yield (
            False,
            f"{task.file}:{line}: data.expect: the categories add up to {total:,}, not to rows: {expect.rows:,}.",
        )
    elif expect.rows is not None:
        yield (
            True,
            f"expects {expect.rows:,} rows" + (f" in {len(expect.categories)} categories" if expect.categories else ""),
        )


def _reference(task: Task, reference: Reference) -> Finding:
    """Recompute a published headline from its published parts."""
    name = f"published row {reference.model!r} ({reference.source})"
    if not reference.scores or reference.headline is None:
        return True, f"{name}: no parts to recompute a headline from"
    try:
        rules = task.protocol(reference.protocol).rules
        counts = task.spec.data.expect.categories
        known = {rule.name for rule in rules} | set(counts)
        unknown = [part for part in reference.scores if counts and part not in known]
        if unknown:
            return False, f"{task.file}: reference: {name}: {unknown[0]!r} is neither a category nor a part."
        value = combine(rules, reference.scores, reference.part, counts)
    except SpatialEvalError as error:
        return False, f"{task.file}: reference: {name}: {error}"
    if abs(value - reference.headline) > reference.tolerance + 1e-12:
        return (
            False,
            f"{task.file}: reference: {name}: the parts give {value:.10g}, the headline says {reference.headline}.",
        )
    return True, f"{name}: parts give {value:.6g}, published {reference.headline:.6g}"


def _all_rows(task: Task, data: Path | None, media: Path | None) -> Iterator[Finding]:
    """Load every row, render it under the default protocol, and see that its gold answer can be read."""
    try:
        samples = task.samples(data, media)
    except SpatialEvalError as error:
        yield False, str(error)
        return
    yield True, f"{len(samples):,} rows loaded; {len({s.group for s in samples}):,} groups"
    protocol = task.protocol()
    for sample in samples:
        try:
            protocol.request(sample)
        except DataError as error:
            yield False, str(error)
            return
    yield True, f"{len(samples):,} prompts rendered"
    yield _gold_is_readable(task, samples)
    missing = check_media(samples)
    if missing.count:
        yield True, f"note: {missing.count:,} media files are not here, such as {missing.first[0]}"


def _gold_is_readable(task: Task, samples: Sequence[Sample]) -> Finding:
    grader = task.protocol().grader
    wrong = [s for s in samples if grader.grade(s, _plain(s.target)).value != 1.0]
    if not wrong:
        return True, "every gold answer, given as a reply, scores 1"
    kinds = Counter(s.category for s in wrong).most_common(1)[0][0]
    first = f"{wrong[0].target!r} of {wrong[0].id!r} ({kinds})"
    return False, f"{task.file}: {len(wrong):,} gold answers do not score 1 as replies, such as {first}."
