"""Strategies say how to ask: the call graph over one sample. A strategy is a frozen dataclass; fields are its options.

    @STRATEGIES.register("plain")
    @dataclass(frozen=True)
    class Plain(Strategy):
        async def run(self, sample, protocol, ask): return await ask(protocol.request(sample))

A strategy never stores state: `ask` is durable, and on a resumed run answers from the journal what was already asked.
"""

from __future__ import annotations

from spatialeval.strategies.base import STRATEGIES, Ask, Strategy

__all__ = ["STRATEGIES", "Ask", "Strategy"]
