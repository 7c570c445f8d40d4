"""What rows of a spreadsheet say of an order: its head, its lines, who placed it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from crm.kernel import tokens
from crm.models import Channel, Order, OrderLine, Product
from crm.people.identity import Known, short
from crm.sheets.matching import Target
from crm.sheets.persons.cells import split_name
from crm.sheets.subjects import Staged, Wrong
from crm.sheets.things.cells import Columns, plain_id, take_country, take_currency
from crm.sheets.things.subject import Thing
from crm.sheets.vocabulary import spelled
from crm.shop.fitting import fit
from crm.shop.intake import SHOP, LineIn, OrderIn
from crm.shop.taking_back import LINE

_LINE = "line_"
_MONEY = ("subtotal", "discount", "shipping", "tax", "refunded")
_MOST_OF_ONE = Decimal(99_999_999)
_STATES = {
    Order.Status.PLACED: "placed|pending|authorized|open|new|on hold|partially paid|unpaid|processing"
    "|offen|neu|ausstehend|en attente|pendiente|open staand",
    Order.Status.PAID: "paid|partially refunded|completed|complete|fulfilled|shipped|delivered|closed"
    "|bezahlt|abgeschlossen|versendet|geliefert|payee|paye|terminee|expediee|pagado|completado|enviado"
    "|betaald|voltooid|verzonden",
    Order.Status.CANCELLED: "cancelled|canceled|voided|failed|expired|storniert|abgebrochen|annule|annulee"
    "|cancelado|geannuleerd",
    Order.Status.REFUNDED: "refunded|returned|erstattet|retourniert|rembourse|remboursee|reembolsado"
    "|terugbetaald",
}
STATES = {word: status for status, words in _STATES.items() for word in words.split("|")}


def shape(row: Staged, columns: Columns) -> None:
    """Make what a row says into the order's head and one `line` of it. Raises Wrong."""
    told = row.told
    remarks: list[str] = []
    line = {name.removeprefix(_LINE): told.pop(name) for name in [*told] if name.startswith(_LINE)}
    if line:
        told["line"] = _line(line)
    if not row.outside_id and not (told.keys() - {"line"}) and line:
        return  # A further line of the order above it.
    if not row.outside_id:
        raise Wrong("Every row needs the number of its order.")
    if "status" in told:
        word = spelled(told["status"])
        if word not in STATES:
            known = ", ".join(sorted({"placed", "paid", "cancelled", "refunded"}))
            raise Wrong(f"Status “{told['status'][:40]}” is none we know, such as {known}.")
        told["status"] = str(STATES[word])
    if told.pop("cancelled_at", None):
        told["status"] = str(Order.Status.CANCELLED)
    take_currency(told)
    take_country(told, remarks)
    if "email" in told:
        try:
            told["email"] = tokens.normalise(Channel.EMAIL, told["email"])
        except ValueError as error:
            remarks.append(f"e-mail “{told.pop('email')[:80]}” is left out: {error}")
    if "phone" in told:
        try:
            region = told.get("country") or columns.region or None
            told["phone"] = tokens.spelled_and_hashed(Channel.SMS, told["phone"], region=region)[0]
        except ValueError as error:
            remarks.append(f"telephone “{told.pop('phone')[:40]}” is left out: {error}")
    if "customer_id" in told:
        told["customer_id"] = short(plain_id(told["customer_id"]), 200)
    row.remark = "; ".join(remarks)


def _line(line: dict[str, Any]) -> dict[str, Any]:
    quantity = Decimal(line.get("quantity", 1))
    if quantity < 0:
        raise Wrong("A quantity below zero is a return: the order's status or what was refunded says so.")
    if quantity > _MOST_OF_ONE:
        raise Wrong(f"A quantity of {quantity:,f} is too large.")
    return line


def id_of(thing: Thing) -> str:
    """The shop's id of an order; its number where the file has none."""
    return short(plain_id(thing.told.get("external_id") or thing.key), 200)


def word(thing: Thing, products: Mapping[str, str], at: datetime | None, order: Order | None) -> OrderIn:
    """An order as the file tells of it. `products`: the shop's id by article number. Raises Wrong."""
    told, lines = thing.told, tuple(_line_in(line, products) for line in thing.lines)
    if "placed_at" not in told:
        raise Wrong("No row of this order says when it was placed.")
    money: dict[str, Any] = {name: Decimal(told[name]) for name in _MONEY if name in told}
    sold = sum((line.quantity * line.unit_price for line in lines), Decimal(0))
    if "total" not in told and not lines:
        raise Wrong("No row of this order says what was paid.")
    if "subtotal" not in told and lines:
        money["subtotal"] = sold
    total = (
        Decimal(told["total"])
        if "total" in told
        else (max(sold - money.get("discount", Decimal(0)), Decimal(0)) + money.get("shipping", Decimal(0)))
    )
    said_at = datetime.fromisoformat(told["updated_at"]) if "updated_at" in told else at
    return OrderIn(
        order.external_id if order else id_of(thing),
        placed_at=datetime.fromisoformat(told["placed_at"]),
        total=total,
        known=_buyer(told),
        source_at=said_at,
        number=told.get("number", ""),
        status=told.get("status", Order.Status.PLACED),
        channel=told.get("channel", "web")[:12],
        currency=told.get("currency", ""),
        coupon_code=told.get("coupon_code", ""),
        lines=lines or None,
        **money,
    )


