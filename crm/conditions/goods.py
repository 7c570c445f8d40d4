"""Goods as conditions name them: of a category, of a brand, or one product; typed, the shop's offered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm.conditions.words import joined
from crm.models import OrderLine, Product

OFFERED = 200


class Offering(forms.TextInput):
    """A text that offers what the catalogue has in one column; anything else may be typed as well."""

    def __init__(self, column: str, attrs: Any = None) -> None:
        super().__init__(attrs)
        self.column = column

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        offers = f"{(attrs or {}).get('id') or f'id_{name}'}_offers"
        field = super().render(name, value, {**(attrs or {}), "list": offers}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((value,) for value in self.offered()))
        return format_html('{}<datalist id="{}">{}</datalist>', field, offers, options)

    def offered(self) -> Iterable[str]:
        known = Product.objects.filter(is_active=True).exclude(**{self.column: ""}).order_by(self.column)
        return known.values_list(self.column, flat=True).distinct()[:OFFERED]


@dataclass(frozen=True)
class Named:
    """One product as it was typed, and those of the catalogue that are meant by it."""

    text: str = ""
    ids: tuple[UUID, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text)

    def __str__(self) -> str:
        return self.text


class ProductField(forms.CharField):
    """A product by its name, its SKU or the shop's id of it. What is neither known nor was ever sold is an
    error: a rule about a product that was deleted means nobody, and says so.
    """

    def clean(self, value: Any) -> Named:
        text = super().clean(value)
        if not text:
            return Named()
        meant = Q(external_id=text) | Q(sku=text) | Q(name__iexact=text)
        ids = tuple(Product.objects.filter(meant).order_by("pk").values_list("pk", flat=True)[:OFFERED])
        if not ids and not OrderLine.objects.filter(Q(sku=text) | Q(name__iexact=text)).exists():
            raise forms.ValidationError(
                f"no product is called “{text}”, by name, SKU or the shop's id: it may have been deleted"
            )
        return Named(text, ids)


class GoodsForm(forms.Form):
    """Which goods; all blank means anything."""

    category = forms.CharField(
        label="in this category", max_length=200, required=False, widget=Offering("category")
    )
    brand = forms.CharField(label="of this brand", max_length=120, required=False, widget=Offering("brand"))
    product = ProductField(
        label="this product",
        max_length=300,
        required=False,
        widget=Offering("name"),
        help_text="Its name, its SKU or the shop's id of it.",
    )


def are_named(params: dict[str, Any]) -> bool:
    return bool(params["category"] or params["brand"] or params["product"])


def on_lines(params: dict[str, Any], own: str = "sku", by: str = "") -> Q:
    """Lines of the goods. A line keeps its name and its own id (`own` says in which column) when the product
    is gone. By the catalogue alone, or by a product's words alone, where that is said.
    """
    goods = Q()
    if params["category"]:
        goods &= Q(product__category__iexact=params["category"])
    if params["brand"]:
        goods &= Q(product__brand__iexact=params["brand"])
    if named := params["product"]:
        known, said = Q(product_id__in=named.ids), Q(**{own: named.text}) | Q(name__iexact=named.text)
        goods &= {"": known | said, "catalogue": known, "words": said}[by]
    return goods


def in_words(params: dict[str, Any]) -> str:
    """The goods as they follow "bought"; nothing where anything is meant."""
    return joined(
        str(params["product"]),
        f"from {params['brand']}" if params["brand"] else "",
        f"in {params['category']}" if params["category"] else "",
    )


def about(params: dict[str, Any]) -> str:
    """The goods as they follow "an order": of a product, from a brand, in a category."""
    return joined(f"of {params['product']}" if params["product"] else "", in_words(params | {"product": ""}))
