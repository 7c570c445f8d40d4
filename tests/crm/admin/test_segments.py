"""Segments in the back office: kept up in words, marked when broken, copied, listed by hand, not lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from crm.audience import lists, segmentation
from crm.kernel import clock
from crm.models import Segment, SegmentSize
from tests import office

LIST = "admin:crm_segment_changelist"
ADD = "admin:crm_segment_add"
DANES = {"all": [{"kind": "crm.country", "params": {"countries": "DK"}}]}


@pytest.fixture
def people(db):
    office.set_up_shop()
    before = clock.now() - timedelta(days=30)
    names = (("Ana", "PT"), ("Bo", "DK"), ("Cy", "DK"))
    return [
        office.person(f"{name.lower()}@shop-customers.example", first_name=name, country=country, now=before)
        for name, country in names
    ]


@pytest.fixture
def danes(people):
    segment = Segment.objects.create(name="Danes", rule=DANES, created_at=clock.now() - timedelta(days=9))
    segmentation.refresh(segment, clock.now() - timedelta(minutes=12))
    return segment


@pytest.fixture
def fixed(people):
    return Segment.objects.create(name="VIPs", kind=Segment.Kind.FIXED, created_at=clock.now())


def page(segment, act="change"):
    return reverse(f"admin:crm_segment_{act}", args=[segment.pk])


def words(answer):
    return " ".join(answer.content.decode().split())


def form(**changes):
    rule = {"rule-op": "all", "rule-count": "1", "rule-0-kind": "crm.country", "rule-0-with-countries": "DK"}
    return {"name": "Danes", "every": "1h"} | rule | changes


def test_the_list_tells_size_words_age_cost_and_the_next_refresh(danes, ada):
    shown = words(ada.get(reverse(LIST)))
    assert "People who live in Denmark." in shown
    assert "12 minutes ago" in shown and "from now" in shown and "every hour" in shown
    assert " s</td>" in shown


def test_a_broken_segment_is_marked_and_its_page_says_what_to_mend(danes, ada):
    danes.rule = {"all": [{"kind": "crm.vanished", "params": {}}]}
    danes.save()
    segmentation.refresh(danes, clock.now())
    assert "broken, closed" in words(ada.get(reverse(LIST)))
    shown = words(ada.get(page(danes)))
    assert "Broken, so it is closed:" in shown
    assert "there is no condition called &#x27;crm.vanished&#x27;" in shown
    assert danes.memberships.filter(left_at=None).count() == 2, "nobody was put out"


def test_a_segment_is_made_with_a_schedule_in_words_and_is_due_at_once(people, ada):
    posted = form(every="workdays", at="06:30")
    assert ada.post(reverse(ADD), posted).status_code == 302
    made = Segment.objects.get()
    assert made.due_at is None
    assert (made.crontab.minute, made.crontab.hour, made.crontab.day_of_week) == ("30", "6", "1-5")
    assert str(made.crontab.timezone) == "Europe/Amsterdam"
    shown = ada.get(page(made)).content.decode()
    assert 'value="06:30"' in shown and '<option value="workdays" selected>' in shown


def test_another_schedule_moves_the_next_refresh_and_the_same_one_does_not(danes, ada):
    danes.refresh_from_db()
    due = danes.due_at
    ada.post(page(danes), form(every="1h", name="Renamed"))
    danes.refresh_from_db()
    assert danes.interval is not None and danes.name == "Renamed"
    ada.post(page(danes), form(every="5m"))
    danes.refresh_from_db()
    assert danes.interval.every == 5
    assert danes.due_at < due
    due = danes.due_at
    ada.post(page(danes), form(every="5m", description="x"))
    danes.refresh_from_db()
    assert danes.due_at == due


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"every": "day", "at": ""}, "at"),
        ({"every": "day", "at": "25:00"}, "at"),
        ({"every": "own", "crontab_typed": "61 * * * *"}, "crontab_typed"),
        ({"every": "own", "crontab_typed": ""}, "crontab_typed"),
        ({"every": "sometimes"}, "every"),
        ({"every": "week", "at": "06:00", "weekday": "9"}, "weekday"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_beside_its_field(people, ada, changes, field):
    answer = ada.post(reverse(ADD), form(**changes))
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]


def test_a_changed_rule_is_due_at_once(danes, ada):
    ada.post(page(danes), form(**{"rule-0-with-countries": "PT"}))
    danes.refresh_from_db()
    assert danes.due_at is None


def test_refresh_now_asks_everybody_and_tells(danes, ada):
    office.person("di@shop-customers.example", country="DK", now=clock.now() - timedelta(days=1))
    answer = ada.post(page(danes, "refresh"), follow=True)
    assert "Refreshed: 1 came or went, 3 are in it now." in words(answer)
    danes.rule = {"all": [{"kind": "crm.vanished"}]}
    danes.save()
    assert "could not be refreshed" in words(ada.post(page(danes, "refresh"), follow=True))


def test_the_page_shows_the_size_over_time_as_picture_and_table_and_who_came_and_went(danes, ada):
    SegmentSize.objects.create(
        segment=danes, at=clock.now() - timedelta(days=3), size=7, entered=5, left=1, seconds=0.1
    )
    shown = words(ada.get(page(danes)))
    assert 'data-type="line"' in shown and "&quot;data&quot;: [7, 7, 7, 2]" in shown
    assert '<td class="rk-num">7</td><td class="rk-num">5</td><td class="rk-num">1</td>' in shown
    assert shown.count("came · <a") == 2


def test_a_page_costs_the_same_however_many_days_and_people_there_are(
    danes, ada, django_assert_max_num_queries
):
    for day in range(60):
        SegmentSize.objects.create(segment=danes, at=clock.now() - timedelta(days=day, hours=1), size=day)
    with django_assert_max_num_queries(45):
        ada.get(page(danes))


def test_a_copy_has_the_rule_and_the_schedule_and_a_name_of_its_own(danes, ada):
    for name in ("Danes (copy)", "Danes (copy 2)"):
        ada.post(page(danes, "duplicate"))
        assert Segment.objects.get(name=name).rule == DANES


def test_a_copy_of_a_list_has_its_people(fixed, people, ada):
    lists.add(fixed, [contact.pk for contact in people], clock.now())
    ada.post(page(fixed, "duplicate"))
    copy = Segment.objects.get(name="VIPs (copy)")
    assert (copy.kind, copy.size) == ("fixed", 3)


def test_what_others_name_is_not_deleted_and_the_page_lists_them(danes, ada):
    rule = {"all": [{"kind": "crm.in_segment", "params": {"segment": str(danes.pk)}}]}
    other = Segment.objects.create(name="Danish friends", rule=rule, created_at=clock.now())
    assert "Danish friends" in words(ada.get(page(danes)))
    answer = ada.post(page(danes, "delete"), {"post": "yes"}, follow=True)
    assert "cannot be deleted while others name it: segment “Danish friends”" in words(answer)
    chosen = {"action": "delete_selected", "_selected_action": [str(danes.pk)], "post": "yes"}
    ada.post(reverse(LIST), chosen)
    assert Segment.objects.filter(pk=danes.pk).exists()
    ada.post(page(other, "delete"), {"post": "yes"})
    ada.post(page(danes, "delete"), {"post": "yes"})
    assert not Segment.objects.exists()


def test_a_fixed_list_is_made_without_a_rule_and_filled_by_pasting(people, ada):
    ada.post(f"{reverse(ADD)}?kind=fixed", {"name": "VIPs"})
    made = Segment.objects.get()
    assert made.kind == "fixed"
    pasted = "ana@shop-customers.example\nBO@shop-customers.example, nobody@x.example"
    answer = ada.post(page(made, "people"), {"do": "add", "addresses": pasted}, follow=True)
    told = words(answer)
    assert "2 people added." in told
    assert "1 person not found among the contacts: nobody@x.example" in told
    answer = ada.post(page(made, "people"), {"do": "remove", "contact": str(people[0].pk)}, follow=True)
    assert "1 person taken off." in words(answer)
    made.refresh_from_db()
    assert made.size == 1
    assert "Nobody was named" in words(ada.post(page(made, "people"), {"do": "add"}, follow=True))


def test_nobody_is_put_on_a_segment_with_a_rule(danes, ada):
    answer = ada.post(
        page(danes, "people"), {"do": "add", "addresses": "ana@shop-customers.example"}, follow=True
    )
    assert "kept up by its rule" in words(answer)


def test_people_are_put_on_a_list_from_the_list_of_contacts(fixed, people, ada):
    contacts = reverse("admin:crm_contact_changelist")
    chosen = {"action": "add_to_list", "_selected_action": [str(people[0].pk), str(people[1].pk)]}
    asked = words(ada.post(contacts, chosen))
    assert "2 people are chosen." in asked and "VIPs (0)" in asked
    told = words(ada.post(contacts, chosen | {"list": str(fixed.pk)}, follow=True))
    assert "2 of 2 people are new on “VIPs”." in told
    shown = words(ada.get(f"{contacts}?in_segment={fixed.pk}"))
    assert "Ana" in shown and "cy@shop-customers.example" not in shown


@pytest.mark.parametrize("asked", ["x", "'; DROP TABLE", "019aa0f2-0000-7000-8000-000000000000"])
def test_a_segment_that_is_none_filters_to_nobody(people, ada, asked):
    answer = ada.get(reverse("admin:crm_contact_changelist"), {"in_segment": asked})
    assert "ana@shop-customers.example" not in words(answer)


def test_who_may_only_look_changes_nothing(danes, fixed, people, vera):
    for act in ("refresh", "duplicate", "people"):
        assert vera.post(page(danes, act), {"do": "add", "addresses": "x"}).status_code == 403
    shown = words(vera.get(page(danes)))
    assert "Refresh now" not in shown and "every hour" in shown
    chosen = {"action": "add_to_list", "_selected_action": [str(people[0].pk)], "list": str(fixed.pk)}
    vera.post(reverse("admin:crm_contact_changelist"), chosen)
    assert fixed.memberships.count() == 0


def test_who_may_not_see_people_sees_none_on_the_page(danes, db):
    sam = office.logged_in(office.user("sam", "crm.view_segment", "crm.change_segment"))
    shown = words(sam.get(page(danes)))
    assert "People who live in Denmark." in shown
    assert "Bo Oliveira" not in shown and "Who came and went" not in shown
    assert sam.post(page(danes, "people"), {"do": "add", "addresses": "x"}).status_code == 403
