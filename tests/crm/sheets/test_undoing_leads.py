"""The undo of a large import of leads: a fixed number of queries a batch, and on from where it was killed."""

from __future__ import annotations

import os
import signal
import warnings
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.audience.leads import bringing
from crm.kernel.work import Budget
from crm.models import (
    Contact,
    ContactPoint,
    Engagement,
    Lead,
    LeadDefinition,
    OutsideId,
    OwnField,
    ScoreChange,
    StageMove,
)
from crm.sheets.importing import acts, running
from tests import office
from tests.crm.sheets.bringing import at_work, brought, sheet, undone
from tests.office import NOW

HEADER = [
    "email",
    "phone",
    "external_id",
    "first_name",
    "country",
    "shoe_size",
    "stage",
    "owner",
    "deal value",
]
EARLIER = NOW - timedelta(days=3)


def address(number: int) -> str:
    return f"p{number}@shop-customers.example"


def rows(number: int) -> list[list[str]]:
    """Of six rows one is of a lead, two are of people known, three of new ones."""
    return [
        [address(one), f"+49 30 {5550000 + one}", f"C{one}", f"Name {one}", ("DE", "")[one % 2],
         str(36 + one % 9), ("is nurtured", "", "ready for sales")[one % 3], ("vera", "")[one % 4 == 3], "80"]
        for one in range(number)
    ]  # fmt: skip


def shop(number: int) -> dict[str, str]:
    office.user("vera")
    hot = office.definition()
    OwnField.objects.create(key="shoe_size", label="Shoe size", type="number")
    for one in range(0, number, 2):
        if one % 6 != 4:
            known = office.person(address(one), agreed=False, now=EARLIER, first_name="", country="")
            if one % 6 == 0:
                office.lead(known, hot, at=EARLIER, stage=hot.stages.get(meaning="lead"))
    return {"subject": "crm.leads", "definition": str(hot.pk), "known": "overwrite"}


def everything() -> list[list[tuple]]:
    """What there is, but for the trace that an undone move leaves in a lead's history."""
    names = ("email", "first_name", "country", "tags", "fields", "phone")
    return [
        list(Contact.objects.order_by("pk").values_list("pk", *names)),
        list(ContactPoint.objects.order_by("address").values_list("address", "contact", "is_primary")),
        list(OutsideId.objects.order_by("external_id").values_list("external_id", "contact_id")),
        list(
            Lead.objects.order_by("contact").values_list(
                "contact", "stage__name", "owner", "expected_value", "became_at", "ended_at"
            )
        ),
        list(ScoreChange.objects.values_list("contact", "score")),
        list(Engagement.objects.order_by("contact").values_list("contact", "order_count")),
    ]


def test_undoing_many_leads_asks_no_more_than_undoing_few(db):
    asked = []
    told = shop(60)
    for number in (6, 60):
        before = everything()
        run = brought(sheet(HEADER, *rows(number)), **told)
        assert run.made + run.updated == number
        with CaptureQueriesContext(
            connection,
        ) as queries:
            run = undone(run)
        assert (run.status, run.undone, run.kept) == ("undone", number, 0)
        assert everything() == before
        asked.append(len(queries))
    assert asked[0] == asked[1]


@pytest.mark.django_db(transaction=True)
def test_an_undo_killed_in_the_middle_goes_on_and_ends_with_everything_as_before(monkeypatch):
    monkeypatch.setattr(running, "BATCH", 6)
    told = shop(24)
    before = everything()
    run = brought(sheet(HEADER, *rows(24)), **told)
    assert Lead.objects.count() == Contact.objects.count() == 24
    acts.undo(run, NOW)
    in_the_third_batch(monkeypatch)
    run.refresh_from_db()
    # Two batches are over, of the third nothing is: what it did went with it.
    assert (run.status, run.undone, run.rows.filter(number__lte=run.cursor).count()) == ("undoing", 11, 11)
    assert Lead.objects.count() == 15
    run = at_work(run)
    assert (run.status, run.undone, run.kept) == ("undone", 24, 0)
    assert everything() == before
    moved = StageMove.objects.filter(contact__email=address(0)).values_list("reason", flat=True)
    assert sorted(moved) == [bringing.REASON, "Undone"]
    assert LeadDefinition.objects.get().leads.count() == 4


def in_the_third_batch(monkeypatch) -> None:
    """The job in a process of its own, killed when the leads of the third batch are taken back,
    and its people are not.
    """
    connection.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            taken, take_back = [], bringing.take_back

            def dying(*told):
                take_back(*told)
                taken.append(told)
                if len(taken) == 3:
                    os.kill(os.getpid(), signal.SIGKILL)

            monkeypatch.setattr(bringing, "take_back", dying)
            running.keep_up(NOW, Budget(60))
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
