r"""Corrected StepGame stories in bAbI form: numbered sentences, then a numbered question with its label.

    1 The object E is upper and slightly to the right of the object O.
    2 What is the relation of the agent E to the agent O?\tupper-right\t1

Format as in Fangjun-Li/SpatialLM-StepGame:data/correct_{clean,noise}/qa{k}_test.txt.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from spatialeval.data.adapters import ADAPTERS
from spatialeval.data.lines import text_lines
from spatialeval.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LINE = re.compile(r"(\d+) (.*)")
_HOPS = re.compile(r"qa(\d+)_")
_KIND = re.compile(r"clean|noise")


@ADAPTERS.register("stepgame_babi")
def stepgame_babi(path: Path) -> Iterator[dict[str, Any]]:
    """Yield story (list of sentences), question, label, k (hops, from "qaK_") and noise (from "clean" or "noise").

    `noise` is looked for in the file's name, then in its folder's, as both layouts are in use.
    """
    hops = _HOPS.search(path.name)
    kind = _KIND.search(path.name) or _KIND.search(path.parent.name)
    if hops is None or kind is None:
        raise DataError(
            f"{path}: the name must hold qaK_ with the number of hops and, in it or its folder, clean or noise, "
            "such as correct_clean_qa3_test.txt. Rename the file."
        )
    known = {"k": int(hops[1]), "noise": kind[0] == "noise"}
    story: list[str] = []
    for number, line in enumerate(text_lines(path), start=1):
        text = line.rstrip("\r\n")
        if not text.strip():
            continue
        found = _LINE.fullmatch(text)
        if found is None or int(found[1]) != len(story) + 1:
            raise DataError(f"{path}:{number}: expected line {len(story) + 1} of a story, found {text[:60]!r}.")
        question, *rest = found[2].split("\t")
        if not rest:
            story.append(question)
            continue
        if len(rest) != 2 or not story or not rest[0]:
            raise DataError(
                f"{path}:{number}: expected question, label and 1 between tabs after a story: {text[:60]!r}."
            )
        yield {"story": story, "question": question, "label": rest[0], **known}
        story = []
    if story:
        raise DataError(f"{path}: the last story has no question: the file is cut off; fetch it again.")
