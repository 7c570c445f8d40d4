"""How sure one may be: the chance that one of several is the best, intervals, and how many people it takes.

Pure arithmetic, no database, no random numbers: the same counts always give the same answer.

Rates (clicks, unsubscribes) have the Beta distribution of their counts with Jeffreys' prior. Means (money a
person, most of it nothing at all) have the normal distribution that the mean of many takes whatever one looks
like; `Mean.is_large` says whether there are enough for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import asin, cos, exp, inf, log, pi, sin, sqrt
from typing import Protocol

REACH = 8.0  # standard deviations to both sides: beyond lies nothing that counts
POINTS = 400
Z95 = 1.959964
Z80 = 0.841621  # of a power of 80 %
ENOUGH_BUYERS = 15


class Posterior(Protocol):
    """What one of them may truly be, given what was counted: densities on a scale that all compared share."""

    @property
    def mean(self) -> float: ...
    @property
    def span(self) -> tuple[float, float]:
        """From where to where it may lie; one point where nothing varied."""
        ...

    def log_density(self, x: float) -> float:
        """But for a constant."""
        ...


@dataclass(frozen=True)
class Rate:
    """So many of so many. Its scale is the angle whose squared sine is the rate: there the density of few or
    no hits has an end, too.
    """

    hits: int
    of: int

    @property
    def mean(self) -> float:
        return (self.hits + 0.5) / (self.of + 1)

    @property
    def span(self) -> tuple[float, float]:
        middle, sd = asin(sqrt(self.mean)), 1 / (2 * sqrt(self.of + 1))
        return max(middle - REACH * sd, 0.0), min(middle + REACH * sd, pi / 2)

    def log_density(self, x: float) -> float:
        log_sine = 2 * self.hits * log(sin(x)) if self.hits and x > 0 else 0.0 if not self.hits else -inf
        misses = self.of - self.hits
        log_cosine = 2 * misses * log(cos(x)) if misses and x < pi / 2 else 0.0 if not misses else -inf
        return log_sine + log_cosine


@dataclass(frozen=True)
class Mean:
    """The mean of `of` people whose values add up to `total`, their squares to `squares`; `some` of them have
    a value other than nothing.
    """

    of: int
    total: float
    squares: float
    some: int = 0

    @property
    def mean(self) -> float:
        return self.total / self.of if self.of else 0.0

    @property
    def variance(self) -> float:
        """Of one person's value."""
        if self.of < 2:
            return 0.0
        return max(self.squares - self.of * self.mean**2, 0.0) / (self.of - 1)

    @property
    def sd(self) -> float:
        return sqrt(self.variance / self.of) if self.of else 0.0

    @property
    def is_large(self) -> bool:
        return self.some >= ENOUGH_BUYERS

    @property
    def span(self) -> tuple[float, float]:
        return self.mean - REACH * self.sd, self.mean + REACH * self.sd

    def log_density(self, x: float) -> float:
        away = (x - self.mean) / self.sd
        return -away * away / 2


def to_be_best(among: Sequence[Posterior]) -> list[float]:
    """The chance of each to be truly the highest: the integral of its density times the others' chance to lie
    below.
    """
    if len(among) < 2:
        return [1.0] * len(among)
    if any(low >= high for low, high in (one.span for one in among)):
        best = max(one.mean for one in among)
        leading = [float(one.mean == best) for one in among]
        return [one / sum(leading) for one in leading]
    grid = _grid(among)
    densities = [_density(grid, one) for one in among]
    below = [list(accumulate(_strips(grid, density), initial=0.0)) for density in densities]
    weights = []
    for place, density in enumerate(densities):
        product = density
        for other, cdf in enumerate(below):
            if other != place:
                product = [value * under for value, under in zip(product, cdf, strict=True)]
        weights.append(sum(_strips(grid, product)))
    whole = sum(weights)
    return [weight / whole for weight in weights]


def higher(one: Posterior, other: Posterior) -> float:
    """The chance that the first is truly higher than the second."""
    return to_be_best([one, other])[0]


def needed_each(mean: float, variance: float, difference: float) -> int | None:
    """People each of two groups needs, so that a difference of this share of the mean is seen in four of five
    cases. Nothing where nothing was counted yet.
    """
    gap = mean * difference
    return None if gap <= 0 else round(2 * (Z95 + Z80) ** 2 * variance / gap**2)


def needed_with_control(rate: float, share: float, difference: float) -> int | None:
    """People in all, of whom `share` are held out, so that the others' rate being higher by `difference` of
    it is seen in four of five cases.
    """
    if not 0 < rate < 1 or not 0 < share < 1:
        return None
    treated = min(rate * (1 + difference), 1.0)
    spread = rate * (1 - rate) / share + treated * (1 - treated) / (1 - share)
    return round((Z95 + Z80) ** 2 * spread / (rate * difference) ** 2)


def _grid(among: Sequence[Posterior]) -> list[float]:
    """Points close where each of them is steep, however different their widths."""
    points: set[float] = set()
    for low, high in (one.span for one in among):
        points.update(low + (high - low) * step / POINTS for step in range(POINTS + 1))
    return sorted(points)


def _density(grid: Sequence[float], one: Posterior) -> list[float]:
    logs = [one.log_density(x) for x in grid]
    highest = max(logs)
    shape = [exp(value - highest) for value in logs]
    area = sum(_strips(grid, shape))
    return [value / area for value in shape]


def _strips(grid: Sequence[float], density: Sequence[float]) -> list[float]:
    return [
        (right - left) * (before + after) / 2
        for (left, right), (before, after) in zip(pairwise(grid), pairwise(density), strict=True)
    ]
