"""*Not enough yet*, with how much longer it takes."""

from __future__ import annotations

from math import ceil

LONGEST_WEEKS = 104
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def not_enough(more: int | None, a_week: float, whom: str = "") -> str:
    """In words: how many more people it takes, and how many weeks at so many a week. `more` is None where too
    little was counted to say.
    """
    if more is None:
        return "Not enough yet: too few have bought to say how long it takes."
    people = f"about {_round(more):,} more people{f' {whom}' if whom else ''}"
    if a_week <= 0:
        return f"Not enough yet: {people}."
    weeks = ceil(more / a_week)
    if weeks > LONGEST_WEEKS:
        return f"Not enough yet: {people}, years at this pace. Compare something bolder, or more people."
    how = _NUMBERS[weeks] if weeks < len(_NUMBERS) else f"{weeks}"
    return f"Not enough yet: {people}, about {how} more week{'' if weeks == 1 else 's'}."


def _round(number: int) -> int:
    """Two figures that count: more would promise too much."""
    digits = max(len(str(number)) - 2, 0)
    return ceil(number / 10**digits) * 10**digits
