"""The fields of blocks: what a marketer types into one, Liquid and all."""

from __future__ import annotations

import re
from typing import Any

from django import forms

ALIGNMENTS = [("left", "left"), ("center", "in the middle")]

_SCHEME = re.compile(r"(?:https?://|mailto:|tel:|\{\{)", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?!\d)", re.IGNORECASE)
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+(?:[/:?#]|$)")
_MAIL = re.compile(r"[^\s@/:{}]+@[\w-]+(?:\.[\w-]+)+$")


class Line(forms.CharField):
    """One line of words; variables may stand in it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": 300} | kwargs))


class Words(forms.CharField):
    """Paragraphs; variables, **bold**, *italic*, links and lists may stand in them."""

    def __init__(self, *, rows: int = 6, **kwargs: Any) -> None:
        usual: dict[str, Any] = {
            "max_length": 20_000,
            "widget": forms.Textarea(attrs={"rows": rows}),
            "help_text": "**bold**, *italic*, [a link](https://…), lines with - for a list.",
        }
        super().__init__(**(usual | kwargs))


class Target(forms.CharField):
    """Where a link leads: a web, mail or telephone address, or a variable that holds one.

    What is plainly a host or a mail address gets the scheme it lacks; any other scheme is refused.
    """

    default_error_messages = {
        "scheme": "A link begins with https://, mailto: or tel:, or is a variable such as {{ shop.url }}.",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": 1000} | kwargs))
        self.widget.attrs.setdefault("inputmode", "url")

    def to_python(self, value: Any) -> str:
        typed = super().to_python(value) or ""
        if not typed or _SCHEME.match(typed):
            return typed
        if _MAIL.match(typed):
            return f"mailto:{typed}"
        if _HOST.match(typed) and not _OTHER_SCHEME.match(typed):
            return f"https://{typed}"
        raise forms.ValidationError(self.error_messages["scheme"], code="scheme")


class Picture(Target):
    """The address of a picture, or a variable that holds one."""

    default_error_messages = {
        "scheme": "The address of a picture begins with https://, or is a variable such as {{ shop.logo }}.",
    }
