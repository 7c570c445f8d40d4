"""What we would have recommended, against what people then really bought: the last purchase of 2,000 people
of a real shop is held back, and the ten products shown to each are laid beside it. Counted here from the file
alone; the products, orders and answers are the program's.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random  # noqa: TID251 - seeded
from typing import Any

import pytest
from django.db import connection

from campaigns.messages import recommend, recommending
from campaigns.messages.recommend import Wanted
from crm.kernel import ids
from crm.models import Contact, Order, OrderLine, Product
from crm.shop import bought
from tests.shared import shared

pytestmark = [pytest.mark.django_db, pytest.mark.chaos]

PEOPLE, SHOWN = 2000, 10
FILE = "transactions/online_retail_2010-12_to_2011-06.csv.gz"


class Told:
    """The shop's invoices: who, when, which goods; and of 2,000 people the last one, held back.

    Of people with one invoice alone, half of its goods are: what else goes with the other half?
    """

    def __init__(self, path: Path) -> None:
        self.invoices: dict[str, tuple[str, datetime, set[str]]] = {}
        with gzip.open(path, "rt") as file:
            for row in csv.DictReader(file):
                goods = row["StockCode"].strip().upper()
                is_sale = float(row["Quantity"]) > 0 and float(row["UnitPrice"]) > 0
                if row["InvoiceNo"].startswith("C") or not is_sale or not goods[:5].isdigit():
                    continue
                at = datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=UTC)
                who = row["CustomerID"] or f"guest {row['InvoiceNo']}"
                self.invoices.setdefault(row["InvoiceNo"], (who, at, set()))[2].add(goods)
        by_person: dict[str, list[str]] = {}
        for number, (who, _at, _goods) in sorted(self.invoices.items(), key=lambda pair: pair[1][1]):
            if not who.startswith("guest"):
                by_person.setdefault(who, []).append(number)
        self.came_back = {who for who, numbers in by_person.items() if len(numbers) > 1}
        once = [
            who
            for who, numbers in sorted(by_person.items())
            if len(numbers) == 1 and len(self.invoices[numbers[0]][2]) >= 4
        ]
        dice = Random(7)
        chosen = [*sorted(self.came_back), *dice.sample(once, PEOPLE - len(self.came_back))]
        self.held: dict[str, tuple[datetime, set[str]]] = {}
        for who in chosen:
            number = by_person[who][-1]
            _, at, goods = self.invoices[number]
            back = goods if who in self.came_back else set(dice.sample(sorted(goods), len(goods) // 2))
            self.held[who] = (at, back)
            self.invoices[number] = (who, at, goods - back)

    def hits(self, shown: dict[str, list[str]], people: set[str] | None = None) -> float:
        """The share of people of whose ten products at least one was in what was held back, in per cent."""
        asked = people if people is not None else set(self.held)
        hit = sum(bool(set(shown.get(who, [])[:SHOWN]) & self.held[who][1]) for who in asked)
        return 100 * hit / len(asked)

    def best_sellers(self) -> list[str]:
        buyers: dict[str, set[str]] = {}
        for who, _at, goods in self.invoices.values():
            for one in goods:
                buyers.setdefault(one, set()).add(who)
        counted = Counter({one: len(who) for one, who in buyers.items()})
        return [one for one, _number in counted.most_common(1000)]

    def bought_before(self, who: str, since: timedelta) -> set[str]:
        at = self.held[who][0]
        return set().union(
            set(),
            *(goods for one, then, goods in self.invoices.values() if one == who and at - since < then <= at),
        )


def load(told: Told, *, consumable: bool) -> tuple[dict[str, Any], datetime]:
    """The shop in the program's tables; returns the people, and the moment after all that was told."""
    end = max(at for _who, at, _goods in told.invoices.values()) + timedelta(minutes=1)
    goods = sorted({one for _who, _at, some in told.invoices.values() for one in some})
    start = end - timedelta(days=400)
    products = {
        one: Product(
            source="script",
            external_id=one,
            name=one,
            url=f"https://shop.test/{one}",
            consumable=consumable,
            created_at=start,
        )
        for one in goods
    }
    Product.objects.bulk_create(products.values())
    people = {
        who: Contact(id=ids.uuid7(start), first_name=who[:20], created_at=start)
        for who in sorted({who for who, _at, _goods in told.invoices.values()})
    }
    Contact.objects.bulk_create(people.values(), batch_size=2000)
    orders, lines = [], []
    for number, (who, at, some) in told.invoices.items():
        if some:
            order = Order(
                id=ids.uuid7(at),
                contact=people[who],
                source="api",
                external_id=number,
                currency="GBP",
                total=1,
                occurred_at=at,
                recorded_at=at,
            )
            orders.append(order)
            lines += [
                OrderLine(contact=people[who], order=order, product=products[one], name=one, occurred_at=at)
                for one in sorted(some)
            ]
    Order.objects.bulk_create(orders, batch_size=2000)
    OrderLine.objects.bulk_create(lines, batch_size=5000)
    bought.recount(one.pk for one in people.values())
    with connection.cursor() as cursor:
        # As autovacuum keeps it up elsewhere.
        cursor.execute("ANALYZE crm_product, crm_contact, crm_order, crm_orderline, crm_bought")
    return people, end


