"""What one customer does in the year: signs up, browses, leaves carts, buys what they planned to buy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random  # noqa: TID251 - seeded: a sample year is the same every time it is loaded
from uuid import UUID

from . import wordings
from .baskets import Taste
from .catalogue import COUPONS, discount_for, shipping_for
from .days import waking
from .records import Cart, Consent, Event, Item, Life, Order, Plan, Year

FORGOTTEN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Session:
    """A visit that ends at `at`; one of an order ends with it."""

    at: datetime
    order: int | None = None


@dataclass(slots=True)
class OpenCart:
    token: str
    opened_at: datetime
    changed_at: datetime
    items: dict[str, Item] = field(default_factory=dict)

    def closed(self, state: str, at: datetime | None, order: int | None = None) -> Cart:
        return Cart(self.token, self.opened_at, self.changed_at, state, at, tuple(self.items.values()), order)


def live(plan: Plan, numbers: Sequence[int], year: Year) -> Life:
    """The whole year of one customer, whose purchases are already fixed."""
    return _Living(plan, numbers, year).life()


class _Living:
    def __init__(self, plan: Plan, numbers: Sequence[int], year: Year) -> None:
        self.plan, self.year = plan, year
        self.numbers = numbers
        self.chance = Random(f"{plan.seed}/life")
        self.taste = Taste(self.chance)
        self.tracked = self.chance.random() < 0.82
        self.events: list[Event] = []
        self.carts: list[Cart] = []
        self.orders: list[Order] = []
        self.cart: OpenCart | None = None

    def life(self) -> Life:
        chance, plan = self.chance, self.plan
        joined_at, form = self._join()
        for session in self._sessions(joined_at):
            if session.order is None:
                self._browse(session.at)
            else:
                self._buy(session.at, session.order)
        if self.cart:
            self._put_away(self.year.ends_at)
        if self.cart:
            self.carts.append(self.cart.closed("open", None))
        if self.tracked:
            self.events.append(Event(joined_at, "identify", "/"))
        return Life(
            name=plan.name,
            visitor_id=UUID(int=chance.getrandbits(128), version=4),
            joined_at=joined_at,
            form=form,
            consents=tuple(self._consents(joined_at, form)),
            events=tuple(sorted(self.events, key=lambda event: event.at)) if self.tracked else (),
            carts=tuple(self.carts) if self.tracked else (),
            orders=tuple(self.orders),
        )

    def _join(self) -> tuple[datetime, str]:
        """Half give their address days before they buy, the others at the till."""
        first = self.plan.purchases[0]
        earlier = first - timedelta(days=self.chance.expovariate(1 / 14))
        if self.chance.random() < 0.5 and earlier > self.year.begins_at:
            at = waking(self.chance, earlier, self.plan.name.time_zone, self.year)
            if at < first:
                return at, self.chance.choice(("account", "newsletter", "account"))
        return max(first - timedelta(seconds=self.chance.randint(40, 200)), self.year.begins_at), "checkout"

    def _consents(self, joined_at: datetime, form: str) -> Iterator[Consent]:
        chance = self.chance
        if self.tracked:
            at = max(joined_at - timedelta(seconds=chance.randint(30, 600)), self.year.begins_at)
            for purpose in wordings.TRACKING_PURPOSES:
                yield Consent(purpose, "granted", at, "cookie choice", wordings.TRACKING_WORDING)
        for purpose, share, wording in (
            ("cart_recovery", 0.64, wordings.REMINDER_WORDING),
            ("newsletter", 0.9 if form == "newsletter" else 0.46, wordings.NEWSLETTER_WORDING),
        ):
            if chance.random() < share:
                yield Consent(purpose, "granted", joined_at, form, wording)
                gone = joined_at + timedelta(days=chance.expovariate(1 / 900))
                if gone < self.year.ends_at:
                    yield Consent(purpose, "withdrawn", gone.replace(microsecond=0), "unsubscribe", "")
        if form == "account" and chance.random() < 0.4:
            yield Consent("back_in_stock", "granted", joined_at, form, wordings.STOCK_WORDING)
        yield from self._as_customer()

    def _as_customer(self) -> Iterator[Consent]:
        """At the till most leave the note about messages to customers as it stands."""
        chance, bought_at = self.chance, self.plan.purchases[0]
        if chance.random() < 0.78:
            gone = bought_at + timedelta(days=chance.expovariate(1 / 1200))
            for purpose in wordings.CUSTOMER_PURPOSES:
                yield Consent(
                    purpose, "granted", bought_at, "checkout", wordings.CUSTOMER_WORDING, "existing_customer"
                )
                if gone < self.year.ends_at:
                    yield Consent(purpose, "withdrawn", gone.replace(microsecond=0), "unsubscribe", "")

    def _sessions(self, joined_at: datetime) -> list[Session]:
        """Orders, the looks before them, and browsing that fades when the buying does."""
        chance, year, zone = self.chance, self.year, self.plan.name.time_zone
        sessions = [Session(at, number) for at, number in zip(self.plan.purchases, self.numbers, strict=True)]
        looks = []
        for at in self.plan.purchases:
            for _ in range(chance.choices((0, 1, 2, 3), (35, 35, 20, 10))[0]):
                looks.append(at - timedelta(days=chance.uniform(0.6, 9)))
        fades = min(year.ends_at, self.plan.purchases[-1] + timedelta(days=chance.expovariate(1 / 80)))
        months = max((fades - joined_at) / timedelta(days=30), 0)
        looks += [
            joined_at + (fades - joined_at) * chance.random() for _ in range(_poisson(chance, months * 1.5))
        ]
        for look in looks:
            at = waking(chance, max(look, year.begins_at), zone, year)
            if at > joined_at and all(abs(at - other.at) > timedelta(hours=1) for other in sessions):
                sessions.append(Session(at))
        return sorted(sessions, key=lambda session: session.at)

    def _browse(self, at: datetime) -> None:
        chance = self.chance
        self._put_away(at)
        seen = self.taste.looks(chance, chance.randint(1, 5))
        steps = [("page", "/", ""), *(("product", f"/p/{product}", product) for product in seen)]
        if self.cart and chance.random() < 0.08:
            steps.append(("cart", "/cart", ""))
            self.cart.changed_at = at
            self.carts.append(self.cart.closed("emptied", at))
            self.cart = None
        elif chance.random() < 0.45:
            cart = self.cart = self.cart or self._new_cart(at)
            for product in seen[-chance.choice((1, 1, 1, 2)) :]:
                cart.items[product] = self.taste.item(chance, product, at)
                steps.append(("cart", "/cart", product))
            cart.changed_at = at
        self._walk(at, steps)

    def _buy(self, at: datetime, number: int) -> None:
        """The planned purchase, on the web, by telephone or in the store; each ends the cart there was."""
        chance = self.chance
        self._put_away(at)
        channel = chance.choices(("web", "phone", "store"), (93, 4, 3))[0]
        wanted = list(self.cart.items) if self.cart and chance.random() < 0.7 else []
        items = self.taste.basket(chance, at, wanted)
        token = ""
        if channel == "web":
            cart = self.cart or self._new_cart(at - timedelta(seconds=chance.randint(60, 600)))
            cart.items = {item.product: item for item in items}
            cart.changed_at = max(cart.opened_at, at - timedelta(seconds=chance.randint(20, 50)))
            token, self.cart = cart.token, cart
            steps = [("page", "/", ""), *(("product", f"/p/{item.product}", item.product) for item in items)]
            steps += [("cart", "/cart", item.product) for item in items] + [("checkout", "/checkout", "")]
            self._walk(at - timedelta(seconds=15), steps)
        if self.cart:
            self.carts.append(self.cart.closed("bought", at, number))
            self.cart = None
        self.orders.append(self._order(at, number, channel, items, token))

    def _order(self, at: datetime, number: int, channel: str, items: tuple[Item, ...], token: str) -> Order:
        chance = self.chance
        goods = sum((item.total for item in items[1:]), items[0].total)
        coupon = ""
        if not self.orders and chance.random() < 0.16:
            coupon = "WELCOME10"
        elif channel != "store" and chance.random() < 0.08:
            coupon = chance.choice(sorted(COUPONS))
        discount = discount_for(goods, coupon)
        recent = at > self.year.ends_at - timedelta(days=2)
        settled = chance.choices(("paid", "refunded", "cancelled"), (95, 3, 2))[0]
        return Order(
            number=number,
            placed_at=at,
            status="placed" if recent else settled,
            channel=channel,
            items=items,
            goods=goods,
            discount=discount,
            shipping=shipping_for(goods - discount) if channel != "store" else goods * 0,
            coupon=coupon,
            cart_token=token,
        )

    def _new_cart(self, at: datetime) -> OpenCart:
        return OpenCart(f"year-{self.chance.getrandbits(64):016x}", max(at, self.year.begins_at), at)

    def _put_away(self, now: datetime) -> None:
        """A cart nobody touched for thirty days is forgotten."""
        if self.cart and now - self.cart.changed_at > FORGOTTEN:
            self.carts.append(self.cart.closed("expired", self.cart.changed_at + FORGOTTEN))
            self.cart = None

    def _walk(self, ends_at: datetime, steps: Sequence[tuple[str, str, str]]) -> None:
        """The steps of a visit one after another, the last at its end."""
        at = ends_at
        for kind, path, product in reversed(steps):
            self.events.append(Event(max(at, self.year.begins_at), kind, path, product))
            at -= timedelta(seconds=int(self.chance.lognormvariate(3.6, 0.8)) + 3)


def _poisson(chance: Random, mean: float) -> int:
    count, left = 0, chance.expovariate(1)
    while left < mean:
        count += 1
        left += chance.expovariate(1)
    return count
