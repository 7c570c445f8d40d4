"""Whatever names people is in the registry: exported whole, erased whole."""

import json
import zipfile
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, models

from campaigns.models import (
    Decision,
    Delivery,
    DeliveryAttempt,
    Due,
    Enrolment,
    Survey,
    SurveyAnswer,
    SurveyChoice,
)
from crm.kernel import clock, tokens
from crm.kernel.keeping import in_order, keeping
from crm.models import (
    Contact,
    DataRequest,
    Export,
    Import,
    ImportRow,
    Notice,
    Order,
    OwnField,
    SavedView,
    Suppression,
)
from crm.people import changes, consent, desk, erasing, exporting, identity, pausing, requests
from crm.shop.intake import LineIn, OrderIn, record_orders
from tests.office import NOW, user
from tracking.models import Event, InboundEvent, Visitor, VisitorEvent

pytestmark = pytest.mark.django_db

# Columns that name a person, wherever they stand.
NAMING = {"contact_id", "visitor_id", "address_hash", "email_hash", "phone_hash", "address", "ip_truncated"}
OF_COLLEAGUES = {"campaigns.Sender", "auth.User"}
OF_NOBODY = {"crm.Erasure"}  # keyed hashes, kept on purpose


def names_people(model):
    for field in model._meta.concrete_fields:
        if field.related_model is Contact or field.attname in NAMING:
            return True
    return False


@pytest.mark.parametrize(
    "model", [m for m in apps.get_models() if names_people(m)], ids=lambda model: model._meta.label
)
def test_a_table_that_names_people_is_exported_and_erased(model):
    label = model._meta.label
    registered = {kept.model._meta.label for kept in keeping}
    assert label in registered | OF_COLLEAGUES | OF_NOBODY, (
        f"{label} names people: register it in a module called keeping, so that it is exported and erased"
    )


MARKS = {
    "name": "Zephyrine",
    "surname": "Quillfeather",
    "mail": "zephyrine.q@shop-customers.example",
    "searched": "zephyrine.q%40shop-customers.example",
    "phone": "+4915155512377",
    "outside": "cust-qz-5512",
    "order": "ord-qz-88177",
    "note": "Marknote7",
    "call": "Markcall7",
    "task": "Marktask7",
    "why": "Markwhy7",
    "field": "Markfield7",
    "tag": "marktag7",
    "url": "markurl7",
    "query": "markquery7",
    "line": "markline7",
    "answer": "markanswer7",
    "evidence": "markevidence7",
    "raw": "markraw7",
    "row": "markrow7",
    "log": "marklog7",
    "ip": "203.0.113.0",
    "agent": "markagent7",
    "notice": "marknotice7",
    "response": "markresponse7",
    "visitor": "markvisitor7",
    "asked": "markasked7",
    "proof": "markproof7",
    "noted": "marknoted7",
}


@pytest.fixture(autouse=True)
def erased_list(settings, tmp_path):
    settings.REKINDLE_ERASED = tmp_path / "erased.jsonl"


