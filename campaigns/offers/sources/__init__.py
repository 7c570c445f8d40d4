"""Where single-use codes come from: one class in one file, found by the registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from campaigns.models import Offer
from crm.kernel.kinds import Kind, Registry


class NoCodes(Exception):
    """The source gave none; says why, and what to do."""


class CodeSource(Kind):
    """A place that gives single-use codes. `on_demand`: at once and without asking anybody, so that codes may
    be made in the moment they are needed.
    """

    on_demand = False

    def codes(self, offer: Offer, params: dict[str, Any], number: int) -> Sequence[str]:
        """Up to so many new codes. Raises NoCodes. Called outside every transaction unless `on_demand`."""
        raise NotImplementedError(f"{type(self).__name__} has no codes")


code_sources: Registry[CodeSource] = Registry(CodeSource)


def source_of(offer: Offer) -> CodeSource | None:
    """Where the offer's codes come from by themselves; nothing where they are brought by hand."""
    if offer.codes != Offer.Codes.SINGLE or offer.code_source not in code_sources:
        return None
    return code_sources.get(offer.code_source)
