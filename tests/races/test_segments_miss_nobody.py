"""A segment that is swept while others write misses nobody, however late they commit."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django import forms
from django.db import connection, transaction
from django.db.models import Q

from crm.audience import segmentation
from crm.kernel import rules
from crm.kernel.rules import Condition
from crm.models import Contact, Segment, SegmentMembership
from crm.people import stirring
from crm.people.identity import Known, resolve

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
RULE = {"all": [{"kind": "test.tagged", "params": {"tag": "vip"}}]}


class Tagged(Condition):
    """Carries a tag; time changes nothing of it."""

    key = "test.tagged"
    label = "Tagged"

    class Params(forms.Form):
        tag = forms.CharField()

    def q(self, params, at, scope):
        return Q(tags__contains=[params["tag"]])

    def sentence(self, params):
        return f"are tagged {params['tag']}"

    def drift(self, params, since, at, scope):
        return []


@pytest.fixture
def segment(transactional_db):
    resolve([Known(email=f"p{n}@example.com") for n in range(5)], NOW, source="shop")
    with rules.conditions.temporarily(Tagged):
        made = Segment.objects.create(name="VIP", rule=RULE)
        segmentation.refresh(made, NOW)
        yield made


def inside():
    return set(SegmentMembership.objects.filter(left_at=None).values_list("contact__email", flat=True))


def test_a_writer_that_commits_after_the_look_is_found_by_the_next(segment):
    written, looked = threading.Event(), threading.Event()

    def write():
        with transaction.atomic():
            person = Contact.objects.get(email="p1@example.com")
            Contact.objects.filter(pk=person.pk).update(tags=["vip"])
            stirring.stir([person.pk])
            written.set()
            assert looked.wait(60)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert written.wait(60)
    # A transaction of its own begins and ends meanwhile, so that the numbers run on.
    stirring.stir(Contact.objects.filter(email="p2@example.com").values_list("pk", flat=True))
    assert segmentation.sweep(segment, NOW + timedelta(minutes=1)) == 0
    looked.set()
    writer.join()
    assert segmentation.sweep(segment, NOW + timedelta(minutes=2)) == 1
    assert inside() == {"p1@example.com"}


def test_once_found_nobody_is_asked_again_for_nothing(segment):
    person = Contact.objects.get(email="p3@example.com")
    stirring.stir([person.pk])
    mark = stirring.mark()
    assert list(stirring.stirred_since(mark)) == []
    assert {"contact_id": person.pk} in stirring.stirred_since(segment.marked)


def test_numbers_of_another_server_do_not_ask_for_everybody_for_ever(segment):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_engagement SET stirred = 9000000000000")
    assert list(stirring.stirred_since(segment.marked)) == []
    Segment.objects.update(marked=9_000_000_000_000)
    assert segmentation.sweep(segment, NOW + timedelta(minutes=1)) is None


def test_two_refreshes_at_once_let_everybody_in_once(segment):
    Contact.objects.update(tags=["vip"])
    begin = threading.Barrier(2)

    def refresh():
        begin.wait()
        segmentation.refresh(Segment.objects.get(), NOW + timedelta(hours=1))
        connection.close()

    both = [threading.Thread(target=refresh) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert SegmentMembership.objects.filter(left_at=None).count() == 5
    assert Segment.objects.get().size == 5
