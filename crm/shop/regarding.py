"""Who has to do with a product: when what rules ask of it changes, they are asked again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from django.db import models

from crm.kernel.work import in_batches
from crm.models import Product
from crm.models.base import ByContact
from crm.people.stirring import stir

ASKED = ("name", "sku", "external_id", "category", "brand")
"""What rules ask of a product."""

_AT_ONCE = 5000


def stir_owners(product_ids: Collection[UUID]) -> None:
    """Stir everybody with a row that names one of these products: bought, in a cart, wherever an app keeps
    them.

    Call it after the change is committed, or before the product is deleted: a change of one product may
    concern everybody, and nobody's row should be held for the length of an import.
    """
    if not product_ids:
        return
    for rows, product in _naming():
        named = rows.filter(**{f"{product}__in": product_ids}).order_by("contact_id")
        people = named.values_list("contact_id", flat=True).distinct()
        for batch in in_batches(people.iterator(chunk_size=_AT_ONCE), _AT_ONCE):
            stir(batch)


def _naming() -> Iterator[tuple[models.QuerySet[Any], str]]:
    """The rows of each table that belongs to people and names products, and how it calls them."""
    for relation in Product._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel) and issubclass(relation.related_model, ByContact):
            yield relation.related_model._default_manager.all(), relation.field.name