def _buyer(told: Mapping[str, Any]) -> Known:
    first, last = split_name(told.get("full_name", ""))
    return Known(
        email=told.get("email", ""),
        phone=told.get("phone", ""),
        external_id=told.get("customer_id", ""),
        first_name=told.get("first_name") or first,
        last_name=told.get("last_name") or last,
        country=told.get("country", ""),
        language=told.get("language", ""),
    )


def _line_in(line: Mapping[str, Any], products: Mapping[str, str]) -> LineIn:
    sku, product = plain_id(line.get("sku", "")), plain_id(line.get("product", ""))
    return LineIn(
        name=line.get("name") or sku or product or "Item",
        product=short(product or products.get(sku, ""), 200) if product or sku else "",
        sku=sku,
        quantity=Decimal(line.get("quantity", 1)),
        unit_price=Decimal(line.get("price", 0)),
        list_price=Decimal(line["list_price"]) if "list_price" in line else None,
    )


def products_of(things: Sequence[Thing]) -> dict[str, str]:
    """The shop's ids of the products of all these lines, by article number; of two with one number, none."""
    skus = {plain_id(line["sku"]) for thing in things for line in thing.lines if "sku" in line}
    rows = Product.objects.filter(source=SHOP, sku__in=skus).exclude(sku="").values_list("sku", "external_id")
    found: dict[str, str] = {}
    for sku, external_id in rows:
        found[sku] = "" if sku in found else external_id
    return found


def lines_of(orders: Iterable[Order]) -> dict[UUID, list[OrderLine]]:
    """The lines there are of these orders, in the order they were written."""
    found: dict[UUID, list[OrderLine]] = {}
    for line in OrderLine.objects.filter(order__in=[order.pk for order in orders]).order_by("pk"):
        found.setdefault(line.order_id, []).append(line)
    return found


def are_same(kept: Sequence[OrderLine], told: Sequence[LineIn]) -> bool:
    """Whether lines say what is known of them already."""

    def fitted(line: OrderLine | LineIn) -> tuple[Any, ...]:
        return tuple(fit(OrderLine, name, getattr(line, name)) for name in LINE)

    return sorted(map(fitted, kept), key=repr) == sorted(map(fitted, told), key=repr)


def told_line(line: OrderLine) -> dict[str, Any]:
    """A line as a row keeps it, to be put back."""
    return {name: getattr(line, name) for name in (*LINE, "product_id")}


def plain(value: Any) -> Any:
    """A value of an order as JSON can hold it."""
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def kept(name: str, value: Any) -> Any:
    """The other way round."""
    return bytes.fromhex(value) if name == "address_hash" and value else value


TARGETS = [
    Target("number", "Order number", word="order_number", help="Rows with the same number are one order."),
    Target("external_id", "The shop's id of the order", word="order_id"),
    Target("placed_at", "Placed at", "date"),
    Target("status", "Status"),
    Target("total", "Total", "money", help="What they paid, all in. Without it: what the lines come to."),
    Target("currency", "Currency"),
    Target("subtotal", "Subtotal", "money"),
    Target("discount", "Discount", "money"),
    Target("shipping", "Shipping", "money"),
    Target("tax", "Tax", "money"),
    Target("refunded", "Refunded", "money"),
    Target("coupon_code", "Coupon code", word="code"),
    Target("cancelled_at", "Cancelled at", "date", help="Whoever has a day in it is cancelled."),
    Target("channel", "Channel", help="web, phone or store."),
    Target("updated_at", "Last changed in the shop", "date"),
    Target("email", "E-mail address of the buyer", "email"),
    Target("phone", "Telephone number of the buyer", "phone"),
    Target("customer_id", "Number of the buyer elsewhere", word="customer_id"),
    Target("full_name", "First and last name in one"),
    Target("first_name", "First name"),
    Target("last_name", "Last name"),
    Target("country", "Country"),
    Target("language", "Language"),
    Target("line_name", "Line: what it is"),
    Target("line_quantity", "Line: how many", "number", word="quantity"),
    Target("line_price", "Line: price of one", "money", word="price"),
    Target("line_list_price", "Line: list price of one", "money", word="list_price"),
    Target("line_sku", "Line: article number (SKU)", word="sku"),
    Target("line_product", "Line: the shop's id of the product", word="line_product"),
]
