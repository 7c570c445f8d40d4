"""One spelling for what arrives from browsers and servers: every kind of event, field by field, or a reason
to refuse it.

Knows no models and no database: the collector cleans with it before a row is stored, ingest reads what it
left.
A field that cannot be understood is left out; only what an event cannot do without refuses it.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

MAX_EVENTS = 50
MAX_LINES = 100
MAX_PROPERTIES = 20
MAX_AGE = timedelta(days=7)

_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = 946_684_800_000  # the year 2000, in milliseconds
_LATEST = 4_102_444_800_000  # the year 2100
_LARGEST = Decimal("9999999999")
_CENT = Decimal("0.01")
_MOST_OF_ONE = Decimal("99999999")
_CURRENCY = re.compile(r"[A-Z]{3}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,39}")
_PROPERTY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,59}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")


class Refused(ValueError):
    """Why an event, or a whole message, is not taken; the argument is the name it is counted under."""

    @property
    def reason(self) -> str:
        return str(self.args[0])


def clean_event(raw: Any) -> dict[str, Any]:
    """The event with its known fields in their types, ready for JSON. Raises Refused."""
    if not isinstance(raw, Mapping):
        raise Refused("event_not_an_object")
    kind = raw.get("t")
    if not isinstance(kind, str) or kind not in KINDS:
        raise Refused("event_kind")
    found = {
        "id": str(as_uuid(raw.get("id"), "event_id")),
        "t": kind,
        "at": as_millis(raw.get("at"), "event_time"),
    }
    if url := as_url(raw.get("url")):
        found["url"] = url
    details = raw.get("p", {})
    if not isinstance(details, Mapping):
        raise Refused("event_details")
    if cleaned := KINDS[kind](details):
        found["p"] = cleaned
    return found


def as_uuid(value: Any, reason: str) -> uuid.UUID:
    if isinstance(value, str) and len(value) == 36:
        try:
            found = uuid.UUID(value)
        except ValueError:
            pass
        else:
            if found.int:
                return found
    raise Refused(reason)


def as_millis(value: Any, reason: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not _EARLIEST <= value <= _LATEST:
        raise Refused(reason)
    return value


def as_instant(millis: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=millis)


def as_text(value: Any, longest: int) -> str:
    """Text or a plain number as text, cut to length; anything else is nothing."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, int | float | Decimal):
        value = str(value)
    return value.strip()[:longest] if isinstance(value, str) else ""


def as_url(value: Any) -> str:
    """An http or https address; anything else is nothing, never cut: half an address leads elsewhere."""
    if not isinstance(value, str) or not 8 <= len(value) <= 1000 or not value.isprintable() or " " in value:
        return ""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return ""
    return value if usable else ""


