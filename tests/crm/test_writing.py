"""Many rows by one statement say the same as one by one."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import DataError, IntegrityError, transaction

from campaigns.models import Decision, Delivery
from crm.kernel import ids
from crm.models import Contact
from crm.models.writing import insert_rows
from tests.campaigns import mailing

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def campaign(db):
    return mailing.campaign()


def decisions(campaign, count, **changes):
    people = mailing.people(count, campaign.purpose)
    return [
        Decision(
            **{
                "contact": person,
                "campaign": campaign,
                "verdict": "queued",
                "words": f"For {person.first_name}: “ä”, \\ and 'quotes'",
                "evidence": {"number": number, "nested": [1, None, "x"]},
                "decided_at": AT,
            }
            | changes
        )
        for number, person in enumerate(people)
    ]


@pytest.mark.parametrize("count", [1, 2, 50])
def test_what_is_read_back_is_what_was_stored(campaign, count):
    rows = decisions(campaign, count)
    assert insert_rows(rows) == count
    stored = {row.pk: row for row in Decision.objects.all()}
    for row in rows:
        for field in Decision._meta.concrete_fields:
            assert getattr(stored[row.pk], field.attname) == getattr(row, field.attname), field.name


def test_messages_keep_their_bytes_blanks_and_what_the_database_fills_in(campaign):
    rows = [mailing.message(person, campaign) for person in mailing.people(3, campaign.purpose)]
    rows[1].variant, rows[2].products = "B", None
    assert insert_rows(rows) == 3
    stored = list(Delivery.objects.order_by("pk"))
    assert [bytes(row.address_hash) for row in stored] == [bytes(row.address_hash) for row in rows]
    assert [row.variant for row in stored] == ["", "B", ""]
    assert [row.public_id for row in stored] == [row.public_id for row in rows]
    assert {row.state for row in stored} == {"queued"}


def test_those_that_are_there_already_stay_as_they_are_and_are_not_counted(campaign):
    first, second = (mailing.message(person, campaign) for person in mailing.people(2, campaign.purpose))
    insert_rows([first])
    again = mailing.message(Contact.objects.get(pk=first.contact_id), campaign, public_id=uuid4(), priority=1)
    assert insert_rows([again, second], ignore_conflicts=True) == 1
    assert Delivery.objects.get(dedupe_key=first.dedupe_key).priority == first.priority
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows([again])


@pytest.mark.parametrize("count", [1, 2])
def test_a_text_that_is_too_long_is_refused_and_never_cut(campaign, count):
    rows = decisions(campaign, count)
    for row in rows:
        row.words = f"{row.pk}" * 20
    with pytest.raises(DataError), transaction.atomic():
        insert_rows(rows)


def test_lists_are_kept_as_they_are(campaign):
    rows = [mailing.message(person, campaign) for person in mailing.people(4, campaign.purpose)]
    for row, products in zip(rows, ([ids.uuid7(), ids.uuid7()], None, [], [ids.uuid7()]), strict=True):
        row.products = products
    assert insert_rows(rows) == 4
    stored = dict(Delivery.objects.values_list("public_id", "products"))
    assert stored == {row.public_id: row.products for row in rows}


def test_nothing_is_stored_of_nothing():
    assert insert_rows([]) == 0
