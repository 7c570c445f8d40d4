"""The names of paths: typed where a step puts people on one, named again by the steps that are for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from campaigns.models import Step

LONGEST = Step._meta.get_field("path").max_length


class PathName(forms.CharField):
    """The name of a path, one line and short."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": LONGEST, "required": False} | kwargs))

    def clean(self, value: Any) -> str:
        return " ".join(super().clean(value).split())


def refuse_lookalikes(names: Iterable[str]) -> None:
    """Two paths whose names differ in capitals alone are a slip of the hand."""
    seen: dict[str, str] = {}
    for name in filter(None, names):
        if seen.setdefault(name.casefold(), name) != name:
            raise ValidationError(
                f"“{seen[name.casefold()]}” and “{name}” are two paths: write both the same"
            )
