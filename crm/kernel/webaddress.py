"""A web address that a user gives and this program will call: checked while it is typed."""

from __future__ import annotations

from typing import Any

from django import forms

from crm.kernel import http


class WebAddress(forms.CharField):
    """An address that `crm.kernel.http` may reach, as far as can be told without asking for it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": 1000} | kwargs))

    def clean(self, value: Any) -> Any:
        url = super().clean(value)
        try:
            http.check(url)
        except http.Forbidden as wrong:
            raise forms.ValidationError(f"This address cannot be asked: {wrong}.") from None
        return url
