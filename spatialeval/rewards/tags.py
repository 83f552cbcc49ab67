"""tags: whether a reply keeps the contract of its form: which tags, in which order, each exactly once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spatialeval.readers.freetext import last_boxed
from spatialeval.rewards import REWARDS

if TYPE_CHECKING:
    from spatialeval.rewards.reply import Reply


@REWARDS.register("tags")
@dataclass(frozen=True)
class Tags:
    r"""1 when the reply is `<a>...</a><b>...</b>` with these tags in this order, each once, and what may follow.

    Else 0. Counting and order are checked because a reward that only looks for a tag is farmed (empty thoughts, several
    answers). Spaces and line breaks around the blocks are free.

    Attributes:
        names: the tags, such as [think, answer].
        filled: the tags that must hold something; all when left out.
        case: whether upper and lower case differ in the names.
        rest: what follows the blocks: `none`; `free`, any text; `boxed`, a text with one filled \boxed{}.
    """

    names: tuple[str, ...] = ("think", "answer")
    filled: tuple[str, ...] | None = None
    case: bool = True
    rest: Literal["none", "free", "boxed"] = "none"

    def __post_init__(self) -> None:
        """Take lists as YAML gives them; refuse tags that are none, and a filled one that is not asked for."""
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "filled", self.names if self.filled is None else tuple(self.filled))
        if not self.names or not all(re.fullmatch(r"[A-Za-z][\w-]*", name) for name in self.names):
            raise ValueError(f"names are tags such as [think, answer], not {list(self.names)}")
        if unknown := set(self.filled or ()) - set(self.names):
            raise ValueError(f"filled names {sorted(unknown)}, which are not among the tags {list(self.names)}")
        if self.rest not in {"none", "free", "boxed"}:
            raise ValueError(f"rest is {self.rest!r}; give none, free or boxed")

    def __call__(self, reply: Reply) -> float:
        """Return 1.0 or 0.0."""
        flags = re.DOTALL | (0 if self.case else re.IGNORECASE)
        form = r"\s*".join(rf"<{name}>(.*?)</{name}>" for name in self.names)
        match = re.match(rf"\s*{form}", reply.text, flags)
        if match is None:
            return 0.0
        rest = reply.text[match.end() :]
        for name, content in zip((*self.names, None), (*match.groups(), rest), strict=True):
            if any(re.search(rf"</?{other}>", content, flags) for other in self.names):
                return 0.0
            if name in (self.filled or ()) and not content.strip():
                return 0.0
        return float(self._follows(rest))

    def _follows(self, rest: str) -> bool:
        if self.rest == "boxed":
            return rest.count("\\boxed{") == 1 and bool((last_boxed(rest) or "").strip())
        return self.rest == "free" or not rest.strip()
