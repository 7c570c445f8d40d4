"""Leads by spreadsheet: people with a stage and an owner, told of nobody, once, and undone."""

from __future__ import annotations

import gzip
import re

from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.audience.leads import definitions, stages
from crm.models import Contact, HandOver, Lead, Notice, OwnField, StageMove
from crm.sheets.importing import acts
from tests import office
from tests.crm.sheets.bringing import at_work, brought, checked, counts, sheet, undone
from tests.office import NOW
from tests.shared import shared

BO = "bo@shop-customers.example"
FILE = sheet(
    ["Email", "Company", "Lead Status", "Lead Owner", "Created Date", "Deal value"],
    [office.MAIL, "Acme", "Qualified", "Vera Vos", "3/1/2026", "1,200.00"],
    ["new@shop-customers.example", "", "", "", "", ""],
    ["NEW@shop-customers.example", "", "is nurtured", "", "", "80.00"],
    [BO, "", "New", "nobody we know", "", "300.50"],
    ["x@shop-customers.example", "", "Somewhere", "", "", ""],
)


def everything():
    leads = Lead.objects.order_by("contact__email")
    told = leads.values_list("contact__email", "stage__name", "owner__username", "expected_value", "ended_at")
    return [(*one[:3], None if one[3] is None else str(one[3]), one[4]) for one in told]


def test_leads_come_in_at_their_stage_with_an_owner_and_nobody_is_told(db):
    office.user("vera", first_name="Vera", last_name="Vos")
    hot = office.definition()
    office.person(agreed=False)
    bo = office.person(BO, agreed=False)
    office.lead(bo, hot, stage=hot.stages.get(meaning="nurture"), expected_value=10)
    before = everything()
    more = {"subject": "crm.leads", "definition": str(hot.pk), "dates": "month"}
    run = brought(FILE, **more)
    assert (counts(run), run.made, run.updated) == ((1, 1, 2, 1), 1, 1)
    reasons = dict(run.rows.exclude(reason=None).values_list("number", "reason"))
    assert "Stage “Somewhere” is none of this definition: is a lead, is nurtured" in reasons[6]
    assert "owner “nobody we know” is no colleague" in reasons[5]
    assert everything() == [
        (office.MAIL, "ready for sales", "vera", "1200.00", None),
        (BO, "is nurtured", None, "10.00", None),
        ("new@shop-customers.example", "is nurtured", None, "80.00", None),
    ]
    ana = Lead.objects.get(contact__email=office.MAIL)
    assert (f"{ana.became_at:%Y-%m-%d}", ana.contact.company.name) == ("2026-03-01", "Acme")
    assert not HandOver.objects.exists() and not Notice.objects.exists()
    assert StageMove.objects.filter(is_backfill=True).count() == 2
    after = everything()
    again = brought(FILE, **more)
    assert (again.made, again.updated, everything()) == (0, 0, after)
    newer = brought(FILE, **more, known="overwrite")
    lead = Lead.objects.get(contact=bo)
    assert (newer.made, newer.updated, lead.stage.meaning, str(lead.expected_value)) == (
        0,
        1,
        "lead",
        "300.50",
    )
    assert brought(FILE, **more, known="overwrite").updated == 0
    undone(newer)
    assert everything() == after
    run = undone(run)
    assert (everything(), run.kept) == (before, 0)
    assert not Contact.objects.filter(email__startswith="new@").exists()


def test_the_planner_knows_the_tables_a_batch_makes_before_they_are_joined(db):
    """Unknown ones count as a few rows: each of a batch would be compared with each of another table."""
    hot = office.definition()
    office.person(agreed=False)
    with CaptureQueriesContext(connection) as asked:
        undone(brought(FILE, subject="crm.leads", definition=str(hot.pk)))
    statements = [" ".join(one["sql"].split()) for one in asked]
    made = set()
    for place, statement in enumerate(statements):
        if found := re.match(r"CREATE TEMP TABLE (\w+) ON COMMIT DROP AS", statement):
            later = [one for one in statements[place + 1 :] if re.search(rf"\b{found[1]}\b", one)]
            known = next(n for n, one in enumerate(later) if one.startswith(("ANALYZE", "DROP")))
            assert not any(" JOIN " in one or " USING " in one for one in later[:known]), statement
            made.add(found[1])
    assert made >= {"import_batch", "import_changes", "import_handles", "import_copies", "leads_told"}


def test_what_a_cell_means_is_its_columns_alone_and_what_is_wrong_is_wrong_in_every_row(db):
    for key, kind in (("score", "number"), ("house", "text")):
        OwnField.objects.create(key=key, label=key.title(), type=kind)
    hot = office.definition()
    headings = ["Email", "Lead Status", "Deal value", "Score", "House"]
    good = [[f"p{n}@shop-customers.example", "Qualified", "7", "7", "7"] for n in range(3)]
    bad = [[f"q{n}@shop-customers.example", "Somewhere", "much", "7", "7"] for n in range(3)]
    run = brought(sheet(headings, *good, *bad), subject="crm.leads", definition=str(hot.pk))
    assert (run.made, run.refused) == (3, 3)
    leads = Lead.objects.values_list("contact__fields", "expected_value", "stage__name")
    assert list(leads) == [({"score": 7, "house": "7"}, 7, "ready for sales")] * 3
    reasons = set(run.rows.filter(verdict="refused").values_list("reason", flat=True))
    assert len(reasons) == 1 and "Stage “Somewhere” is none of this definition" in reasons.pop()


def test_a_lead_is_of_whoever_has_the_address_when_it_comes_in(db):
    hot = office.definition()
    run = checked(FILE, subject="crm.leads", definition=str(hot.pk))
    signed_up = office.person("new@shop-customers.example", agreed=False)
    acts.begin(run, NOW)
    run = at_work(run)
    assert Lead.objects.get(contact__email="new@shop-customers.example").contact == signed_up
    assert undone(run).kept == 0 and everything() == []
    assert Contact.objects.filter(pk=signed_up.pk).exists()


def test_whom_sales_moved_since_stays_with_their_lead(db):
    hot = office.definition()
    run = brought(FILE, subject="crm.leads", definition=str(hot.pk))
    lead = Lead.objects.get(contact__email="new@shop-customers.example")
    stages.move(lead, hot.stages.get(meaning="lead"), NOW, "ada")
    run = undone(run)
    assert [mail for mail, *_ in everything()] == ["new@shop-customers.example"]
    assert run.kept == 1


def test_real_leads_come_in_with_their_stages_and_call_notes_are_no_tags(db):
    usual = definitions.new_definition("Usual", NOW, "ada")
    usual.versions.update(is_lead=office.bought(), published_at=NOW)
    more = {"subject": "crm.leads", "definition": str(usual.pk)}
    packed = shared("leads/marketstar_b2b_leads.csv.gz").read_bytes()
    run = brought(b"".join(gzip.decompress(packed).splitlines(keepends=True)[:501]), **more)
    assert (run.made, run.refused) == (500, 0)
    assert set(Lead.objects.values_list("stage__name", flat=True)) >= {"Given up", "Lead"}
    lines = shared("leads/x_education_leads.csv").read_bytes().splitlines(keepends=True)[:201]
    run = brought(b"".join(lines), **more, blanks="Select")
    assert (run.made, run.refused) == (200, 0)
    assert set(run.mapping.values()) == {"", "external_id", "source", "country"}
