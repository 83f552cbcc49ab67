"""A world with a clock of its own, for tests of pacing: nothing sleeps, and every run of a test is the same."""

from __future__ import annotations

import asyncio
import heapq
import math
from itertools import count

from spatialeval.errors import ModelError


class World:
    """Time that passes only when nobody has anything to do."""

    def __init__(self):
        self.now = 0.0
        self._due = []
        self._number = count()

    def clock(self):
        return self.now

    def later(self, seconds, call):
        entry = [self.now + max(seconds, 0.0), next(self._number), call]
        heapq.heappush(self._due, entry)

        class Timer:
            @staticmethod
            def cancel():
                entry[2] = None

        return Timer

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        self.later(seconds, lambda: woken.done() or woken.set_result(None))
        await woken

    async def play(self, *coroutines):
        """Run coroutines to their end; time jumps to the next thing that is due."""
        tasks = [asyncio.create_task(each) for each in coroutines]
        while not all(task.done() for task in tasks):
            for _ in range(10):
                await asyncio.sleep(0)
            if self._due and not all(task.done() for task in tasks):
                at, _, call = heapq.heappop(self._due)
                if call:
                    self.now = max(self.now, at)
                    call()
        return [task.result() for task in tasks]


class Server:
    """Answers after `latency` seconds; refuses what comes above its limits.

    Args:
        world: its clock.
        latency: seconds.
        lanes: requests that it works on at once; more wait. None means no limit.
        per_second: requests that it takes in any one second of its clock.
        most: requests that it takes at once; more are refused.
        tells: whether a refusal says when to come back.
    """

    def __init__(self, world, latency=0.05, lanes=None, per_second=None, most=None, tells=True):
        self.world, self.latency, self.per_second, self.most, self.tells = world, latency, per_second, most, tells
        self.lanes = asyncio.Semaphore(lanes or 10**9)
        self.seen, self.refused, self.in_flight, self.widest = 0, 0, 0, 0
        self.times, self._window = [], (-1, 0)

    async def ask(self):
        self.seen += 1
        self.times.append(self.world.now)
        if self.per_second is not None:
            second = math.floor(self.world.now)
            taken = self._window[1] if self._window[0] == second else 0
            if taken >= self.per_second:
                self._refuse(second + 1 - self.world.now)
            self._window = (second, taken + 1)
        if self.most is not None and self.in_flight >= self.most:
            self._refuse(None)
        self.in_flight += 1
        self.widest = max(self.widest, self.in_flight)
        try:
            async with self.lanes:
                await self.world.sleep(self.latency)
        finally:
            self.in_flight -= 1

    def _refuse(self, left):
        self.refused += 1
        told = float(math.ceil(left)) if self.tells and left is not None else None
        raise ModelError("slow down", kind="rate_limited", transient=True, retry_after=told)


async def ask_all(world, pace, server, requests, workers=600, tokens=(0.0, 0.0)):
    """Send requests through the gate until each is answered, as the runner does; return the seconds that it took."""
    left = count()
    begun = world.now
    guess, used = tokens

    async def work():
        while next(left) < requests:
            while True:
                slot = await pace.enter(guess)
                try:
                    await server.ask()
                except ModelError as error:
                    pace.leave(slot, error=error)
                else:
                    pace.leave(slot, tokens=used)
                    break

    await world.play(*(work() for _ in range(workers)))
    return world.now - begun
