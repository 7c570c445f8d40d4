"""Exports of other programs, known by their headings: one class in one file here, of any app."""

from __future__ import annotations

from collections.abc import Mapping

from crm.kernel.kinds import Kind, Registry
from crm.sheets.vocabulary import spelled


class Export(Kind):
    """A file that another program writes always alike."""

    holds = ""
    """What its rows are: contacts, orders, products."""
    signs: tuple[frozenset[str], ...] = ()
    """Sets of headings, spelled; whoever has one of them whole is it."""
    columns: Mapping[str, str] = {}
    """By heading, spelled, the key of what we call it; nothing for what nobody needs."""
    means_nothing: tuple[str, ...] = ()
    """Words that stand in cells for no answer."""

    def recognises(self, headings: set[str]) -> bool:
        return any(signs <= headings for signs in self.signs)


exports: Registry[Export] = Registry(Export)


def headings(text: str) -> frozenset[str]:
    """Headings as they stand in the file, separated by a bar, spelled."""
    return frozenset(spelled(heading) for heading in text.split("|"))


def named(**columns: str) -> dict[str, str]:
    """Headings by what we call them, the other way round; `nothing` names those nobody needs."""
    return {
        spelled(heading): "" if key == "nothing" else key
        for key, text in columns.items()
        for heading in text.split("|")
    }
