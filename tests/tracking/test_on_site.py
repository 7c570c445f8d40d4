"""The owner of a lead hears that they are on the site: once a visit, whatever is told late or twice."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from crm.kernel import panels
from crm.models import Absence, DeskSettings, Lead, Notice, Stage
from crm.people import engagement
from crm.ticking import run_tick
from tests import office
from tracking.models import Visit

NOW, MINUTE = office.NOW, timedelta(minutes=1)


@pytest.fixture
def lead(db):
    hot = office.definition()
    olga = office.user("olga", "crm.view_contact")
    return office.lead(office.person(), hot, stage=hot.stages.get(meaning="sales_ready"), owner=olga)


def visiting(lead, began, ended):
    """As visits are made anew from their acts: with another id where an earlier act came late."""
    Visit.objects.filter(contact=lead.contact, started_at__gte=began).delete()
    engagement.touch("last_seen_at", {lead.contact_id: ended})
    return Visit.objects.create(
        contact=lead.contact,
        started_at=began,
        ended_at=ended,
        recorded_at=ended,
        exit_url="https://shop.example/wool?q=1#x",
    )


def told(at):
    run_tick("tracking.on_site", at)
    return Notice.objects.count()


def test_the_owner_is_told_once_a_visit_and_again_of_the_next_one(lead):
    assert told(NOW) == 0
    visiting(lead, NOW, NOW)
    assert told(NOW + MINUTE) == 1
    notice = Notice.objects.get()
    assert (notice.user, notice.subject) == (lead.owner, "Ana Oliveira is on the site now")
    assert "last on /wool." in notice.body
    visiting(lead, NOW, NOW + 3 * MINUTE)
    assert told(NOW + 4 * MINUTE) == 1
    visiting(lead, NOW - MINUTE, NOW + 5 * MINUTE)
    assert told(NOW + 6 * MINUTE) == 1
    assert told(NOW + 30 * MINUTE) == 1
    visiting(lead, NOW + 60 * MINUTE, NOW + 60 * MINUTE)
    assert told(NOW + 61 * MINUTE) == 2


def test_nobody_is_told_of_who_is_gone_is_no_lead_of_sales_or_where_the_shop_does_not_want_it(lead):
    visiting(lead, NOW - 20 * MINUTE, NOW - 10 * MINUTE)
    assert told(NOW) == 0
    visiting(lead, NOW, NOW)
    nurture = Stage.objects.get(meaning="nurture")
    for changed in ({"stage": nurture}, {"owner": None}, {"ended_at": NOW}):
        Lead.objects.update(**changed)
        assert told(NOW) == 0, changed
        lead.save()
    DeskSettings.objects.update(tells_on_site=False)
    assert told(NOW) == 0
    DeskSettings.objects.update(tells_on_site=True)
    assert told(NOW) == 1


def test_a_stand_in_is_told_and_two_leads_of_one_person_are_one_notice(lead):
    paul = User.objects.create_user("paul")
    Absence.objects.create(user=lead.owner, stand_in=paul, from_day=NOW.date(), to_day=NOW.date())
    other = office.definition("Wholesale")
    office.lead(lead.contact, other, stage=other.stages.get(meaning="sales_ready"), owner=paul)
    visiting(lead, NOW, NOW)
    assert told(NOW) == 1 and Notice.objects.get().user == paul


def test_who_is_on_the_site_stands_in_the_day_of_who_looks_after_them(lead):
    visiting(lead, NOW, NOW)
    (card,) = panels.day_of(lead.owner, NOW)
    assert card["key"] == "tracking.on_site"
    assert [(one["contact"], one["did"]) for one in card["data"]["people"]] == [(lead.contact, "/wool")]
    assert panels.day_of(office.user("bo", "crm.view_contact"), NOW) == []
    assert panels.day_of(lead.owner, NOW + 6 * MINUTE) == []
