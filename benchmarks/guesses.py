"""Rules such as people try out in a builder: one to five conditions of any kind, in groups of any make."""

from __future__ import annotations

from collections.abc import Callable
from random import Random  # noqa: TID251 - seeded
from typing import Any

from benchmarks import crowd
from benchmarks.shapes import of

Guess = Callable[[Random], dict[str, Any]]


def _days(dice: Random) -> int:
    return dice.choice([7, 14, 30, 60, 90, 180, 365])


def _goods(dice: Random) -> dict[str, str]:
    number = int(dice.random() ** 1.7 * crowd.CATEGORIES)
    return dice.choice(
        [{}, {"category": crowd.category(number)}, {"brand": crowd.brand(number)}, {"product": f"p{number}"}]
    )


def _seen(dice: Random) -> dict[str, str]:
    return {name: value for name, value in _goods(dice).items() if name != "product"}


GUESSES: tuple[Guess, ...] = (
    lambda dice: of("crm.consent", purpose="newsletter", channel="email"),
    lambda dice: of("crm.country", countries=dice.choice(crowd.COUNTRIES)),
    lambda dice: of("crm.name", contains=dice.choice(crowd.NAMES)),
    lambda dice: of("crm.tag", tag="vip"),
    lambda dice: of("crm.known_since", which=dice.choice(["least", "most"]), days=_days(dice)),
    lambda dice: of("crm.reachable", channel="email"),
    lambda dice: of("crm.ordered", times=dice.randint(1, 4), within_days=_days(dice), **_goods(dice)),
    lambda dice: of("crm.ordered", times=dice.randint(1, 4), **_goods(dice)),
    lambda dice: of("crm.not_ordered", within_days=_days(dice), **_goods(dice)),
    lambda dice: of("crm.last_order", which=dice.choice(["within", "ago"]), days=_days(dice)),
    lambda dice: of("crm.first_order", which=dice.choice(["within", "ago"]), days=_days(dice)),
    lambda dice: of("crm.spent", at_least=dice.choice([50, 500, 2000]), within_days=_days(dice)),
    lambda dice: of("crm.spent", at_least=dice.choice([50, 500, 2000])),
    lambda dice: of("crm.used_coupon", times=1, within_days=_days(dice)),
    lambda dice: of("tracking.last_seen", which=dice.choice(["within", "not_for"]), days=_days(dice)),
    lambda dice: of("tracking.did", event="product", times=dice.randint(1, 5), **_seen(dice)),
    lambda dice: of(
        "tracking.did", event="product", times=dice.randint(1, 5), within_days=_days(dice), **_seen(dice)
    ),
    lambda dice: of(
        "tracking.did",
        event=dice.choice(["page", "cart", "search", "click"]),
        times=1,
        within_days=_days(dice),
    ),
    lambda dice: of("tracking.did_not", event="product", within_days=_days(dice), **_seen(dice)),
    lambda dice: of("tracking.visited", times=dice.randint(1, 5), within_days=_days(dice)),
    lambda dice: of("tracking.came_by", by="source", value="newsletter", times=1, within_days=_days(dice)),
)


def rule(dice: Random) -> dict[str, Any]:
    said = [dice.choice(GUESSES)(dice) for _ in range(dice.randint(1, 5))]
    if len(said) > 2:
        inner = {
            dice.choice(["any", "none", "all"]): [said.pop() for _ in range(dice.randint(1, len(said) - 1))]
        }
        said.append(inner)
    return {dice.choice(["all", "all", "any"]): said}
