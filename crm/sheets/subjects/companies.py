"""Companies: known by their name, or made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models.functions import Lower

from crm.models import Company, Import, ImportRow
from crm.people import companies
from crm.sheets.importing.living import referred_to
from crm.sheets.matching import Target
from crm.sheets.subjects import OVERWRITE, Staged, Undone, Wrong, known_already, subjects
from crm.sheets.things import cells
from crm.sheets.things.subject import Brought, Came, Thing, Things, Weighed

Verdict = ImportRow.Verdict


@subjects.register
class Companies(Things):
    """A row is a company that people work for. It is known by its name, whether it is written large or small;
    people are put into companies by a column of their own file.
    """

    key = "crm.companies"
    label = "Companies"
    many = "companies"
    one = "company"
    permission = "crm.change_company"
    undo_says = (
        "Companies it made are deleted, unless somebody works for them now or they were edited since. Those"
        " it changed get back what they had, where nothing changed it again."
    )

    class Params(cells.BlanksForm):
        known = known_already("Companies that are known already")
        field_order = ("known",)

    def targets(self) -> list[Target]:
        return [
            Target("name", "Name", word="company"),
            Target(
                "domain",
                "Domain",
                synonyms=("domain name", "email domain", "company domain"),
                help="Such as acme.example; of a web address its domain counts.",
                word="website",
            ),
            Target("city", "City"),
            Target("country", "Country"),
        ]

    def missing(self, targets: set[str]) -> str:
        return (
            "" if "name" in targets else "No column says which companies. Choose the column of their names."
        )

    def key_of(self, told: dict[str, Any]) -> tuple[str, str]:
        return "company", companies.spelled(told.get("name", ""))[:200]

    def shape(self, row: Staged, columns: cells.Columns) -> None:
        told = row.told
        if not row.outside_id:
            raise Wrong("Every company needs a name.")
        told["name"] = " ".join(told["name"].split())[:200]
        remarks = []
        if "domain" in told:
            typed = told.pop("domain")
            domain = typed.casefold().removeprefix("https://").removeprefix("http://").partition("/")[0]
            domain = domain.rpartition("@")[2].removeprefix("www.")
            if "." in domain and " " not in domain and len(domain) <= 253:
                told["domain"] = domain
            else:
                remarks.append(f"domain “{typed[:60]}” is none such as acme.example: left out")
        if "city" in told:
            told["city"] = " ".join(told["city"].split())[:120]
        cells.take_country(told, remarks)
        row.remark = "; ".join(remarks)

    def weigh(self, run: Import, things: Sequence[Thing], now: datetime, *, hold: bool) -> list[Weighed]:
        overwrites = run.options.get("known") == OVERWRITE
        if hold:
            companies.hold_names()
        rows = Company.objects.annotate(spelled=Lower("name")).order_by("pk")
        found: dict[str, list[Company]] = {}
        for company in rows.filter(spelled__in=[thing.key for thing in things]):
            found.setdefault(company.spelled, []).append(company)
        return [_weighed(thing, found.get(thing.key, []), overwrites) for thing in things]

    def bring(
        self, run: Import, things: Sequence[tuple[Thing, Weighed]], now: datetime
    ) -> Mapping[int, Brought]:
        new = [thing for thing, one in things if one.verdict == Verdict.NEW]
        told = [{name: thing.told[name] for name in companies.TOLD if name in thing.told} for thing in new]
        brought = {
            thing.number: Brought(pk, {"is": says})
            for thing, says, pk in zip(new, told, companies.make(told, now), strict=True)
        }
        changed = {one.object_id: one.plan for _, one in things if one.object_id}
        companies.change({pk: {name: new for name, (_, new) in was.items()} for pk, was in changed.items()})
        return brought | {
            thing.number: Brought(one.object_id, {"was": one.plan}) for thing, one in things if one.object_id
        }

    def take_back(self, run: Import, rows: Sequence[Came], now: datetime) -> Undone:
        there = Company.objects.in_bulk([row.object_id for row in rows])
        made = {row.object_id: row.before["is"] for row in rows if row.is_new and row.object_id in there}
        edited = {
            pk
            for pk, told in made.items()
            if there[pk].fields
            or any(getattr(there[pk], name) != told.get(name, "") for name in companies.TOLD)
        }
        lived = referred_to(Company, made, ()) | edited
        Company.objects.filter(pk__in=[pk for pk in made if pk not in lived]).delete()
        back = {
            row.object_id: {
                name: old
                for name, (old, new) in row.before["was"].items()
                if getattr(there[row.object_id], name) == new
            }
            for row in rows
            if not row.is_new and row.object_id in there
        }
        companies.change(back)
        return Undone(len(made) - len(lived) + len(back), len(lived))


def _weighed(thing: Thing, found: Sequence[Company], overwrites: bool) -> Weighed:
    if len(found) > 1:
        return Weighed(Verdict.REFUSED, reason=f"{len(found)} companies have this name: which one is meant?")
    if not found:
        return Weighed(Verdict.NEW)
    company = found[0]
    news = {
        name: (old, thing.told[name])
        for name in ("domain", "city", "country")
        if name in thing.told
        and (old := getattr(company, name)) != thing.told[name]
        and (overwrites or not old)
    }
    return Weighed(Verdict.CHANGED if news else Verdict.UNCHANGED, company.pk if news else None, plan=news)
