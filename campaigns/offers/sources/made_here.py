"""Codes made here, that nobody can guess."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from typing import Any

from django import forms

from campaigns.models import Offer
from campaigns.offers.sources import CodeSource, code_sources

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # nothing that looks like something else
GROUPS = (4, 4, 5)
BITS = sum(GROUPS) * math.log2(len(ALPHABET))
"""What has to be guessed: more than 64 bits, whatever stands before it."""


def made(prefix: str = "") -> str:
    """A code such as SPRING-7KQ2-MX9D-4HJPW."""
    drawn = ["".join(secrets.choice(ALPHABET) for _ in range(length)) for length in GROUPS]
    return "-".join(filter(None, [prefix, *drawn]))


@code_sources.register
class MadeHere(CodeSource):
    """Codes made by this program, unguessable and easy to type, in the moment they are needed. The shop has
    to accept them: give it the list.
    """

    key = "campaigns.made_here"
    label = "made here, when they are needed"
    on_demand = True

    class Params(forms.Form):
        begins = forms.RegexField(
            r"^[A-Za-z0-9]{1,12}$",
            label="begin with",
            required=False,
            max_length=12,
            help_text="Such as SPRING: up to twelve letters and digits before the part nobody can guess.",
            error_messages={"invalid": "Up to twelve letters and digits, such as SPRING."},
        )

    def codes(self, offer: Offer, params: dict[str, Any], number: int) -> Sequence[str]:
        return [made(params["begins"].upper()) for _ in range(number)]