def shown(told: Told, people: dict[str, Any], sort: str) -> dict[str, list[str]]:
    """Ten products for each, as of the moment of the purchase that was held back."""
    by_day: dict[Any, list[str]] = {}
    for who, (at, _goods) in told.held.items():
        by_day.setdefault(at.date(), []).append(who)
    found = {}
    for some in by_day.values():
        now = max(told.held[who][0] for who in some)
        wanted = [Wanted(key, people[who].pk) for key, who in enumerate(some)]
        answers = recommend.picks(wanted, [sort], now, SHOWN)
        for key, who in enumerate(some):
            found[who] = [pick.product.external_id for pick in answers[key][sort]]
    return found


@pytest.fixture(scope="module")
def told() -> Told:
    return Told(shared(FILE))


def test_what_goes_together_hits_far_more_often_than_best_sellers(told, capsys):
    people, end = load(told, consumable=False)
    run = recommending.compute(end)
    assert run and run.links
    best = told.best_sellers()
    # A day is asked at once: what lies within hours of the edge of the window may fall on either side.
    just = {who: told.bought_before(who, recommend.JUST_BOUGHT - timedelta(days=1)) for who in told.held}
    allowed = {who: [one for one in best if one not in just[who]][:SHOWN] for who in told.held}
    together = shown(told, people, "together")
    assert all(len(some) == SHOWN for some in together.values())
    assert not any(set(some) & just[who] for who, some in together.items())
    ours, theirs, raw = told.hits(together), told.hits(allowed), told.hits(dict.fromkeys(told.held, best))
    back = told.came_back
    with capsys.disabled():
        print(
            f"\nhit rate at {SHOWN}, {len(told.held):,} people, {run.seconds:.1f} s to work out:"
            f" bought together {ours:.1f} %, best sellers {theirs:.1f} % (without what they just bought;"
            f" {raw:.1f} % with it); of {len(back):,} who came back {told.hits(together, back):.1f} %"
            f" against {told.hits(allowed, back):.1f} %"
        )
    assert ours > 1.4 * theirs and ours > raw


def test_where_goods_are_bought_again_what_they_buy_most_hits_more_than_half(told, capsys):
    people, end = load(told, consumable=True)
    assert recommending.compute(end)
    most = shown(told, people, "favourites")
    back, best = told.came_back, told.best_sellers()
    ours, theirs = told.hits(most, back), told.hits(dict.fromkeys(told.held, best), back)
    with capsys.disabled():
        print(f"\nof {len(back):,} who came back: bought most {ours:.1f} %, best sellers {theirs:.1f} %")
    assert ours > 50 and ours > 1.2 * theirs
