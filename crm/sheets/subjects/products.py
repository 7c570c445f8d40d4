"""Products: known by the shop's id or their article number, or made; variants go on with them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from inscriptis import get_text

from crm.models import Import, ImportRow, PriceChange, Product, StockChange
from crm.people.identity import short
from crm.sheets.importing.living import referred_to
from crm.sheets.matching import Target
from crm.sheets.subjects import OVERWRITE, Staged, Undone, Wrong, known_already, subjects
from crm.sheets.things import cells
from crm.sheets.things.subject import Brought, Came, Thing, Things, Weighed
from crm.shop.fitting import web_address
from crm.shop.intake import SHOP
from crm.shop.products import ProductIn, foretell, put_back, record_products
from crm.shop.regarding import stir_owners

Verdict = ImportRow.Verdict
_OF_VARIANTS = ("price", "list_price", "cost", "stock", "in_stock")
_UPKEEP = frozenset({PriceChange._meta.label, StockChange._meta.label})
_TAG = re.compile(r"</?[a-z][^>]*>", re.IGNORECASE)


@subjects.register
class Products(Things):
    """A row is a product, or a further variant or picture of it. What is known by the shop's id, or else by
    the article number, learns what the row says; what is not is made. Of variants the first with a price
    gives it, and what is in stock is counted together. A blank cell says nothing.
    """

    key = "crm.products"
    label = "Products"
    many = "products"
    one = "product"
    permission = "crm.change_product"
    undo_says = (
        "Products it made are deleted, unless they were ordered, put in a cart, looked at or changed since."
        " Products it changed get back what they had, field by field, where nothing changed it again; the"
        " memory of prices keeps what they cost in between."
    )

    class Params(cells.SpellingForm):
        known = known_already("Products that are known already", OVERWRITE)
        field_order = ("known",)

    def targets(self) -> list[Target]:
        return _TARGETS

    def missing(self, targets: set[str]) -> str:
        if targets & {"external_id", "sku"}:
            return ""
        return (
            "No column says which products. Choose the column of the shop's own ids of them, or of their"
            " article numbers (SKU)."
        )

    def key_of(self, told: dict[str, Any]) -> tuple[str, str]:
        key = cells.plain_id(told.get("external_id") or told.get("sku") or "")
        return told.get("source") or SHOP, short(key, 200)

    def shape(self, row: Staged, columns: cells.Columns) -> None:
        told = row.told
        if not row.outside_id:
            raise Wrong("Every product needs the shop's id of it, or an article number (SKU).")
        if parent := told.pop("parent", "").removeprefix("id:").strip():
            told["parent"] = parent
            told.pop("sku", None)
        _spell(told, row)
        if "counted" in columns.asked and not told.pop("counted", ""):
            # The shop does not count this one: its number in stock is none.
            told.pop("stock", None)
            told.setdefault("in_stock", True)
        line = {name: told.pop(name) for name in _OF_VARIANTS if name in told}
        if "name" in told and not parent:
            line["again"] = True
        if parent:
            told.pop("name", None)
        told["line"] = line

    def weigh(self, run: Import, things: Sequence[Thing], now: datetime, *, hold: bool) -> list[Weighed]:
        known = _known(things, hold)
        at = run.created_at if run.options.get("known", OVERWRITE) == OVERWRITE else None
        weighed = []
        for thing in things:
            found = known.get((thing.space, thing.key), [])
            if len(found) > 1:
                weighed.append(
                    Weighed(Verdict.REFUSED, reason=f"{len(found)} products have this article number.")
                )
                continue
            product = found[0] if found else None
            word, reason = _word(thing, at, product)
            before: dict[str, Any] = {}
            if product is not None:
                before = foretell(product, word, now)
            verdict = Verdict.NEW if product is None else Verdict.UNCHANGED
            if before.keys() - {"source_at"}:
                verdict = Verdict.CHANGED
            weighed.append(Weighed(verdict, product.pk if product else None, reason, (word, before)))
        return weighed

    def bring(
        self, run: Import, things: Sequence[tuple[Thing, Weighed]], now: datetime
    ) -> Mapping[int, Brought]:
        brought: dict[int, Brought] = {}
        for space in sorted({thing.space for thing, _ in things}):
            some = [(thing, one) for thing, one in things if thing.space == space]
            found = record_products([one.plan[0] for _, one in some], now, source=space)
            for thing, one in some:
                word, before = one.plan
                brought[thing.number] = Brought(found[word.external_id], {"was": before})
        return brought

    def take_back(self, run: Import, rows: Sequence[Came], now: datetime) -> Undone:
        made = {row.object_id: row.before["at"] for row in rows if row.is_new}
        lived = referred_to(Product, made, _UPKEEP) | set(
            Product.objects.filter(pk__in=made)
            .exclude(updated_at__in=set(made.values()))
            .values_list("pk", flat=True)
        )
        gone = [pk for pk in made if pk not in lived]
        stir_owners(gone)
        Product.objects.filter(pk__in=gone).delete()
        put = put_back({row.object_id: row.before["was"] for row in rows if not row.is_new}, now)
        return Undone(len(gone) + put, len(lived))


def _known(things: Sequence[Thing], hold: bool) -> dict[tuple[str, str], list[Product]]:
    """Products by whose ids and key they are asked for: by the shop's id, else by the article number."""
    rows = Product.objects.order_by("pk")
    if hold:
        rows = rows.select_for_update(no_key=True)
    known: dict[tuple[str, str], list[Product]] = {}
    for product in rows.filter(external_id__in=[thing.key for thing in things]):
        known[product.source, product.external_id] = [product]
    by_sku = [
        thing for thing in things if "external_id" not in thing.told and (thing.space, thing.key) not in known
    ]
    asked = {(thing.space, thing.key) for thing in by_sku}
    for product in rows.filter(sku__in=[thing.key for thing in by_sku]):
        if (product.source, product.sku) in asked:
            known.setdefault((product.source, product.sku), []).append(product)
    return known


