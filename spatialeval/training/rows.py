"""From the sources of a recipe to rows to train on: the same samples and the same wording as in evaluations."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from spatialeval.edits import Refused
from spatialeval.errors import MissingDataError, UsageError
from spatialeval.foreign import blaming
from spatialeval.messages import Message, Text
from spatialeval.run.asking import bound_views, expand, parse_asking, without_refused
from spatialeval.run.plan import first_request
from spatialeval.run.records import Item
from spatialeval.tasks import load_task
from spatialeval.tasks.wording import render
from spatialeval.views.option_shuffle import OptionShuffle
from spatialeval.views.ruled import reordered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spatialeval.grading import Grader
    from spatialeval.messages import Request
    from spatialeval.samples import Sample
    from spatialeval.strategies import Strategy
    from spatialeval.tasks import Task, TaskProtocol
    from spatialeval.training.load import RecipeFile
    from spatialeval.training.schema import Prompt, Source, Stage
    from spatialeval.views import View

_TEST_SPLITS = ("test", "testing", "eval", "benchmark")


@dataclass(frozen=True)
class Row:
    """One prompt to train on.

    Attributes:
        key: unique in a stage.
        sample: what is asked, as the views and the shuffled options show it.
        task: the name of the task it comes from.
        protocol: words the prompt.
        prompt: how the recipe asks.
        strategy: one of a single call.
        learnt: template of the text that SFT learns; the protocol's written gold where None.
    """

    key: str
    sample: Sample
    task: str
    protocol: TaskProtocol = field(repr=False)
    prompt: Prompt = field(repr=False)
    strategy: Strategy = field(repr=False)
    learnt: str | None = field(default=None, repr=False)

    @property
    def grader(self) -> Grader:
        """Reads and scores its completions."""
        strict = self.prompt.reader == "strict" or self.strategy.reader == "strict"
        return self.protocol.strict_grader if strict else self.protocol.grader

    @cached_property
    def request(self) -> Request:
        """What is asked: the very messages of an evaluation, unless the recipe gives other words."""
        if self.prompt.instruction is not None:
            request = self.protocol.request(self.sample, instruction=self.prompt.instruction)
        else:
            item = Item(self.sample)
            request = _asked(item, self.strategy, self.protocol)
        if self.prompt.system is None:
            return request
        others = tuple(message for message in request.messages if message.role != "system")
        return replace(request, messages=(Message("system", (Text(self.prompt.system),)), *others))

    @cached_property
    def answer(self) -> str:
        """The text that SFT learns."""
        gold = self.protocol.gold_text(self.sample)
        if self.learnt is None:
            return gold
        environment, what = self.protocol.environment, "the answer of the recipe"
        return render(environment, self.learnt, self.sample, what=what, gold=gold, target=self.sample.target)


@dataclass(frozen=True)
class Rows:
    """The rows of a stage.

    Attributes:
        rows: in the order in which they are trained where the stage does not shuffle.
        families: of the transformations that were added.
        left_out: reason -> rows.
        counts: source -> rows.
    """

    rows: list[Row]
    families: frozenset[str]
    left_out: dict[str, int]
    counts: dict[str, int]


def load_rows(found: RecipeFile, stage: Stage, seed: int) -> Rows:
    """Return the rows of a stage.

    Raises:
        UsageError: for a test split, a strategy of several calls, or a source of which no row is left.
        MissingDataError: when rows are not here.
    """
    recipe = found.recipe
    prompt = stage.prompt or recipe.prompt
    rows: list[Row] = []
    families: set[str] = set()
    left_out: dict[str, int] = {}
    counts: dict[str, int] = {}
    for number, source in enumerate(stage.data or recipe.data):
        made = _Loader(found, source, source.prompt or prompt, stage.answer, seed).rows(f"{number}")
        families |= made.families
        counts[source.task] = counts.get(source.task, 0) + len(made.rows)
        for reason, count in made.left_out.items():
            left_out[reason] = left_out.get(reason, 0) + count
        rows += made.rows
    return Rows(rows, frozenset(families), left_out, counts)


def refuse_test_split(task: str, split: str | None) -> None:
    """Raise UsageError for a split that evaluations are made with."""
    if split is not None and split.lower() in _TEST_SPLITS:
        raise UsageError(
            f"{task!r}: split {split!r} is a test split, which is not trained on. "
            "Name another one (`split:`), or the file of other rows (`data:`)."
        )


@dataclass(frozen=True)
class _Loader:
    found: RecipeFile
    source: Source
    prompt: Prompt
    learnt: str | None
    seed: int

    def rows(self, prefix: str) -> Rows:
        task, samples = self._samples()
        protocol = task.protocol(self.prompt.protocol)
        strategy, nothing = parse_asking(self.prompt.strategy)
        if strategy.calls > 1 or nothing:
            raise UsageError(
                f"the prompt's strategy is {self.prompt.strategy!r}: training takes a strategy of one call without "
                "views; views belong under `data: views:`."
            )
        left_out: dict[str, int] = {}
        kept = [sample for sample in samples if self._wanted(sample)]
        with blaming("strategy", strategy):
            refused = [(sample, strategy.refuses(sample)) for sample in kept]
        for _, reason in refused:
            if reason:
                left_out[reason] = left_out.get(reason, 0) + 1
        kept = self._chosen([sample for sample, reason in refused if not reason])
        if not kept:
            raise UsageError(
                f"of the {len(samples):,} rows of {task.name!r} none is left: check `where` in the recipe."
            )
        named = (parse_asking(f"plain+{view}")[1] for view in self.source.views)
        views = [bound_views(chain, task, samples, protocol) for chain in named]
        shown = list(self._shown(kept, strategy, views, left_out))
        if self.source.order:
            order = self.source.order
            shown.sort(key=lambda pair: _order_of(pair[1], order, protocol))
        how = self.prompt, strategy, self.learnt
        rows = [
            Row(f"{prefix}|{key}|{copy}", self._shuffled(sample, copy), task.name, protocol, *how)
            for copy in range(self.source.weight)
            for key, sample in shown
        ]
        return Rows(rows, frozenset(_family(view) for chain in views for view in chain), left_out, {})

    def _samples(self) -> tuple[Task, list[Sample]]:
        source = self.source
        task = load_task(source.task)
        data = task.spec.data
        own = data.split if source.data is None and data.source.startswith("hf:") else None
        refuse_test_split(task.name, own if source.split is None else source.split)
        if source.split is not None:
            changed = data.model_copy(update={"split": source.split})
            task = replace(task, spec=task.spec.model_copy(update={"data": changed}))
        where = [self.found.below(path) if path else None for path in (source.data, source.media)]
        partial = source.partial or source.split is not None
        try:
            return task, task.samples(where[0], where[1], partial=partial)
        except MissingDataError as error:
            name = source.task
            raise MissingDataError(
                f"{error}\nFor a recipe --data and --media say whose they are: "
                f"--data '{name}=PATH', --media '{name}=PATH'."
            ) from error

    def _wanted(self, sample: Sample) -> bool:
        for key, wanted in self.source.where.items():
            held: Any = sample.category if key == "category" else sample.facets.get(key, sample.meta.get(key))
            values = held if isinstance(held, (list, tuple)) else (held,)
            if not {str(value) for value in values} & set(wanted):
                return False
        return True

    def _chosen(self, samples: list[Sample]) -> list[Sample]:
        limit = self.source.limit
        if limit is None or limit >= len(samples):
            return samples
        ranked = sorted(samples, key=lambda sample: hashlib.sha256(f"{self.seed}|{sample.id}".encode()).digest())
        chosen = {sample.id for sample in ranked[:limit]}
        return [sample for sample in samples if sample.id in chosen]

    def _shown(
        self,
        samples: Sequence[Sample],
        strategy: Strategy,
        views: Sequence[Sequence[View]],
        left_out: dict[str, int],
    ) -> Iterator[tuple[str, Sample]]:
        for sample in samples:
            yield sample.id, sample
        own_words = (self.prompt.instruction, self.prompt.system, self.learnt) != (None, None, None)
        names = strategy.keeps_names and not own_words
        for chain in views:
            made = without_refused(expand(samples, chain), strategy, chain, names=names)
            for (view, reason), ids in made.skipped.items():
                left_out[f"{view}: {reason}"] = left_out.get(f"{view}: {reason}", 0) + len(ids)
            yield from ((item.key, item.sample) for item in made.items)

    def _shuffled(self, sample: Sample, copy: int) -> Sample:
        """Return the sample with its options in an order of its own; a right answer must not have a favourite place."""
        if not self.source.shuffle_options or isinstance(OptionShuffle().expand(sample), tuple):
            return sample
        order = list(range(len(sample.choices)))
        random.Random(f"{self.seed}|{sample.id}|{copy}").shuffle(order)  # noqa: S311 - no secret depends on it
        try:
            return reordered(sample, order)
        except Refused:
            return sample


def _asked(item: Item, strategy: Strategy, protocol: TaskProtocol) -> Request:
    """Return what the strategy asks; it is stopped at its first question, so that nothing ever waits."""
    steps = first_request(item, strategy, protocol)
    try:
        steps.send(None)
    except StopIteration as end:
        request: Request | None = end.value
        if request is not None:
            return request
    finally:
        steps.close()
    raise UsageError(f"strategy {strategy.name!r} answers without asking: nothing can be trained. Choose another one.")


def _order_of(sample: Sample, order: str, protocol: TaskProtocol) -> tuple[int, float, str]:
    told = render(protocol.environment, "{{ " + order + " }}", sample, what="the order of the recipe")
    try:
        return 0, float(told), ""
    except ValueError:
        return 1, 0.0, told


def _family(view: View) -> str:
    return str(getattr(view, "family", view.name))
