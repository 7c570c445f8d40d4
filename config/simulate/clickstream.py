"""A recorded clickstream as what each person's browser and the shop's server would have said at the time."""

from __future__ import annotations

import csv
import hashlib
import hmac
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from crm.kernel import ids

WORDINGS = {
    "cart_recovery": "Remind me by e-mail when I leave something in my cart.",
    "product_reminder": "Remind me by e-mail of what I looked at or may have used up.",
    "newsletter": "Tell me by e-mail what is new.",
    "win_back": "Write to me when I have not been here for long.",
    "back_in_stock": "Tell me by e-mail when something is back.",
    "click_tracking": "Notice what I click in messages.",
}
SHOP = "https://shop.example.com"
CURRENCY = "CNY"
MOST_EVENTS = 50


@dataclass(frozen=True)
class Act:
    """One row of the file: what somebody did to an item, and when (Unix seconds)."""

    person: str
    item: str
    category: str
    kind: str
    at: int


@dataclass(frozen=True)
class Batch:
    """What one browser sends at once; `at` is when it sends it."""

    person: str
    at: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Purchase:
    """What the shop's server tells of an order."""

    person: str
    at: int
    body: dict[str, Any]


def read(path: Path, people: int | None = None) -> list[Act]:
    """The acts of the first so many people of the file, in the order they happened."""
    known: dict[str, None] = {}
    acts = []
    with path.open(newline="") as file:
        for person, item, category, kind, at in csv.reader(file):
            if person not in known:
                if people is not None and len(known) == people:
                    continue
                known[person] = None
            acts.append(Act(person, item, category, kind, int(at)))
    # Within one second a purchase comes last, and one person's acts stand together.
    return sorted(acts, key=lambda act: (act.at, act.person, act.kind == "buy"))


def price(item: str) -> Decimal:
    """The recording has no prices: each item gets one, always the same, between 5 and 500."""
    number = int.from_bytes(hashlib.sha256(f"price:{item}".encode()).digest()[:4], "big")
    return (Decimal(number % 49_500) / 100 + 5).quantize(Decimal("0.01"))


def email(person: str) -> str:
    return f"user{person}@example.com"


class Manners:
    """What the recording does not say: what people agree to, what things cost, who goes to the checkout."""

    currency = CURRENCY
    together = 60  # a browser's acts of so many seconds are told at once

    def agreed(self, person: str) -> Sequence[str]:
        """The purposes somebody agrees to at first sight."""
        return ["cart_recovery"]

    def name(self, item: str) -> str:
        return f"Item {item}"

    def price(self, item: str, at: int) -> Decimal:
        """What the site asks for it at that second."""
        return price(item)

    def goes_on(self, act: Act) -> bool:
        """Whether they go on to the checkout after this change of their cart."""
        return False


