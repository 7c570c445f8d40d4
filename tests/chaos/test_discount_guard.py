"""The discount guard over half a year of a real shop, in which prices really changed: no message promises
less than the site asks, nothing just bought at full price is offered for less, the margin floor is kept.
Counted by tests/chaos/retail_ledger.py, which shares no code with the product.
"""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from campaigns.models import Offer, OfferProduct, OfferSettings
from campaigns.offers.judging import Asked, judge
from crm.models import Contact, Product
from crm.shop.intake import SHOP, LineIn, OrderIn, ProductIn, record_orders, record_products
from tests.chaos import retail_ledger as ledger
from tests.chaos.retail_ledger import Deal
from tests.shared import shared
from tracking.models import Cart, CartLine

pytestmark = [pytest.mark.django_db, pytest.mark.chaos]

FILE = "transactions/online_retail_2010-12_to_2011-06.csv.gz"
ONE_IN = 8
FLOOR, DEEPEST, DAYS = Decimal(15), Decimal(25), 14
SITE = [
    Deal("Tenth off in January", percent=Decimal(10), begins=date(2011, 1, 10), ends=date(2011, 2, 7)),
    Deal("Twos in spring", percent=Decimal(20), group="2", begins=date(2011, 3, 1), ends=date(2011, 4, 15)),
    Deal(
        "From fifty", percent=Decimal(15), minimum=Decimal(50), begins=date(2011, 5, 1), ends=date(2011, 6, 1)
    ),
]
OURS = [
    Deal("Ten", percent=Decimal(10)),
    Deal("Twenty on twos", percent=Decimal(20), group="2"),
    Deal("Fifteen from fifty", percent=Decimal(15), minimum=Decimal(50)),
    Deal("Secret", percent=Decimal(25), may_beat_site=True),
    Deal("Deep on eights", percent=Decimal(30), group="8", may_beat_site=True),
    Deal("Five pounds", amount=Decimal(5), minimum=Decimal(30), may_beat_site=True),
]


def at(day: date, hour: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def offer_of(deal: Deal, place: str) -> Offer:
    made = Offer.objects.create(
        name=f"{place}: {deal.name}",
        kind="percent" if deal.percent else "amount",
        value=deal.percent or deal.amount,
        on="products" if deal.codes else "category" if deal.group else "everything",
        category=deal.group,
        minimum=deal.minimum or None,
        starts_at=None if deal.begins == date.min else at(deal.begins),
        ends_at=None if deal.ends == date.max else at(deal.ends),
        place=place,
        codes="none",
        may_beat_site=deal.may_beat_site,
        follows_ladder=False,
    )
    if deal.codes:
        known = Product.objects.filter(external_id__in=deal.codes)
        OfferProduct.objects.bulk_create(OfferProduct(offer=made, product=one) for one in known)
    return made


def tell(book: ledger.Ledger, people: dict[str, Contact], day: date) -> None:
    """What the site asks from this day on, and what was ordered on it."""
    words = [
        ProductIn(
            code,
            name=code,
            price=days[day][0],
            list_price=days[day][1],
            cost=ledger.cost_of(code, ledger.first_price(book, code)),
            category=code[:1],
            source_at=at(day),
        )
        for code, days in book.asked.items()
        if day in days
    ]
    if words:
        record_products(words, at(day), source=SHOP)
    orders = [
        OrderIn(
            number,
            lines[0].at.replace(tzinfo=UTC),
            sum((line.price * line.quantity for line in lines), Decimal(0)),
            contact_id=people[who].pk,
            currency="GBP",
            lines=tuple(
                LineIn(one.name, one.code, quantity=Decimal(one.quantity), unit_price=one.price)
                for one in lines
            ),
        )
        for who, invoices in book.orders.items()
        for number, lines in invoices.items()
        if lines[0].at.date() == day
    ]
    if orders:
        record_orders(orders, at(day, 23) + timedelta(minutes=59))


def carts(
    book: ledger.Ledger, people: dict[str, Contact], now: datetime
) -> dict[str, tuple[Cart, list[ledger.Line]]]:
    """What each looks at: the goods of their next real order, as far as the site had them by now."""
    Cart.objects.all().delete()
    known = {product.external_id: product for product in Product.objects.all()}
    found = {}
    lines = []
    for who, invoices in book.orders.items():
        ahead = [rows for rows in invoices.values() if rows[0].at > now.replace(tzinfo=None)]
        if not ahead:
            continue
        goods = [row for row in min(ahead, key=lambda rows: rows[0].at) if row.code in known][:12]
        if not goods:
            continue
        cart = Cart(contact=people[who], token=who, opened_at=now, changed_at=now, recorded_at=now)
        found[who] = (cart, goods)
        lines += [
            CartLine(
                contact=people[who], cart=cart, product=known[row.code], name=row.code, quantity=row.quantity
            )
            for row in goods
        ]
    Cart.objects.bulk_create(cart for cart, _ in found.values())
    CartLine.objects.bulk_create(lines)
    return found


def test_no_offer_of_half_a_year_breaks_a_rule():
    book = ledger.read(shared(FILE), ONE_IN)
    people = {who: Contact.objects.create(first_name=who) for who in book.orders}
    OfferSettings.objects.create(margin_floor=FLOOR, deepest_without_cost=DEEPEST, full_price_days=DAYS)
    for deal in SITE:
        offer_of(deal, "site")
    ours = {deal: offer_of(deal, "messages") for deal in OURS}
    asked = counted = 0
    verdicts: Counter[str] = Counter()
    would_break: Counter[str] = Counter()
    day, last = date(2010, 12, 1), max(one for days in book.asked.values() for one in days)
    while day <= last:
        tell(book, people, day)
        if day.weekday() == 2:
            now = at(day, 23) + timedelta(minutes=59)
            in_cart = carts(book, people, now)
            questions = {
                (who, deal): Asked((who, deal), ours[deal], people[who].pk, "cart", cart.pk)
                for who, (cart, _) in in_cart.items()
                for deal in OURS
            }
            found = judge(list(questions.values()), now)
            asked += len(questions)
            for (who, deal), verdict in found.items():
                goods = in_cart[who][1]
                below = [] if deal.may_beat_site else ledger.below_site(book, deal, SITE, goods, day)
                thin = ledger.below_margin(book, deal, goods, day, FLOOR, DEEPEST)
                fresh = ledger.just_bought(book, who, deal, now.replace(tzinfo=None), DAYS)
                would_break["below the site"] += bool(below)
                would_break["below the margin floor"] += bool(thin)
                would_break["just bought at full price"] += fresh
                verdicts[verdict.reason or ("off the next order" if verdict.next_order else "given")] += 1
                if verdict.allowed:
                    counted += 1
                    assert not below, (who, deal, day, below)
                    assert not thin, (who, deal, day, thin)
                    assert verdict.next_order == fresh, (who, deal, day)
                elif verdict.reason == "margin_floor" and any(deal.on(one.code) for one in goods):
                    assert thin, (who, deal, day, verdict.words)
        day += timedelta(days=1)
    changes = sum(len(days) - 1 for days in book.asked.values())
    print(
        f"\n{len(people)} people, {len(book.asked)} products, {changes} changes of price; {asked} offers"
        f" judged: {dict(verdicts)}. Without the guard: {dict(would_break)}; with it 0 of {counted} given."
    )
    assert verdicts["given"] > 500 and verdicts["off the next order"] > 100
    assert all(number > 500 for number in would_break.values())
