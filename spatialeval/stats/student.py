"""Quantiles of Student's t distribution, to about 1e-9 of their size, without a statistics library."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_MANY = 1000
"""Degrees of freedom from which the expansion around the normal quantile is exact to about 1e-12."""
_CLOSE, _TINY, _MOST_STEPS = 1e-15, 1e-300, 10_000


@lru_cache(maxsize=1024)
def t_quantile(p: float, df: float) -> float:
    """Return the value that a t variable with `df` degrees of freedom stays below with probability `p`.

    For few degrees of freedom by bisection of P(|T| <= t) = I_y(1/2, df/2) with y = t^2 / (df + t^2) (NIST DLMF 8.17,
    Abramowitz and Stegun 26.7.1 and 26.5.27); for many by the expansion in Abramowitz and Stegun 26.7.5.

    Raises:
        ValueError: unless 0 < p < 1 and df > 0.
    """
    if not (0 < p < 1 and df > 0):
        raise ValueError(f"a t quantile needs 0 < p < 1 and df > 0, not p={p}, df={df}")
    if p == 0.5:
        return 0.0
    if p < 0.5:
        return -t_quantile(1 - p, df)
    if df > _MANY:
        return _expansion(NormalDist().inv_cdf(p), df)
    inside = 2 * p - 1
    low, high = 0.0, 1.0
    while (middle := (low + high) / 2) not in {low, high}:
        if beta_cdf(middle, 0.5, df / 2) < inside:
            low = middle
        else:
            high = middle
    return math.sqrt(df * low / (1 - low)) if low < 1 else math.inf


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b) by its continued fraction, NIST DLMF 8.17.22."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges quickly on the other side only
        return 1 - beta_cdf(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) / a * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """Evaluate the continued fraction by the modified Lentz algorithm (Thompson and Barnett 1986)."""
    c, d, value = 1.0, 0.0, 1.0
    for step in range(1, _MOST_STEPS):
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / ((1 + term * d) or _TINY)
        c = (1 + term / c) or _TINY
        value *= c * d
        if abs(c * d - 1) < _CLOSE:
            return 1 / value
    raise ArithmeticError(f"the continued fraction of I_{x}({a}, {b}) does not settle")


def _expansion(z: float, df: float) -> float:
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / df + second / df**2 + third / df**3
