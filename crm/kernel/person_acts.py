"""What a colleague can do about one person from their page: a button, and a small form of its own.

Each app registers its acts in a module called `person_acts`. The form posts to one address; where it is not
filled in rightly it is shown again on a page of its own, with what was typed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from crm.kernel.kinds import Kind, Registry


class CannotAct(ValueError):
    """It cannot be done now: why, in words."""


class PersonAct(Kind):
    """One button. `place` orders them, `permission` says who has it: "crm.add_note"."""

    place = 100
    permission = ""
    icon = ""
    button = ""

    def filled_in(self, contact_id: UUID, user: Any, now: datetime, data: Any = None) -> forms.Form:
        """The form, empty or with what was posted."""
        return self.Params(data, prefix=self.key.replace(".", "_"), initial=self.initial(user, now))

    def initial(self, user: Any, now: datetime) -> dict[str, Any]:
        """What the form says before anybody typed."""
        return {}

    def do(self, contact_id: UUID, said: dict[str, Any], user: Any, now: datetime) -> str:
        """Do it, and say in words what was done. Raises CannotAct."""
        raise NotImplementedError(f"{type(self).__name__} does nothing")


person_acts: Registry[PersonAct] = Registry(PersonAct)


def offered(user: Any) -> list[PersonAct]:
    """The acts of this colleague, in order."""
    return sorted((act for act in person_acts if user.has_perm(act.permission)), key=lambda act: act.place)
