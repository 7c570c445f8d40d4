"""Make what the outside says fit its column: cut texts, round and bound money, drop what is no address."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.db import models

_CENT = Decimal("0.01")


def fit(model: type[models.Model], name: str, value: Any) -> Any:
    """The value as the field of this name can hold it."""
    field = model._meta.get_field(name)
    if isinstance(field, models.DecimalField):
        return None if value is None else _amount(value, Decimal(10) ** (field.max_digits - 2) - _CENT)
    if isinstance(field, models.CharField) and isinstance(value, str):
        return value.strip()[: field.max_length]
    return value


def web_address(value: str, most: int = 1000) -> str:
    """An http or https address, or nothing: what people click on is never anything else."""
    value = value.strip()
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    usable = parts.scheme in ("http", "https") and parts.netloc and value.isprintable() and len(value) <= most
    return value if usable else ""


def _amount(value: Any, most: Decimal) -> Decimal:
    try:
        amount = Decimal(value)
        return max(min(amount, most), -most).quantize(_CENT, ROUND_HALF_UP)
    except (InvalidOperation, TypeError, ValueError):
        return Decimal(0)