def as_amount(value: Any) -> str:
    """A number of at most ten digits before and two after the point, as text; anything else is nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return ""
    if isinstance(value, str) and len(value) > 40:
        return ""
    try:
        found = Decimal(str(value).strip())
        if not found.is_finite() or abs(found) > _LARGEST:
            return ""
        return str(found.quantize(_CENT))
    except (InvalidOperation, ValueError):
        return ""


def as_email(value: Any) -> str:
    found = as_text(value, 300)
    return found if len(found) <= 254 and _EMAIL.fullmatch(found) else ""


def occurred_at(claimed: int, sent: int, received: datetime) -> datetime:
    """When it happened by our clock: a browser whose clock is off by more than a minute is put right by what
    it thought the time of sending was. Never in the future, never older than a queue could be.
    """
    at, skew = as_instant(claimed), received - as_instant(sent)
    if abs(skew) > _MINUTE:
        at += skew
    return max(min(at, received), received - MAX_AGE)


def _kept(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in ("", None, [], {})}


def _product(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        return {}
    return _kept(
        product_id=as_text(raw.get("product_id", raw.get("id")), 200),
        sku=as_text(raw.get("sku"), 120),
        name=as_text(raw.get("name"), 300),
        url=as_url(raw.get("url")),
        image=as_url(raw.get("image")),
        price=_not_negative(raw.get("price", raw.get("unit_price"))),
        list_price=_not_negative(raw.get("list_price")),
        category=as_text(raw.get("category"), 200),
        brand=as_text(raw.get("brand"), 120),
    )


def _not_negative(value: Any) -> str:
    found = as_amount(value)
    return "" if found.startswith("-") else found


def _line(raw: Any) -> dict[str, Any]:
    line = _product(raw)
    if not line.get("product_id") and not line.get("name"):
        raise Refused("line_without_product")
    quantity = as_amount(raw.get("quantity", 1))
    if not quantity or not 0 < Decimal(quantity) <= _MOST_OF_ONE:
        raise Refused("line_quantity")
    return line | {"quantity": quantity}


def _lines(raw: Any) -> list[dict[str, Any]]:
    if raw is None:
        return []
    if not isinstance(raw, list) or len(raw) > MAX_LINES:
        raise Refused("lines")
    return [_line(line) for line in raw]


def _currency(raw: Any) -> str:
    found = as_text(raw, 3).upper()
    return found if _CURRENCY.fullmatch(found) else ""


def _page(raw: Mapping) -> dict[str, Any]:
    return _kept(title=as_text(raw.get("title"), 200), referrer=as_url(raw.get("referrer")))


def _about_product(raw: Mapping) -> dict[str, Any]:
    product = _product(raw)
    if not product.get("product_id"):
        raise Refused("product_without_id")
    return product


def _search(raw: Mapping) -> dict[str, Any]:
    return _kept(query=as_text(raw.get("query"), 200))


def _cart(raw: Mapping) -> dict[str, Any]:
    """A cart is always told whole: no lines means an empty cart."""
    token = as_text(raw.get("token"), 100)
    if not token:
        raise Refused("cart_without_token")
    return {"token": token, "lines": _lines(raw.get("lines"))} | _kept(
        checkout_id=as_text(raw.get("checkout_id"), 100),
        currency=_currency(raw.get("currency")),
        url=as_url(raw.get("url")),
    )


def _checkout(raw: Mapping) -> dict[str, Any]:
    """Going to the checkout tells of the cart only where it says its lines."""
    found = _cart(raw)
    if raw.get("lines") is None:
        del found["lines"]
    return found


def _consents(raw: Any) -> list[dict[str, Any]]:
    found = []
    for one in raw[:20] if isinstance(raw, list) else []:
        if not isinstance(one, Mapping) or not isinstance(one.get("granted"), bool):
            continue
        if purpose := as_text(one.get("purpose"), 50):
            texts = _kept(wording=as_text(one.get("wording"), 2000), locale=as_text(one.get("locale"), 12))
            found.append({"purpose": purpose, "granted": one["granted"], **texts})
    return found


def _identify(raw: Mapping) -> dict[str, Any]:
    email = as_email(raw.get("email"))
    if not email:
        raise Refused("identify_without_email")
    return _kept(
        email=email,
        external_id=as_text(raw.get("external_id"), 200),
        first_name=as_text(raw.get("first_name"), 120),
        last_name=as_text(raw.get("last_name"), 120),
        language=as_text(raw.get("language"), 12),
        country=as_text(raw.get("country"), 2).upper(),
        time_zone=as_text(raw.get("time_zone"), 64),
        consents=_consents(raw.get("consents")),
        **_proof(raw),
    )


def _proof(raw: Mapping) -> dict[str, Any]:
    """The shop's signature over visitor, address and Unix seconds."""
    signature, timestamp = as_text(raw.get("signature"), 64), raw.get("timestamp")
    if isinstance(timestamp, bool) or not isinstance(timestamp, int) or not 0 <= timestamp <= _LATEST // 1000:
        return {}
    return {"signature": signature.lower(), "timestamp": timestamp} if signature else {}


def _order(raw: Mapping) -> dict[str, Any]:
    identity, total = as_text(raw.get("id"), 200), as_amount(raw.get("total"))
    if not identity:
        raise Refused("order_without_id")
    if not total:
        raise Refused("order_without_total")
    return {"id": identity, "total": total} | _kept(
        number=as_text(raw.get("number"), 60),
        currency=_currency(raw.get("currency")),
        cart_token=as_text(raw.get("cart_token"), 100),
        checkout_id=as_text(raw.get("checkout_id"), 100),
        email=as_email(raw.get("email")),
        tax=_not_negative(raw.get("tax")),
        shipping=_not_negative(raw.get("shipping")),
        discount=_not_negative(raw.get("discount")),
        coupon=as_text(raw.get("coupon"), 80),
        lines=_lines(raw.get("lines")),
        **_proof(raw),
    )


def _landing(raw: Mapping) -> dict[str, Any]:
    return {"rk": _token(raw.get("rk"), "landing_without_token")}


def _restore(raw: Mapping) -> dict[str, Any]:
    """A person's own button brought a cart back: `token` of the restore link, and the cart it goes on in."""
    return {"token": _token(raw.get("token"), "restore_without_token")} | _kept(
        cart_token=as_text(raw.get("cart_token"), 100)
    )


def _custom(raw: Mapping) -> dict[str, Any]:
    """An event of the shop's own: its name, and a few properties that are text, numbers, yes or no."""
    name = as_text(raw.get("name"), 60).lower()
    if not _NAME.fullmatch(name):
        raise Refused("event_name")
    told = raw.get("props") or {}
    if not isinstance(told, Mapping):
        raise Refused("event_properties")
    plain = {key: _plain(value) for key, value in told.items() if _PROPERTY.fullmatch(str(key))}
    kept = [(key, value) for key, value in plain.items() if value is not None][:MAX_PROPERTIES]
    return {"name": name} | _kept(props=dict(kept))


def _plain(value: Any) -> str | int | float | bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) <= _LARGEST else None
    return as_text(value, 200) or None


def _token(raw: Any, reason: str) -> str:
    if not isinstance(raw, str) or not 20 <= len(raw) <= 300:
        raise Refused(reason)
    return raw


KINDS: dict[str, Callable[[Mapping], dict[str, Any]]] = {
    "page": _page,
    "product": _about_product,
    "favourite": _about_product,
    "search": _search,
    "cart": _cart,
    "checkout": _checkout,
    "identify": _identify,
    "order": _order,
    "landing": _landing,
    "restore": _restore,
    "custom": _custom,
}