class Shop:
    """The shop of the recording: knows everybody's cart, and speaks for their browsers and its own server."""

    def __init__(self, ingest_key: str, signing_key: str, manners: Manners | None = None) -> None:
        self.ingest_key = ingest_key
        self.signing_key = signing_key
        self.manners = manners or Manners()
        self._carts: dict[str, dict[str, int]] = defaultdict(dict)
        self._orders: dict[str, int] = defaultdict(int)
        self._met: set[str] = set()
        self._number = 0

    def tell(self, acts: list[Act]) -> Iterator[Batch | Purchase]:
        """What is said of these acts: a browser's acts of one minute together, an order by itself."""
        waiting: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        for place, act in enumerate(acts):
            if act.kind == "buy":
                if events := waiting.pop(act.person, None):
                    yield self._batch(act.person, events)
                before = acts[place - 1] if place else None
                if not (before and (before.person, before.kind, before.at) == (act.person, "buy", act.at)):
                    yield self._purchase(act, acts[place:])
                continue
            events = waiting.setdefault(act.person, [])
            if events and (
                events[0][0] // self.manners.together != act.at // self.manners.together
                or len(events) >= MOST_EVENTS - 2
            ):
                yield self._batch(act.person, events)
                events = waiting[act.person] = []
            if act.person not in self._met:
                self._met.add(act.person)
                events.append((act.at, self._identify(act)))
            events.append((act.at, self._event(act)))
            if act.kind == "cart" and self.manners.goes_on(act):
                events.append((act.at, self._checkout(act)))
        for person, events in waiting.items():
            yield self._batch(person, events)

    def emptied(self, person: str) -> str:
        """They bought: their cart is empty. Returns the token it had, blank where there was none."""
        token = self._token(person) if self._carts[person] else ""
        self._orders[person] += 1
        self._carts[person] = {}
        return token

    def _batch(self, person: str, events: list[tuple[int, dict[str, Any]]]) -> Batch:
        at = events[-1][0]
        body = {
            "k": self.ingest_key,
            "v": str(visitor(person)),
            "b": str(ids.uuid_from("replay", "batch", events[0][1]["id"])),
            "s": at * 1000,
            "e": [event for _, event in events],
        }
        return Batch(person, at, body)

    def _event(self, act: Act) -> dict[str, Any]:
        if act.kind == "cart":
            cart = self._carts[act.person]
            cart[act.item] = cart.get(act.item, 0) + 1
            lines = [
                self._product(item, act.at) | {"quantity": quantity}
                for item, quantity in list(cart.items())[-100:]
            ]
            details = {"token": self._token(act.person), "currency": self.manners.currency, "lines": lines}
            return self._spell("cart", act, details | {"url": f"{SHOP}/cart"})
        kind = {"pv": "product", "fav": "favourite"}[act.kind]
        return self._spell(kind, act, self._product(act.item, act.at) | {"category": act.category})

    def _checkout(self, act: Act) -> dict[str, Any]:
        token = self._token(act.person)
        details = {"token": token, "currency": self.manners.currency, "checkout_id": f"checkout-{token}"}
        return self._spell("checkout", act, details | {"url": f"{SHOP}/checkout"})

    def _product(self, item: str, at: int) -> dict[str, Any]:
        return {
            "product_id": item,
            "name": self.manners.name(item),
            "url": f"{SHOP}/p/{item}",
            "price": str(self.manners.price(item, at)),
        }

    def _spell(self, kind: str, act: Act, details: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        identity = ids.uuid_from("replay", "event", act.person, str(self._number))
        return {"id": str(identity), "t": kind, "at": act.at * 1000, "url": SHOP, "p": details}

    def _identify(self, act: Act) -> dict[str, Any]:
        said = f"{visitor(act.person)}|{email(act.person)}|{act.at}".encode()
        details = {
            "email": email(act.person),
            "external_id": act.person,
            "timestamp": act.at,
            "signature": hmac.new(self.signing_key.encode(), said, hashlib.sha256).hexdigest(),
            "consents": [
                {"purpose": purpose, "granted": True, "wording": WORDINGS[purpose], "locale": "en"}
                for purpose in self.manners.agreed(act.person)
            ],
        }
        return self._spell("identify", act, details)

    def _purchase(self, act: Act, rest: list[Act]) -> Purchase:
        """All that one person bought in one second is one order; it empties their cart."""
        together = [one for one in rest if (one.person, one.kind, one.at) == (act.person, "buy", act.at)]
        token = self.emptied(act.person)
        costs = {one.item: self.manners.price(one.item, one.at) for one in together}
        body = {
            "id": f"{act.person}-{self._orders[act.person]}",
            "placed_at": datetime.fromtimestamp(act.at, tz=UTC).isoformat(),
            "customer": {"id": act.person, "email": email(act.person)},
            "visitor_id": str(visitor(act.person)),
            "currency": self.manners.currency,
            "total": str(sum((costs[one.item] for one in together), Decimal(0))),
            "cart_token": token,
            "lines": [
                {
                    "product_id": one.item,
                    "name": self.manners.name(one.item),
                    "unit_price": str(costs[one.item]),
                }
                for one in together
            ],
        }
        return Purchase(act.person, act.at, body)

    def _token(self, person: str) -> str:
        return f"cart-{person}-{self._orders[person]}"


def visitor(person: str) -> uuid.UUID:
    """The cookie of their one browser."""
    return ids.uuid_from("replay", "visitor", person)
