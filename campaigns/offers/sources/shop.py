"""Codes asked from the shop's own server."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from typing import Any

from django import forms

from campaigns.models import Offer
from campaigns.offers.sources import CodeSource, NoCodes, code_sources
from crm.kernel import http, tokens
from crm.kernel.webaddress import WebAddress

MOST_AT_ONCE = 500
LONGEST = 80


@code_sources.register
class FromShop(CodeSource):
    """Asks an address of the shop for codes, ahead of need. The question is signed with the key under *Server
    keys*, so that the shop knows who asks.
    """

    key = "campaigns.from_shop"
    label = "asked from the shop"

    class Params(forms.Form):
        url = WebAddress(
            label="address to ask",
            help_text="It gets {offer, number} by POST and answers {codes: […]}; docs/offers.md says how.",
        )

    def codes(self, offer: Offer, params: dict[str, Any], number: int) -> Sequence[str]:
        most = min(number, MOST_AT_ONCE)
        asked = {"offer": offer.name, "number": most}
        body = json.dumps(asked, separators=(",", ":")).encode()
        signature = hmac.new(tokens.derive("shop-server").hex().encode(), body, "sha256").hexdigest()
        headers = {"Content-Type": "application/json", "X-Rekindle-Signature": signature}
        try:
            answer = http.request("POST", params["url"], body=body, headers=headers)
        except (http.Forbidden, http.Unreachable) as problem:
            raise NoCodes(str(problem)) from problem
        if not answer.ok:
            raise NoCodes(f"the shop answered {answer.status}")
        return _read(answer.body)[:most]


def _read(body: bytes) -> list[str]:
    try:
        codes = json.loads(body)["codes"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NoCodes("the shop's answer is not JSON with a list of codes") from None
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise NoCodes("the codes of the shop's answer are not a list of texts")
    return codes
