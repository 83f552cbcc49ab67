"""An OpenAI-compatible server that answers "B" after a set time, in a process of its own, as cheaply as Python can.

    python benchmarks/mock_server.py --latency 0.05                          # always 50 ms
    python benchmarks/mock_server.py --latency 0.05 --sigma 0.5 --tail 5     # lognormal, 1 % of the replies after 5 s
    python benchmarks/mock_server.py --latency 0.05 --rate 100               # 429 above 100 requests a second

It prints its address. `GET /stats` tells how many requests came, how many were refused with 429, and when the first
came and the last reply left, in seconds of the machine's monotonic clock, which all processes share; asking resets it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import time
from dataclasses import dataclass, field

ANSWER = json.dumps(
    {
        "id": "1",
        "object": "chat.completion",
        "model": "mock",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "B"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 300, "completion_tokens": 1, "total_tokens": 301},
    }
).encode()


@dataclass
class Behaviour:
    """How long replies take, how many are refused, and what was seen."""

    latency: float
    sigma: float = 0.0
    tail: float = 0.0
    tail_share: float = 0.01
    rate: float = 0.0
    retry_after: float = 1.0
    seen: dict[str, float] = field(default_factory=dict)
    _dice: random.Random = field(default_factory=lambda: random.Random(7))
    _number: int = 0
    _window: int = -1
    _in_window: int = 0

    def reset(self) -> dict[str, float]:
        """Return what was seen and forget it; the same delays come again."""
        seen, self.seen = self.seen, {}
        self._dice, self._number = random.Random(7), 0
        return seen

    def delay(self) -> float:
        """Return the seconds of the next reply. Every hundredth is slow, so that each run has just as many."""
        self._number += 1
        if self.tail and self._number % round(1 / self.tail_share) == 0:
            return self.tail
        return self.latency * math.exp(self.sigma * self._dice.gauss(0, 1)) if self.sigma else self.latency

    def refused(self) -> bool:
        """Count a request; tell whether it is one too many in this second."""
        now = time.monotonic()
        self.seen.setdefault("first", now)
        self.seen["requests"] = self.seen.get("requests", 0) + 1
        if int(now) != self._window:
            self._window, self._in_window = int(now), 0
        self._in_window += 1
        return bool(self.rate) and self._in_window > self.rate


class Connection(asyncio.Protocol):
    """HTTP/1.1 with Content-Length, one request after the other."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.head, self.left, self.get = bytearray(), 0, False

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.left:
            self._body(len(data))
            return
        self.head += data
        end = self.head.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.head[:end]).lower()
        self.get = head.startswith(b"get ")
        _, _, after = head.partition(b"content-length:")
        self.left = int(after.split(b"\r\n", 1)[0]) if after else 0
        body, self.head = len(self.head) - end - 4, bytearray()
        self._body(body)

    def _body(self, count: int) -> None:
        self.left -= count
        if self.left > 0:
            return
        self.left = 0
        if self.get:
            self._send(200, json.dumps(self.behaviour.reset()).encode())
        elif self.behaviour.refused():
            self.behaviour.seen["refused"] = self.behaviour.seen.get("refused", 0) + 1
            self._send(429, b'{"error": {"message": "too many"}}', f"Retry-After: {self.behaviour.retry_after:g}\r\n")
        else:
            asyncio.get_running_loop().call_later(self.behaviour.delay(), self._answer)

    def _answer(self) -> None:
        self.behaviour.seen["last"] = time.monotonic()
        self._send(200, ANSWER)

    def _send(self, status: int, body: bytes, header: str = "") -> None:
        head = f"HTTP/1.1 {status} .\r\nContent-Type: application/json\r\n{header}Content-Length: {len(body)}\r\n\r\n"
        if not self.transport.is_closing():
            self.transport.write(head.encode() + body)


async def serve(behaviour: Behaviour) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Connection(behaviour), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latency", type=float, default=0.05, help="seconds, the median where there is a spread")
    parser.add_argument("--sigma", type=float, default=0.0, help="of the lognormal spread; 0 for none")
    parser.add_argument("--tail", type=float, default=0.0, help="seconds of the slow 1 %%")
    parser.add_argument("--rate", type=float, default=0.0, help="requests allowed a second; 0 for any number")
    asyncio.run(serve(Behaviour(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
