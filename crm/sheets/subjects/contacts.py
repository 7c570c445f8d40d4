"""People: found by their address, number or outside id, or made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from crm.models import Import, OwnField
from crm.sheets.matching import Kind, Target
from crm.sheets.persons import applying, cells, companies, judging, undoing
from crm.sheets.reading import Look
from crm.sheets.subjects import (
    FILL,
    MAKES,
    OVERWRITE,
    Applied,
    Reader,
    Subject,
    Undone,
    known_already,
    subjects,
)

_KINDS: dict[str, Kind] = {
    OwnField.Type.TEXT: "text",
    OwnField.Type.NUMBER: "number",
    OwnField.Type.DATE: "date",
    OwnField.Type.FLAG: "yes_no",
    OwnField.Type.CHOICE: "choice",
    OwnField.Type.LINK: "text",
    OwnField.Type.WORDS: "text",
}


@subjects.register
class Contacts(Subject):
    """A row is a person. Whoever is known by the e-mail address, the outside id or the telephone number (in
    this order) learns what the row says; whoever is not is made. Nobody is ever joined with somebody else, an
    address somebody has is never replaced, and consent comes only with its proof.
    """

    key = "crm.contacts"
    label = "Contacts"
    many = "people"
    takes_consent = True
    takes_own_fields = True
    undo_says = (
        "People it made are deleted, unless they ordered, visited, were written to or edited since. People it"
        " changed get back what they had, field by field, where nothing changed it again. What it brought of"
        " consent expires."
    )

    class Params(forms.Form):
        known = known_already(
            "Who is known already",
            keep="keeps what is known: the file fills what is blank",
            take="takes over what the file says: it is newer",
        )
        blanks = forms.CharField(
            label="Words that mean no answer",
            max_length=200,
            required=False,
            help_text="With commas between them, such as Select, n/a. They count as an empty cell.",
        )
        region = forms.RegexField(
            r"^[A-Za-z]{2}$",
            label="Country of telephone numbers",
            required=False,
            help_text="Two letters such as DE, for numbers without a country code in rows without a country.",
        )

    def targets(self) -> list[Target]:
        return [*_TARGETS, *(_own(field) for field in OwnField.objects.all())]

    def missing(self, targets: set[str]) -> str:
        if targets & {"email", "phone", "external_id"}:
            return ""
        return (
            "No column says who the people are. Choose the column of their e-mail address, their telephone"
            " number or their number elsewhere."
        )

    def reader(self, run: Import) -> Reader:
        options = self._options(run)
        columns = cells.columns(
            run.mapping, Look.from_json(run.look).headings, options["blanks"], options["region"]
        )
        return lambda rows: cells.read(rows, columns)

    def judge(self, run: Import, now: datetime) -> None:
        judging.judge(run, now, overwrites=self._options(run)["known"] == OVERWRITE)

    def begin(self, run: Import, now: datetime) -> None:
        """Make the fields that columns asked for; from then on the columns are theirs."""
        headings = Look.from_json(run.look).headings
        for column, target in run.mapping.items():
            if target.startswith(MAKES):
                made = cells.to_make(headings[int(column)], target)
                field, _ = OwnField.objects.get_or_create(
                    key=made.key, defaults={"label": made.label, "type": made.type, "created_at": now}
                )
                run.mapping[column] = cells.OWN + field.key

    def apply(self, run: Import, after: int, upto: int, now: datetime) -> Applied:
        overwrites = self._options(run)["known"] == OVERWRITE
        return applying.apply(
            run, after, upto, now, overwrites=overwrites, besides=self.besides(run, now, overwrites)
        )

    def besides(self, run: Import, now: datetime, overwrites: bool) -> applying.Besides | None:
        """What else is to be brought in with the people of a batch, and noted with their rows."""
        return None

    def undo(self, run: Import, after: int, upto: int, now: datetime) -> Undone:
        return undoing.undo(run, after, upto, now)

    def clear_up(self, made: Mapping[UUID, str], now: datetime) -> None:
        companies.clear_up(made)

    def _options(self, run: Import) -> dict[str, Any]:
        return {"known": FILL, "blanks": "", "region": ""} | run.options


def _own(field: OwnField) -> Target:
    return Target(cells.OWN + field.key, field.label, _KINDS[field.type], (field.key,))


_TARGETS = [
    Target("email", "E-mail address", "email"),
    Target("phone", "Telephone number", "phone"),
    Target(
        "external_id",
        "Their number elsewhere",
        help="What another program calls them, such as a customer number: rows are known by it again.",
    ),
    Target("first_name", "First name"),
    Target("last_name", "Last name"),
    Target("full_name", "First and last name in one"),
    Target("language", "Language"),
    Target("country", "Country"),
    Target("time_zone", "Time zone"),
    Target("company", "Company", help="By its name; made where we know none of that name."),
    Target("tags", "Tags", "tags"),
    Target("source", "Where we learned of them"),
    Target(
        "consent",
        "Agreed to e-mail (yes or no)",
        "yes_no",
        help="Counts only together with the proof asked for below.",
    ),
    Target(
        "consent_at",
        "Agreed on",
        "date",
        help="When this person agreed; blank: the day given below.",
    ),
]
