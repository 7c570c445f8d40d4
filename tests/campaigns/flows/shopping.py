"""People who look around in a shop with products, as its script and its server tell of them."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from campaigns.flows.kinds import triggers
from campaigns.models import Campaign, Enrolment
from crm.models import Contact, Product
from crm.shop.intake import SHOP
from crm.shop.products import ProductIn, record_products
from tests.campaigns.flows.stage import AT, SEND, flow
from tests.tracking.browsing import ANA, MINE, Told, tell

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CONSENTS = [{"purpose": "cart_recovery", "granted": True, "wording": "Yes", "locale": "en"}]


def waiting(trigger: str, *steps: dict[str, Any], **changes: Any) -> Campaign:
    """A running campaign with this trigger as it comes, launched ten days ago."""
    kind = triggers.get(f"campaigns.{trigger}")
    params = kind.blank() | changes.pop("params", {})
    usual = {"name": trigger, "expires_after": None, "launched_at": AT - 10 * DAY}
    return flow(*(steps or (SEND,)), trigger=kind.key, trigger_params=params, **(usual | changes))


def offers(name: str, at: datetime, **said: Any) -> Product:
    """The shop says something about a product."""
    usual: dict[str, Any] = {"name": name.title(), "currency": "EUR", "url": f"https://shop.test/p/{name}"}
    record_products([ProductIn(name, source_at=at, **(usual | said))], at, source=SHOP)
    return Product.objects.get(external_id=name)


def lamp(at: datetime = AT - 100 * DAY, price: str = "100.00", **said: Any) -> Product:
    return offers("lamp", at, price=Decimal(price), **said)


def sold_out(at: datetime, name: str = "lamp") -> None:
    offers(name, at, stock=0)


def back(at: datetime, name: str = "lamp") -> None:
    offers(name, at, stock=5)


def signs_in(at: datetime = AT - 9 * DAY, email: str = ANA, browser: Any = MINE) -> Contact:
    details = {"email": email, "first_name": email.split("@")[0].title(), "consents": CONSENTS}
    tell(Told(browser, "identify", at, details=details))
    return Contact.objects.get(email=email)


def looks(at: datetime, *names: str, browser: Any = MINE, kind: str = "product", **more: Any) -> None:
    """At these products, ten seconds each."""
    tell(
        *(
            Told(browser, kind, at + place * 10 * SECOND, details={"product_id": name, "name": name}, **more)
            for place, name in enumerate(names)
        )
    )


def fills_cart(
    at: datetime, name: str = "lamp", browser: Any = MINE, kind: str = "cart", **more: Any
) -> None:
    line = {"product_id": name, "name": name, "price": "100.00", "quantity": 1}
    details = {"token": "c-1", "currency": "EUR", "lines": [line]} | more
    tell(Told(browser, kind, at, details=details))


def entered() -> list[Enrolment]:
    return list(Enrolment.objects.order_by("entered_at", "pk"))
