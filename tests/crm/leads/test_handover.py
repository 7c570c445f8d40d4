"""Who is told of a lead that is ready, how often, and with what."""

import pytest
from django.contrib.auth.models import User

from crm.audience.leads import handover, qualifying
from crm.models import Contact, Lead, Notice, Task
from crm.people.stirring import stir
from tests.crm.leads.conftest import MINUTE, NOW, people, refresh, tag

READY = ("interested", "asked", "reader")


@pytest.fixture
def paul(db):
    return User.objects.create_user("paul", "paul@office.example", is_staff=True)


def test_the_contacts_owner_comes_before_the_definitions(cast, definition, paul):
    Contact.objects.filter(first_name="Ana").update(owner=paul)
    tag(cast["Ana"], *READY)
    Contact.objects.filter(first_name="Ana").update(owner=paul)
    refresh(definition)
    assert (Task.objects.get().owner, Notice.objects.get().user, Lead.objects.get().owner) == (paul,) * 3


def test_an_owner_who_left_is_passed_over_and_nobody_means_the_superusers(cast, definition, olga, paul):
    root = User.objects.create_superuser("root", "root@office.example")
    User.objects.create_superuser("gone", "gone@office.example", is_active=False)
    User.objects.filter(pk__in=[olga.pk, paul.pk]).update(is_active=False)
    tag(cast["Ana"], *READY)
    Contact.objects.filter(first_name="Ana").update(owner=paul)
    refresh(definition)
    assert Task.objects.get().owner is None
    notice = Notice.objects.get()
    assert notice.user == root and "give it to somebody" in notice.body


def test_many_at_once_are_one_notice_and_a_task_each(definition, olga):
    many = people(*(f"Person{number}" for number in range(30)))
    Contact.objects.filter(pk__in=[contact.pk for contact in many]).update(tags=list(READY))
    stir([contact.pk for contact in many])
    refresh(definition)
    assert Task.objects.filter(owner=olga).count() == 30
    notice = Notice.objects.get()
    assert notice.subject.startswith("30 people are sales-ready") and "and 10 more" in notice.body


def test_a_refresh_that_dies_and_is_repeated_tells_once(cast, definition, monkeypatch):
    tag(cast["Ana"], *READY)

    def dies(*args):
        raise ConnectionError

    monkeypatch.setattr(handover, "hand_over", dies)
    with pytest.raises(ConnectionError):
        refresh(definition)
    assert not Lead.objects.exists() and not Task.objects.exists()
    monkeypatch.undo()
    for minute in range(3):
        qualifying.refresh(definition, NOW + minute * MINUTE, whole=True)
    assert (Task.objects.count(), Notice.objects.count(), Lead.objects.count()) == (1, 1, 1)
