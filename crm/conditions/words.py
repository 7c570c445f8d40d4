"""How conditions put numbers, days and money into words."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from crm.shop.settings import this_shop
from crm.shop.showing import money as shown_money

LEAST, MOST, EXACTLY = "least", "most", "exactly"


def joined(*parts: str) -> str:
    """The parts that say something, as one phrase."""
    return " ".join(part for part in parts if part)


def counted(number: int, noun: str, nouns: str = "") -> str:
    """So many of a thing: "1 order", "3 orders"."""
    return f"{number:,} {noun if number == 1 else nouns or f'{noun}s'}"


def times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def often(which: str, number: int) -> str:
    """How often, as it follows a verb; at least once says nothing."""
    if which == LEAST:
        return "" if number == 1 else f"at least {times(number)}"
    return f"{'exactly' if which == EXACTLY else 'at most'} {times(number)}"


def day(moment: datetime | date | str) -> str:
    """A day as people write it; an instant, or what the database's JSON made of one, in the shop's time."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        moment = timezone.localtime(moment)
    return f"{moment.day} {moment:%B %Y}"


def money(amount: Decimal) -> str:
    """An amount in the shop's own currency."""
    return shown_money(amount, this_shop().currency)


def between(lower: Any, upper: Any, say: Any = str) -> str:
    """A range with one end open or none: "at least 5", "exactly 5", "between 5 and 9"."""
    if lower is None:
        return f"at most {say(upper)}"
    if upper is None:
        return f"at least {say(lower)}"
    return f"exactly {say(lower)}" if lower == upper else f"between {say(lower)} and {say(upper)}"
