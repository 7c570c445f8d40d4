"""Who gets leads, who is away and when the desk is open, as they are set on their pages."""

from datetime import date, time

import pytest
from django.urls import reverse

from crm.models import Absence, AssignmentRule, DeskSettings
from tests import office

pytestmark = pytest.mark.django_db


def members(*users):
    rows = {"members-TOTAL_FORMS": len(users), "members-INITIAL_FORMS": 0}
    for place, user in enumerate(users):
        rows |= {f"members-{place}-user": user.pk, f"members-{place}-position": place}
    return rows


def test_a_rule_is_made_with_its_colleagues_and_way_of_choosing_and_read_back(ada):
    bo, gone = office.user("bo"), office.user("gone", is_active=False)
    form = {"name": "Everybody", "is_active": "on", "position": 10, "chooser": "crm.fewest_open"}
    url = reverse("admin:crm_assignmentrule_add")
    refused = ada.post(url, form | members(gone))
    assert refused.status_code == 200, "who does not work here any more cannot be chosen"
    assert ada.post(url, form | {"chooser": "crm.made_up"} | members(bo)).status_code == 200
    assert ada.post(url, form | members(bo)).status_code == 302
    rule = AssignmentRule.objects.get()
    assert [str(member) for member in rule.members.all()] == ["bo"] and rule.chooser == "crm.fewest_open"
    AssignmentRule.objects.create(name="Broken", rule={"all": [{"kind": "crm.gone", "params": {}}]})
    shown = ada.get(reverse("admin:crm_assignmentrule_changelist")).content.decode()
    for words in ("everybody", "bo: who has fewest leads", "cannot be read", "broken"):
        assert words in shown


def test_an_absence_ends_after_it_began_and_nobody_stands_in_for_themselves(ada):
    bo = office.user("bo")
    url = reverse("admin:crm_absence_add")
    days = {"from_day": "2026-12-24", "to_day": "2026-12-23"}
    assert "before the first day" in ada.post(url, {"user": bo.pk} | days).content.decode()
    days["to_day"] = "2026-12-31"
    own = ada.post(url, {"user": bo.pk, "stand_in": bo.pk} | days).content.decode()
    assert "stands in for themselves" in own and not Absence.objects.exists()
    assert ada.post(url, {"user": bo.pk} | days).status_code == 302
    assert Absence.objects.get().to_day == date(2026, 12, 31)


def test_desk_hours_are_set_with_days_that_are_days_and_hours_in_order(ada, vera):
    url = reverse("admin:crm_desksettings_change", args=[1])
    form = {
        "weekdays": ["1", "6"],
        "opens_at": "10:00",
        "closes_at": "09:00",
        "holidays": "2026-12-25\nChristmas",
        "answer_hours": 1,
        "touch_hours": 3,
    }
    shown = ada.post(url, form).content.decode()
    assert "later in the day than 10:00" in shown and "“Christmas” is no day" in shown
    right = form | {"closes_at": "18:30", "holidays": "2026-12-25\n2026-01-01"}
    assert vera.post(url, right).status_code == 403
    assert ada.post(url, right)["Location"] == url
    desk = DeskSettings.objects.get()
    assert (desk.weekdays, desk.closes_at, desk.tells_on_site) == ([1, 6], time(18, 30), False)
    assert desk.holidays == [date(2026, 1, 1), date(2026, 12, 25)]
    assert "2026-01-01\n2026-12-25" in ada.get(url).content.decode()
