"""The rules by which a run finds its speed. They hear the time and never look at a clock, so tests can play them.

Three rules, each about one thing:

`Width`  how many requests may be in flight. Slow start and AIMD as in TCP (RFC 5681), with throughput in the place of
         packets that arrive: the width doubles as long as that makes answers come faster, is then left alone, and is
         tried a half wider after growing pauses. Latency that grows is no reason to shrink: an inference server
         batches what waits, and is at its best when a queue is there. Only refusals (429) make it smaller.
`Rate`   how many requests a second the server stands, learnt from its refusals: what it answered, up to the end of the
         wait that it asked for. The idea is that of the client-side rate limiter of AWS's SDKs ("adaptive" retries);
         growth is counted in requests and not in seconds, so that probing costs the same share at any speed.
`Bucket` a token bucket, for limits that the user names (--rpm, --tpm) and for the learnt rate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

CAP = 512
"""Most requests in flight that a run chooses by itself."""

_WORTH = 0.3
"""Share of a widening that throughput must gain; less is noise, or a server that is busy already."""
_STEP, _PROBE = 2.0, 1.5
_PATIENCE = 8
"""Measurements until a width is probed again; doubled each time that it was in vain."""
_SHRINK = 0.75

_BELOW = 0.95
"""Share of the learnt rate that is used: right at it, every delay on the way makes two requests meet."""
_STEP_DOWN, _STEP_DOWN_BLIND = 0.9, 0.7
"""What is left of a rate that was refused; less of it where the server does not say when to come back."""
_GROWN, _CAREFULLY, _PER_REFUSED = 1.1, 1.02, 40
"""The rate grows by 10 % over 40 requests for each that the next refusal will cost, so that probing costs 2.5 % of
requests; twice as fast after each such step, since a refusal costs the same however far above the limit we are. Up to
the rate that was refused last it grows by 2 % only (the plateau of CUBIC, RFC 9438): each refusal costs a pause too."""
_ENOUGH = 20
"""Answers from which a rate can be told."""


@dataclass
class Width:
    """How many requests may be in flight.

    Attributes:
        limit: now.
        cap: most; a width that begins there is fixed.
    """

    limit: int
    cap: int
    _fixed: bool = field(init=False)
    _answers: int = 0
    _busy: int = 0
    _skip: int = 0
    """Answers to requests that were sent before the last change, still to come."""
    _begun: float | None = None
    _before: float | None = None
    """Answers a second at the last width."""
    _step: float = _STEP
    _rest: int = 0
    _patience: int = _PATIENCE

    def __post_init__(self) -> None:
        """Note whether there is anything to choose."""
        self._fixed = self.limit >= self.cap

    def answered(self, now: float, in_flight: int) -> None:
        """Take in an answer, which was one of `in_flight` requests."""
        if self._fixed:
            return
        if self._skip > 0:
            self._skip -= 1
            return
        if self._begun is None:
            self._begun, self._answers, self._busy = now, 0, 0
            return
        self._answers += 1
        self._busy += in_flight >= _SHRINK * self.limit
        if self._answers >= self.limit:
            self._measured(self._answers / max(now - self._begun, 1e-6))
            self._begun = None

    def refused(self, in_flight: int) -> None:
        """Take in that requests are refused; several at once are told once."""
        # Where few are in flight it is their rate that was too high, which is `Rate`'s to lower.
        if not self._fixed and in_flight >= _SHRINK * self.limit:
            self._set(max(1, ceil(self.limit * _SHRINK)))
            self._before, self._step, self._rest = None, _PROBE, self._patience

    def _measured(self, throughput: float) -> None:
        if self._busy < self._answers / 2:  # something else holds the run up, and a wider gate would change nothing
            return
        if self._rest > 0:
            self._rest -= 1
            return
        if self._before is not None and throughput < self._before * (1 + _WORTH * (self._step - 1)):
            self._before, self._step = None, _PROBE
            self._rest, self._patience = self._patience, 2 * self._patience
            return
        if self.limit < self.cap:
            self._before = throughput
            self._set(min(self.cap, ceil(self.limit * self._step)))

    def _set(self, limit: int) -> None:
        self._skip = self.limit
        self._begun, self.limit = None, limit


@dataclass
class Bucket:
    """What may be taken now, filled at a steady rate.

    Attributes:
        rate: units a second.
        burst: most units that are saved up.
    """

    rate: float
    burst: float
    level: float = field(init=False)
    _at: float | None = None

    def __post_init__(self) -> None:
        """Begin full."""
        self.level = self.burst

    def wait(self, amount: float, now: float) -> float:
        """Return the seconds until `amount` may be taken; an amount above the burst needs a full bucket only."""
        self._fill(now)
        missing = min(amount, self.burst) - self.level
        return missing / self.rate if missing > 1e-9 * self.burst else 0.0

    def take(self, amount: float, now: float) -> None:
        """Take `amount`; the bucket may owe what it does not hold. A negative amount gives back."""
        self._fill(now)
        self.level = min(self.burst, self.level - amount)

    def _fill(self, now: float) -> None:
        if self._at is not None:
            self.level = min(self.burst, self.level + (now - self._at) * self.rate)
        self._at = now


@dataclass
class Rate:
    """How many requests a second the server stands; no limit before it refused one."""

    bucket: Bucket | None = None
    _served: int = 0
    _since: float | None = None
    _over: int = _PER_REFUSED
    _held: int = 0
    """Requests held back since the last refusal, or since the rate refused last was passed."""
    _known: float = 0.0
    """The rate that was refused last."""

    def sent(self, now: float, *, held: bool) -> None:
        """Take in that a request goes out now; `held`: this rate held it back."""
        self._since = now if self._since is None else self._since
        if self.bucket:
            if held and self.bucket.rate < self._known:
                self._set(self.bucket.rate * _CAREFULLY ** (1 / self._over))
            elif held:
                faster = 2 ** min(3, self._held // self._over)
                self._set(self.bucket.rate * _GROWN ** (faster / self._over))
                self._held += 1
            self.bucket.take(1, now)

    def answered(self) -> None:
        """Take in an answer."""
        self._served += 1

    def refused(self, now: float, in_flight: int, retry_after: float | None) -> None:
        """Take in that requests are refused; several at once are told once.

        Args:
            now: seconds.
            in_flight: requests, the refused one included.
            retry_after: seconds that the server asks to wait, where it says.
        """
        step = _STEP_DOWN if retry_after is not None else _STEP_DOWN_BLIND
        self._held = 0
        if self.bucket:
            self._known, self._over = self.bucket.rate, _PER_REFUSED * max(1, in_flight)
            self._set(self.bucket.rate * step)
        elif self._served >= _ENOUGH and self._since is not None:
            told = self._served / max(now - self._since + (retry_after or 0.0), 1e-3)
            self.bucket = Bucket(1.0, 1.0)
            self._set(told * (_BELOW if retry_after is not None else step))
            # What is in flight now was sent unpaced; the next refusal costs what comes together in about 0.1 s.
            self._over = _PER_REFUSED * max(1, min(in_flight, ceil(told / 10)))
        elif not self._served:  # somebody spent the allowance before us, which says nothing about the rate
            self._since = None
        if self.bucket:
            self.bucket.level = 0.0

    def wait(self, now: float) -> float:
        """Return the seconds until the next request may go out."""
        return self.bucket.wait(1, now) if self.bucket else 0.0

    def _set(self, rate: float) -> None:
        assert self.bucket is not None  # noqa: S101 - only called where there is one
        self.bucket.rate = max(rate, 1 / 60)
        # What a late timer missed is made up for within 50 ms; more would arrive as a bunch and be refused.
        self.bucket.burst = max(1.0, 0.05 * self.bucket.rate)
