"""What acts that pause marketing share: until which day, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms

from crm.kernel.person_acts import CannotAct, PersonAct
from crm.person_acts import when


class PausingAct(PersonAct):
    """An act that lets marketing rest until a day; `usual` is how long it suggests."""

    permission = "crm.change_contact"
    usual = timedelta(days=14)

    class Params(forms.Form):
        until = when.Day(label="no marketing until")
        why = forms.CharField(label="because", max_length=200, required=False)

    def initial(self, user: Any, now: datetime) -> dict[str, Any]:
        return {"until": (when.local(now) + self.usual).date()}

    def rests_until(self, said: dict[str, Any], now: datetime) -> datetime:
        """The instant at which the chosen day begins in the shop."""
        until = when.begins(said["until"])
        if until <= now:
            raise CannotAct("Choose a day after today: until then no marketing is sent.")
        return until
