"""Rows of spreadsheets that speak of them, and the files they came in."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from crm.kernel.keeping import Kept, Person, keeping
from crm.models import Import, ImportRow, MergeProposal
from crm.sheets.importing import files


@keeping.register
class ImportRows(Kept):
    """What a spreadsheet said of them. The row stays, blank; undoing the import passes it over."""

    key = "crm.import_rows"
    label = "Rows of spreadsheets"
    model = ImportRow
    by = "object_id"
    moves = False
    hidden = ("pk", "run", "space", "before")
    leaves = {
        "told": {},
        "email_hash": None,
        "phone_hash": None,
        "outside_id": None,
        "reason": None,
        "cells": [],
        "object_id": None,
        "before": None,
    }

    def rows(self, person: Person) -> QuerySet[ImportRow]:
        return ImportRow.objects.filter(
            Q(object_id__in=person.ids)
            | Q(email_hash__in=person.hashes)
            | Q(phone_hash__in=person.hashes)
            | person.mentioned("told", "cells")
        )

    def erase(self, person: Person, now: datetime) -> int:
        named = self.rows(person).values("run")
        # A file that was read is needed no more: its rows are here.
        for run in Import.objects.filter(pk__in=named, is_read=True):
            files.path_of(run).unlink(missing_ok=True)
        return super().erase(person, now)


@keeping.register
class Proposals(Kept):
    """That they may be the same as somebody else."""

    key = "crm.proposals"
    label = "Maybe the same person"
    model = MergeProposal
    by = ""
    moves = False

    def rows(self, person: Person) -> QuerySet[MergeProposal]:
        return MergeProposal.objects.filter(Q(one__in=person.ids) | Q(other__in=person.ids))