def _word(thing: Thing, at: datetime | None, product: Product | None) -> tuple[ProductIn, str]:
    """What the rows of a product say of it, and what they leave in doubt. `at`: when the file says it."""
    first, *others = thing.lines
    told = thing.told
    lines = [first, *(line for line in others if not line.get("again"))]
    priced = next((line for line in lines if "price" in line or "list_price" in line), {})
    price, list_price = priced.get("price"), priced.get("list_price")
    if price is None:
        price, list_price = list_price, None
    stocks = [line["stock"] for line in lines if "stock" in line]
    in_stock = [line["in_stock"] for line in lines if "in_stock" in line]
    said_at = datetime.fromisoformat(told["updated_at"]) if at and "updated_at" in told else at
    word = ProductIn(
        product.external_id if product else thing.key,
        price=_amount(price),
        list_price=_amount(list_price),
        cost=_amount(next((line["cost"] for line in lines if "cost" in line), None)),
        stock=sum(stocks) if stocks else None,
        in_stock=any(in_stock) if in_stock else None,
        source_at=said_at,
        **{name: told[name] for name in _PLAIN if name in told},
    )
    twice = any(line.get("again") and line != first for line in others)
    return word, "stands here more than once with other values: the first counts" if twice else ""


def _amount(told: str | None) -> Decimal | None:
    return None if told is None else Decimal(told)


def _spell(told: dict[str, Any], row: Staged) -> None:
    """Whole numbers, addresses, paths and texts as products have them; what is none is left out and said."""
    remarks = []
    for name in ("stock", "days_of_supply"):
        if name in told:
            number = Decimal(told[name])
            if number != number.to_integral_value():
                raise Wrong(f"“{told[name]}” is not a whole number.")
            told[name] = int(number)
    if told.get("days_of_supply", 0) < 0:
        raise Wrong("How long one lasts is a number of days above zero.")
    if "image_url" in told:
        told["image_url"] = re.split(r"[,|]\s*(?=https?://)", told["image_url"])[0]
    for name, called in (("url", "page"), ("image_url", "picture")):
        if name in told and not web_address(told[name]):
            remarks.append(f"the {called} “{told.pop(name)[:60]}” is no web address: left out")
    if "category" in told:
        # Of several paths the first; a comma alone may be part of a name.
        path = told["category"].split(",")[0] if ">" in told["category"] else told["category"]
        told["category"] = " > ".join(" ".join(part.split()) for part in path.split(">"))
    if "description" in told and _TAG.search(told["description"]):
        told["description"] = get_text(told["description"]).strip()
    cells.take_currency(told)
    row.remark = "; ".join(remarks)


_PLAIN = (
    *("name", "sku", "description", "url", "image_url", "currency", "brand", "category"),
    *("consumable", "days_of_supply", "is_active"),
)
_TARGETS = [
    Target(
        "external_id",
        "The shop's id",
        help="What the shop calls it: it is known by that again.",
        word="product_id",
    ),
    Target("sku", "Article number (SKU)"),
    Target("name", "Name", word="product_name"),
    Target("description", "Description"),
    Target("category", "Category", help="Or the path to it, such as Clothing > Shirts."),
    Target("brand", "Brand"),
    Target("price", "Price", "money"),
    Target("list_price", "List price", "money", help="Before any reduction on the site."),
    Target("cost", "What one costs the shop", "money"),
    Target("currency", "Currency"),
    Target("stock", "Number in stock", "number"),
    Target("in_stock", "In stock (yes or no)", "yes_no"),
    Target("counted", "Whether the stock is counted", help="Blank: it is not, and there is always some."),
    Target("is_active", "Still sold (yes or no)", "yes_no"),
    Target("url", "Page in the shop"),
    Target("image_url", "Picture"),
    Target("consumable", "Is used up (yes or no)", "yes_no"),
    Target("days_of_supply", "Days one lasts", "number"),
    Target("parent", "Is a variant of", help="The id or article number of the product it belongs to."),
    Target("updated_at", "Last changed in the shop", "date"),
    Target("source", "Whose id it is", help="Blank: the shop's."),
]