@pytest.fixture
def zephyrine(world):
    """Somebody with a mark of theirs in everything that is kept."""
    marks, staff = MARKS, user("sara")
    known = identity.Known(
        email=marks["mail"],
        phone=marks["phone"],
        external_id=marks["outside"],
        source="shop",
        first_name=marks["name"],
        last_name=marks["surname"],
    )
    pk = identity.resolve([known], NOW, source="shop")[0]
    digest = tokens.address_hash("email", marks["mail"])[0]
    said = consent.Said(
        digest,
        "email",
        "newsletter",
        "granted",
        NOW,
        "form",
        wording="Yes.",
        ip="203.0.113.77",
        user_agent=marks["agent"],
        source_ref="form 7",
    )
    consent.record([said], NOW)
    OwnField.objects.get_or_create(key="hobby", defaults={"label": "Hobby"})
    told = {"fields": {"hobby": marks["field"]}, "tags": [marks["tag"]]}
    changes.change([pk], lambda _: told, NOW, actor="sara")
    searched = {"table": "crm.contact", "query": f"q={marks['searched']}", "made_by": staff}
    SavedView.objects.create(name="Their name here", **searched)
    Export.objects.create(title="Contacts", told=f"search: {marks['mail']}", made_by_name="sara", **searched)
    desk.write_note(pk, marks["note"], NOW, by="sara")
    desk.write_note(pk, marks["call"], NOW, by="sara", kind="call")
    desk.make_task(pk, marks["task"], staff, NOW, due_at=NOW)
    pausing.pause(pk, NOW.replace(year=2027), NOW, by="sara", why=marks["why"])
    record_orders(
        [
            OrderIn(
                external_id=marks["order"],
                placed_at=NOW,
                total="59.90",
                contact_id=pk,
                number=marks["order"],
                currency="EUR",
                lines=(LineIn(name=marks["line"], unit_price="59.90"),),
            )
        ],
        NOW,
        source="shop",
    )
    asked = requests.record(
        "crm.access", pk, NOW, user=staff, received_at=NOW, way="letter", words=marks["asked"]
    )
    requests.prove(asked.pk, marks["proof"], NOW, by="paula")
    requests.note(asked.pk, marks["noted"], NOW, by="paula")
    visitor = Visitor.objects.create(
        id=pk, contact_id=pk, user_agent=marks["agent"], first_seen_at=NOW, last_seen_at=NOW
    )
    VisitorEvent.objects.create(id=pk, visitor=visitor, kind="page", url=marks["visitor"], occurred_at=NOW)
    Event.objects.create(
        contact_id=pk,
        visitor_id=visitor.pk,
        kind="search",
        url=f"https://shop.example/{marks['url']}",
        props={"query": marks["query"]},
        occurred_at=NOW,
        recorded_at=NOW,
    )
    body = {"customer": {"email": marks["mail"].upper(), "note": marks["raw"]}}
    InboundEvent.objects.create(source="shopify", body=body, received_at=NOW)
    run = Import.objects.create(subject="crm.contacts", name="people.csv", made_by=staff, is_read=True)
    told = {"email": marks["mail"], "x": marks["row"]}
    ImportRow.objects.create(run=run, number=1, told=told, object_id=pk)
    ImportRow.objects.create(run=run, number=2, cells=[marks["mail"], marks["row"]], verdict="refused")
    ImportRow.objects.create(run=run, number=3, told={"email": "else@shop.example"})
    LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(Contact),
        object_id=str(pk),
        object_repr=f"{marks['name']} {marks['log']}",
        action_flag=CHANGE,
        action_time=NOW,
    )
    Notice.objects.create(key="n7", user=staff, contact_id=pk, subject=marks["notice"], created_at=NOW)
    old = Delivery.objects.filter(contact_id=world.contact.pk).first()
    delivery = Delivery.objects.create(
        dedupe_key="z7",
        contact_id=pk,
        address_hash=digest,
        purpose=old.purpose,
        sender=old.sender,
        campaign=old.campaign,
        context=b"marked",
        cart_token="carttoken7",
        due_at=NOW,
        not_before=NOW,
        created_at=NOW,
    )
    DeliveryAttempt.objects.create(
        delivery=delivery, lease_token=987654, fenced_at=NOW, response=f"{marks['response']} {marks['mail']}"
    )
    Decision.objects.create(
        contact_id=pk, verdict="skipped", words="Late", evidence={"x": marks["evidence"]}, decided_at=NOW
    )
    version = world.campaign.current or world.campaign.versions.first()
    run = Enrolment.objects.create(
        contact_id=pk, campaign=world.campaign, version=version, entry="z", qualified_at=NOW, entered_at=NOW
    )
    Due.objects.create(enrolment_id=run.pk, contact_id=pk, campaign=world.campaign, due_at=NOW)
    survey = Survey.objects.create(slug="q7", question="Why?")
    choice = SurveyChoice.objects.create(survey=survey, label="Price")
    SurveyAnswer.objects.create(
        contact_id=pk,
        survey=survey,
        choice=choice,
        delivery_id=delivery.pk,
        question="Why?",
        label="Price",
        words=marks["answer"],
        occurred_at=NOW,
    )
    return Contact.objects.get(pk=pk)


