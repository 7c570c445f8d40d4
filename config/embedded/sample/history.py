"""A year of the sample shop: who came, looked, left a cart, bought, agreed to what; it ends yesterday.

Pure and the same for the same seed and day. Purchases follow `bgnbd`; visits and carts stand around them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import batched
from random import Random  # noqa: TID251 - seeded: a sample year is the same every time it is loaded

from . import invented
from .bgnbd import Buying
from .days import waking
from .lives import live
from .records import DAYS, Life, Plan, Year

PEOPLE = 2_000
SEED = 20_260_101


def plans(now: datetime, *, seed: int = SEED, number: int = PEOPLE) -> list[Plan]:
    """Everybody's purchases. First ones are spread over the year, more of them towards winter evenings."""
    year = Year.before(now)
    buying = Buying()
    names = invented.people(Random(f"{seed}/names"))
    made = []
    for index in range(number):
        own_seed = f"{seed}/{index}"
        chance = Random(own_seed)
        name = next(names)
        first_day = chance.uniform(0, DAYS)
        repeats = buying.repeats(chance, (DAYS - first_day) / 7)
        instants = [year.begins_at + timedelta(days=first_day + 7 * weeks) for weeks in (0.0, *repeats)]
        purchases = sorted(waking(chance, at, name.time_zone, year) for at in instants)
        made.append(Plan(name, own_seed, tuple(purchases)))
    return made


def lives(now: datetime, *, seed: int = SEED, number: int = PEOPLE) -> Iterator[Life]:
    """Every customer's year, one after another. Order numbers count through the shop's year by time."""
    year = Year.before(now)
    everyone = plans(now, seed=seed, number=number)
    in_order = sorted((at, plan.seed, place) for plan in everyone for place, at in enumerate(plan.purchases))
    numbers = {(plan_seed, place): 1001 + index for index, (_, plan_seed, place) in enumerate(in_order)}
    for plan in everyone:
        yield live(plan, [numbers[plan.seed, place] for place in range(len(plan.purchases))], year)


def batches(
    now: datetime, size: int = 250, *, seed: int = SEED, number: int = PEOPLE
) -> Iterator[tuple[Life, ...]]:
    yield from batched(lives(now, seed=seed, number=number), size)
