"""Rewards of answers in words: the very text of an option, word errors, ROUGE."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.rewards import REWARDS
from spatialeval.scorers.texts import RougeL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.rewards.reply import Reply
    from spatialeval.samples import Sample

_MOST = 2000


@REWARDS.register("option_text")
@dataclass(frozen=True)
class OptionText:
    """1 when the last line of the reply is the right option's text, case and the marks ( ) . , - apart; else 0.

    Rule: Yvonne511/spatial-vlm-investigator:model/pali_sat_grpo.py.

    Attributes:
        empty: what an empty reply is worth.
    """

    empty: float = 0.0

    def __call__(self, reply: Reply) -> float:
        """Return the worth."""
        said = reply.text.rsplit("\n", maxsplit=1)[-1].strip() if "\n" in reply.text else reply.text
        if not said.strip():
            return self.empty
        return float(_plain(said) == _plain(_right(reply.sample)))


def _right(sample: Sample) -> str:
    if sample.answer == "choice":
        return sample.choices[sample.letters.index(str(sample.target))]
    return str(sample.target)


def _plain(text: str) -> str:
    return re.sub(r"[().,\-]", "", text).lower()


@REWARDS.register("word_error")
@dataclass(frozen=True)
class WordError:
    """1 - edits / words of the target, never below 0: words inserted, left out and replaced. At most 2,000 words."""

    def __call__(self, reply: Reply) -> float:
        """Return the worth; 0 where nothing was read."""
        if reply.answer is None:
            return 0.0
        gold, said = (str(text).split()[:_MOST] for text in (reply.sample.target, reply.answer))
        return max(0.0, 1.0 - _edits(gold, said) / max(1, len(gold)))


def _edits(one: Sequence[str], other: Sequence[str]) -> int:
    row = list(range(len(other) + 1))
    for place, word in enumerate(one, start=1):
        diagonal, row[0] = row[0], place
        for index, match in enumerate(other, start=1):
            best = diagonal if word == match else 1 + min(diagonal, row[index], row[index - 1])
            diagonal, row[index] = row[index], best
    return row[-1]


@REWARDS.register("rouge")
@dataclass(frozen=True)
class Rouge:
    """The mean of ROUGE-1, ROUGE-2 and ROUGE-L, each as an F-measure, of words without stemming (Lin 2004)."""

    def __call__(self, reply: Reply) -> float:
        """Return the mean; 0 where nothing was read."""
        if reply.answer is None:
            return 0.0
        said, gold = (re.findall(r"[a-z0-9]+", str(text).lower()) for text in (reply.answer, reply.sample.target))
        return (_shared(said, gold, 1) + _shared(said, gold, 2) + RougeL()(str(reply.answer), reply.sample)) / 3


def _shared(said: Sequence[str], gold: Sequence[str], length: int) -> float:
    counts = [Counter(zip(*(words[start:] for start in range(length)), strict=False)) for words in (said, gold)]
    total = sum(count.total() for count in counts)
    return 2 * (counts[0] & counts[1]).total() / total if total else 0.0
