"""The recurring pieces of the storefront's pages."""

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from .carts import Line, Totals
from .catalogue import BY_CATEGORY, BY_ID, CATEGORIES, GOES_WITH, Category, Product
from .web import Markup, joined, page


def money(amount: Decimal) -> str:
    return f"€{amount:,.2f}"


def price(product: Product) -> Markup:
    """The price, and the struck-out one where it was lowered."""
    struck = page("struck.html", price=money(product.list_price)) if product.list_price else Markup()
    return Markup(money(product.price) + struck)


def card(product: Product) -> Markup:
    return page(
        "card.html",
        path=product.path,
        picture=product.picture,
        brand=product.brand,
        name=product.name,
        price=price(product),
    )


def cards(products: Iterable[Product]) -> Markup:
    return joined([card(product) for product in products])


def category_section(category: Category) -> Markup:
    return page(
        "section.html",
        key=category.key,
        name=category.name,
        line=category.line,
        cards=cards(BY_CATEGORY[category.key]),
    )


def companions(product: Product) -> list[Product]:
    """What goes well with a product: the usual partners first, then its neighbours on the shelf."""
    partners = [BY_ID[key] for key in GOES_WITH[product.category]]
    neighbours = list(BY_CATEGORY[product.category])
    return [p for p in dict.fromkeys(partners + neighbours) if p is not product][:4]


def navigation(current: str) -> Markup:
    return joined(
        [
            page(
                "nav.html",
                key=each.key,
                name=each.name,
                here=Markup(' aria-current="page"') if each.key == current else "",
            )
            for each in CATEGORIES
        ]
    )


def cart_line(line: Line) -> Markup:
    product = line.product
    return page(
        "cart_line.html",
        id=product.id,
        name=product.name,
        path=product.path,
        picture=product.picture,
        price=money(product.price),
        quantity=line.quantity,
        total=money(line.total),
    )


def brief_lines(lines: Iterable[Line]) -> Markup:
    return joined(
        [
            page(
                "brief_line.html",
                picture=line.product.picture,
                name=line.product.name,
                quantity=line.quantity,
                total=money(line.total),
            )
            for line in lines
        ]
    )


def totals_list(totals: Totals) -> Markup:
    rows = [("Goods", money(totals.goods), "")]
    if totals.discount:
        rows.append(("Discount", "−" + money(totals.discount), ""))
    rows.append(("Delivery", money(totals.shipping) if totals.shipping else "free", ""))
    rows.append(("Total", money(totals.total), "grand"))
    return joined([page("sum_row.html", name=name, amount=amount, kind=kind) for name, amount, kind in rows])


def hidden_fields(values: Mapping[str, str]) -> Markup:
    return joined([page("hidden.html", name=name, value=value) for name, value in values.items()])


def data_block(calls: Sequence[Sequence[Any]], identify: int) -> Markup:
    """The page's calls of the product's script as JSON that cannot end the element it stands in.

    With `identify`, the number of a sign-in, the page shall ask for the signed identity of its visitor, tell
    it, and say that it did.
    """
    text = json.dumps({"calls": calls, "identify": identify}, ensure_ascii=False)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))
