"""Write the page of rewards: the named sets with their sources, and what each reward pays, from the code.

python docs/reward_sets.py docs/rewards.md
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from spatialeval.rewards import REWARDS
from spatialeval.rewards.sets import load_set, set_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spatialeval.rewards.terms import Term

_OPENING = """\
# Rewards

Made by `python docs/reward_sets.py docs/rewards.md` from the code; nothing here is typed.

A recipe's `rewards` is the name of a set below, or a list of terms. The answer's worth is the reward `score`: the very
object that scores evaluations, so that training pays for what an evaluation counts.

```yaml
rewards:
  - {use: score, name: accuracy, weight: 0.9, only: [choice, number]}  # None, not 0, for other answer types
  - {use: "tags(names=[think, answer])", name: format, weight: 0.1}
  - {use: length(least=320, most=512), weight: 0.2, gate: [score, {use: in_group, above: 1}]}  # all gates must hold
  - {use: closeness, weight: 0.5, where: {category: [distance]}}  # by category, facet or meta value
```

A reply that cannot be read is worth 0, or `score(unparsed=-0.2)`; one that the token cap cut 0, or what
`score(truncated=none)` says, which leaves it out. A reward that raises, or gives what is no finite number, stops
training and names the sample and the reply; it is never a 0. A reward of your own is a dataclass registered as
`spatialeval.rewards` says, in a module of that package or under the entry point group `spatialeval.rewards`.

## Sets

Each is a file `rewards/NAME.yaml` whose examples, with the arithmetic, are tested. Verified means that the formula was
read in the source's code; the note in the file says what differs. The number before a reward is its weight, what stands
behind "if" its gate, what stands in brackets the answers it is for.
"""


def page() -> str:
    """Return the page."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield _OPENING
    yield "| set | | rewards | source | verified |"
    yield "| --- | --- | --- | --- | --- |"
    for name in set_names():
        found = load_set(name)
        terms = "<br>".join(_term(term) for term in found.rewards)
        verified = "yes" if found.verified else "no"
        yield f"| `{name}` | {found.title} | {terms} | {_escaped(found.source)} | {verified} |"
    yield "\n## What each reward pays\n"
    for name in REWARDS.names():
        if not REWARDS.get(name).__module__.startswith("spatialeval."):
            continue  # somebody else's, installed or loaded beside
        paragraph = " ".join(inspect.cleandoc(REWARDS.get(name).__doc__ or "").split("\n\n")[0].split())
        yield f"- `{name}`: {_escaped(paragraph)}"


def _term(term: Term) -> str:
    gates = " and ".join(f"`{gate.use}` > {gate.above:g}" for gate in term.gate)
    kinds = [*(term.only or ()), *(value for values in term.where.values() for value in values)]
    what = f"{term.weight:g} x {term.name or term.use} `{term.use}`" + f" if {gates}" * bool(gates)
    return (what + f" ({', '.join(kinds)})" * bool(kinds)).replace("\n", "\\n").replace("|", "\\|")


def _escaped(text: str) -> str:
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(p if i % 2 else re.sub(r"([\\*_<>|\[\]])", r"\\\1", p) for i, p in enumerate(pieces))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
