"""One line of the checklist before a launch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.urls import reverse

Place = Literal["campaign", "steps", "template", "sender", "shop", "offer"]


@dataclass(frozen=True)
class Check:
    """Without a `problem` it is green, and `note` says what holds. A `warning` stops nothing, but should be
    read. `place` (and `pk`) say where to mend it.
    """

    key: str
    label: str
    problem: str = ""
    place: Place = "campaign"
    pk: int | None = None
    note: str = ""
    warning: str = ""

    @property
    def done(self) -> bool:
        return not self.problem

    @property
    def words(self) -> str:
        said = self.problem or self.warning or self.note
        return f"{self.label}: {said}" if said else self.label

    @property
    def url(self) -> str:
        """Where to mend it, if that is another page than the campaign's own."""
        if self.place == "shop":
            return reverse("admin:crm_shopsettings_changelist")
        if self.place in ("sender", "template", "offer"):
            page = f"admin:campaigns_{self.place}"
            return reverse(f"{page}_change", args=[self.pk]) if self.pk else reverse(f"{page}_changelist")
        return ""
