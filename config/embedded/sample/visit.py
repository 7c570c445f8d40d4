"""One browser's visit: its cart, who it says it is, and what the next page tells the product's script."""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from . import wordings
from .carts import MOST_CARTS, Cart, Customer, Shelf
from .product_api import signature
from .shop_orders import Order
from .web import Request, Response


@dataclass(slots=True)
class Memory:
    """What the shop's server keeps between two pages of a browser. `consents` have not been told yet.

    A page may be left before it has told anything, so what was told is what a page says it told: `told` is
    the number of the sign-in that the last such page knew of.
    """

    customer: Customer | None = None
    sign_ins: int = 0
    told: int = 0
    agreed: set[str] = field(default_factory=set)
    consents: list[dict[str, object]] = field(default_factory=list)
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    notice: str = ""
    last_order: Order | None = None


@dataclass(slots=True)
class Visit:
    session: str
    cart: Cart
    memory: Memory
    tracking: bool | None
    path: str
    _calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def call(self, name: str, payload: Mapping[str, Any]) -> None:
        """Have this page call the product's script."""
        self._calls.append((name, payload))

    def call_next(self, name: str, payload: Mapping[str, Any]) -> None:
        """Have the next page call it; forms answer with a redirect and show no page of their own."""
        self.memory.calls.append((name, payload))

    def take_calls(self) -> list[tuple[Any, ...]]:
        """What this page says to the script, in order."""
        waiting, self.memory.calls = self.memory.calls, []
        choice = [] if self.tracking is None else [("consent", {"tracking": self.tracking})]
        return [*choice, ("page",), *self._calls, *waiting]

    def say(self, text: str) -> None:
        self.memory.notice = text

    def take_notice(self) -> str:
        text, self.memory.notice = self.memory.notice, ""
        return text

    @property
    def customer(self) -> Customer | None:
        return self.memory.customer

    @property
    def agreed(self) -> set[str]:
        return self.memory.agreed

    @property
    def last_order(self) -> Order | None:
        return self.memory.last_order

    @last_order.setter
    def last_order(self, order: Order) -> None:
        self.memory.last_order = order

    def sign_in(self, customer: Customer, consents: Mapping[str, str]) -> None:
        """Remember the address and what was agreed to with it (purpose to wording), to be told by a page."""
        memory = self.memory
        if memory.customer and memory.customer.email != customer.email:
            memory.agreed, memory.consents = set(), []
        memory.customer, memory.sign_ins = customer, memory.sign_ins + 1
        memory.agreed |= set(consents)
        memory.consents += [
            {"purpose": purpose, "granted": True, "wording": wording} for purpose, wording in consents.items()
        ]

    def sign_out(self) -> None:
        self.memory.customer, self.memory.agreed, self.memory.consents = None, set(), []
        self.call_next("reset", {})

    @property
    def identity_to_tell(self) -> int:
        """The number of the sign-in that no page has told of yet; 0 if there is none."""
        memory = self.memory
        return memory.sign_ins if memory.customer and memory.told < memory.sign_ins else 0

    def identity_told(self, sign_in: str) -> None:
        """A page has told of this sign-in; of a later one another page will."""
        if sign_in == str(self.memory.sign_ins):
            self.memory.told, self.memory.consents = self.memory.sign_ins, []

    def tell_identity(self, visitor_id: str, secret: str, now: datetime) -> dict[str, Any] | None:
        """The address this browser gave, signed by the shop's server for this visitor and this moment."""
        customer = self.memory.customer
        if customer is None:
            return None
        at = int(now.timestamp())
        tracking = [
            {"purpose": purpose, "granted": True, "wording": wordings.TRACKING_WORDING}
            for purpose in wordings.TRACKING_PURPOSES
        ]
        return {
            "email": customer.email,
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "timestamp": at,
            "signature": signature(secret, visitor_id, customer.email, at),
            "consents": [*self.memory.consents, *tracking],
        }

    def on(self, response: Response) -> Response:
        """The response with this visit's cookies."""
        response.set_cookie("session", self.session, days=1)
        response.set_cookie("cart", self.cart.token)
        if self.tracking is not None:
            response.set_cookie("tracking", "yes" if self.tracking else "no", days=180)
        return response


def visitor_of(request: Request) -> str:
    """The id the script gave this browser, as a form carries it; blank where it is none."""
    text = request.form.get("visitor", "")
    try:
        return text if text == str(UUID(text)) else ""
    except ValueError:
        return ""


class Visits:
    """What is remembered of every browser, by its session cookie; a restart forgets it."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._lock = threading.Lock()
        self._memories: dict[str, Memory] = {}

    def of(self, request: Request) -> Visit:
        session = request.cookies.get("session", "")
        with self._lock:
            memory = self._memories.get(session)
            if memory is None:
                session, memory = secrets.token_urlsafe(16), Memory()
                self._memories[session] = memory
                while len(self._memories) > MOST_CARTS:
                    self._memories.pop(next(iter(self._memories)))
        allowed = {"yes": True, "no": False}.get(request.cookies.get("tracking", ""))
        path = request.path + (f"?{urlencode(request.query)}" if request.query else "")
        return Visit(session, self._shelf.cart(request.cookies.get("cart", "")), memory, allowed, path)