def tables_with(text):
    """Every table of the database in which a text stands somewhere, in any case."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" AS t WHERE strpos(lower(t::text), lower(%s)) > 0',
                [text],
            )
            if cursor.fetchone()[0]:
                found.append(table)
    return found


@pytest.mark.proof
def test_nothing_of_them_is_left_anywhere_and_they_are_never_written_to_again(zephyrine):
    pk, digest = zephyrine.pk, tokens.address_hash("email", MARKS["mail"])[0]
    before = {mark: tables_with(text) for mark, text in MARKS.items()}
    assert all(before.values()), "a mark that stands nowhere proves nothing"
    money = Order.objects.aggregate(models.Sum("total"))
    sent = Delivery.objects.count()

    request = erasing.erase(pk, NOW, by="paula", reference="Letter of 3 November")

    assert {mark: tables for mark, text in MARKS.items() if (tables := tables_with(text))} == {}
    assert consent.verify_chain(digest) == []
    # What stays are numbers of nobody: results and takings are as before.
    assert Order.objects.aggregate(models.Sum("total")) == money
    assert Delivery.objects.count() == sent
    assert SurveyAnswer.objects.filter(contact=pk).count() == 1
    assert not Due.objects.filter(contact_id=pk).exists()
    assert Enrolment.objects.get(contact=pk).left_reason == "erased"
    # Somebody else's row of the same file is untouched, and so is the log of who did something when.
    assert ImportRow.objects.get(number=3).told and LogEntry.objects.exists()
    assert request.done_by == "paula" and request.counts["Notes and calls"] == 2
    with pytest.raises(erasing.CannotErase):
        erasing.erase(pk, NOW, by="paula")

    # They may come back as a customer, with another id; no gate opens for them, whoever says so.
    known = identity.Known(email=MARKS["mail"], external_id=MARKS["outside"], source="shop")
    back = identity.resolve([known], NOW, source="shop")[0]
    assert back != pk
    said = consent.Said(digest, "email", "newsletter", "confirmed", NOW, "form", wording="Yes.")
    consent.record([said], NOW)
    for purpose in ("newsletter", "cart_recovery", "transactional"):
        assert consent.may_send(digest, "email", purpose) == (False, Suppression.Reason.ERASED)


def test_the_export_holds_every_mark_and_says_that_it_was_made(zephyrine):
    file = zipfile.ZipFile(exporting.export(zephyrine.pk, NOW, by="paula"))
    text, page = file.read("person.json").decode(), file.read("person.html").decode()
    kept = json.loads(text)
    assert set(kept) == {"exported_at", "shop"} | {one.key for one in in_order()}
    # What colleagues were logged doing is theirs; the browser's words of before are in it.
    missing = [mark for mark, told in MARKS.items() if told.lower() not in text.lower()]
    assert missing == []
    assert kept["crm.orders"][0]["total"] == "59.90" and kept["crm.notes"][0]["author"] == "sara"
    assert "<script" not in page and MARKS["note"] in page
    request = DataRequest.objects.get()
    assert (request.kind, request.done_by) == ("export", "paula") and request.counts["Orders"] == 1


def test_what_they_wrote_is_no_markup_in_the_page_of_an_export(zephyrine):
    desk.write_note(zephyrine.pk, "<script>alert(1)</script>", NOW, by="sara")
    page = zipfile.ZipFile(exporting.export(zephyrine.pk, NOW, by="paula")).read("person.html").decode()
    assert "<script" not in page and "&lt;script&gt;" in page


def test_a_message_being_made_while_they_are_erased_leaves_nothing_behind(zephyrine):
    erasing.erase(zephyrine.pk, NOW, by="paula")
    Delivery.objects.filter(contact_id=zephyrine.pk).update(context=b"made at that moment")
    assert erasing.late(NOW) == [zephyrine.pk] and erasing.again(zephyrine.pk, NOW)
    assert not Delivery.objects.filter(contact_id=zephyrine.pk, context__isnull=False).exists()


def test_whom_a_backup_brings_back_is_erased_again_and_nobody_else(
    zephyrine, django_capture_on_commit_callbacks
):
    mail = MARKS["mail"]
    with django_capture_on_commit_callbacks(execute=True):
        erasing.erase(zephyrine.pk, NOW, by="paula")
    before = identity.Known(email=mail, first_name=MARKS["name"])
    back = identity.resolve([before], NOW - timedelta(days=30), source="shop")[0]
    with clock.frozen(NOW):
        call_command("erased")
    assert tables_with(MARKS["name"]) == [] and Contact.objects.get(pk=back).erased_at
    # Somebody who came after they were erased has come of themselves.
    since = identity.resolve([before], NOW + timedelta(days=1), source="shop")[0]
    with clock.frozen(NOW + timedelta(days=2)):
        call_command("erased")
    assert Contact.objects.get(pk=since).first_name == MARKS["name"]
