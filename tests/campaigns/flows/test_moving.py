"""A running flow whose steps change: what it means for each person inside, said before it is done."""

from datetime import timedelta

import pytest

from campaigns.flows import launching
from campaigns.models import Delivery, Due, Enrolment, Step
from tests.campaigns.flows.stage import AT, DELAY, MINUTE, SEND, WAIT, advance, flow, leave_cart, run, shopper
from tests.campaigns.flows.test_launching import _sound, shop  # noqa: F401 - a shop that may launch
from tests.campaigns.flows.test_ways import branch, cart_of

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DAYS = {"kind": "campaigns.wait", "params": {"length": "3", "unit": "days"}}


def waiting(*steps, people=1, total=40):
    """A flow with people at its first wait."""
    campaign = flow(*steps, expires_after=None)
    for number in range(1, people + 1):
        leave_cart(shopper(campaign, number), AT - DELAY, total=total)
    run(AT)
    return campaign


def changed(campaign, *, move=True, now=AT, **by_key):
    """A new version in which these steps have other fields (nothing: they are gone), put into use."""
    draft = launching.editable_version(campaign, now)
    for key, fields in by_key.items():
        row = draft.steps.filter(key=key.replace("_", "-"))
        row.update(**fields) if fields else row.delete()
    _sound(campaign)
    said = launching.consequences(campaign)
    launching.publish(campaign, "ana", now, move_people=move)
    return said


def sent():
    return list(Delivery.objects.order_by("pk").values_list("step_key", flat=True))


def length(number, unit="days"):
    return {"params": {"length": str(number), "unit": unit}}


def test_a_wait_that_is_shorter_by_now_ends_when_it_would_have_ended():
    campaign = waiting(DAYS, SEND)
    changed(campaign, now=AT + 12 * HOUR, step_1=length(1))
    advance(AT + 12 * HOUR)
    assert Due.objects.get().due_at == AT + DAY
    advance(AT + DAY)
    assert sent() == ["step-2"]


def test_who_has_waited_longer_than_the_new_wait_goes_on_at_once():
    campaign = waiting(DAYS, SEND)
    changed(campaign, now=AT + 2 * DAY, step_1=length(1))
    advance(AT + 2 * DAY)
    assert sent() == ["step-2"]


def test_a_wait_that_is_longer_by_now_is_waited_to_its_end():
    campaign = waiting(DAYS, SEND)
    changed(campaign, now=AT + 2 * DAY, step_1=length(5))
    advance(AT + 3 * DAY)
    assert sent() == []
    advance(AT + 5 * DAY)
    assert sent() == ["step-2"]


def test_who_is_not_moved_waits_as_long_as_their_version_says():
    campaign = waiting(DAYS, SEND)
    changed(campaign, move=False, now=AT + 2 * DAY, step_1=length(1))
    advance(AT + 2 * DAY)
    assert sent() == []
    advance(AT + 3 * DAY)
    assert sent() == ["step-2"]


def test_whose_step_is_gone_goes_on_to_the_next_and_waits_there_from_now_on():
    campaign = waiting(DAYS, WAIT, SEND)
    said = changed(campaign, now=AT + 2 * DAY, step_1=None)
    assert [(one.step.key, one.how, one.to.key, one.people) for one in said] == [
        ("step-1", "on", "step-2", 1)
    ]
    advance(AT + 2 * DAY)
    assert Due.objects.get().due_at == AT + 3 * DAY
    advance(AT + 3 * DAY)
    assert sent() == ["step-3"]


def test_where_nothing_is_left_to_come_they_are_through():
    campaign = waiting(SEND, DAYS, SEND)
    said = changed(campaign, now=AT + HOUR, step_2=None, step_3=None)
    assert [(one.how, one.to) for one in said] == [("on", None)]
    advance(AT + HOUR)
    assert Enrolment.objects.get().state == "finished"
    assert sent() == ["step-1"]
    assert not Due.objects.exists()


def test_a_step_put_in_behind_people_is_not_for_them_and_one_ahead_of_them_is():
    campaign = waiting(SEND, DAYS, SEND)
    draft = launching.editable_version(campaign, AT)
    for position, key in ((0, "new-early"), (9, "new-late")):
        send = {"kind": SEND["kind"], "template": _a_template()}
        Step.objects.create(version=draft, key=key, position=position, **send)
    _sound(campaign)
    said = launching.consequences(campaign)
    assert [(one.how, one.to.key) for one in said] == [("stay", "step-2")]
    launching.publish(campaign, "ana", AT, move_people=True)
    advance(AT + 3 * DAY)
    assert sorted(sent()) == ["new-late", "step-1", "step-3"]


def test_a_step_that_was_passed_and_is_ahead_again_is_sent_once():
    campaign = waiting(SEND, DAYS, SEND)
    changed(campaign, step_1={"position": 7})
    advance(AT + 3 * DAY)
    assert sorted(sent()) == ["step-1", "step-3"]


def test_who_is_on_a_path_that_is_gone_goes_on_where_the_paths_come_together():
    campaign = waiting(
        branch((cart_of(30), "Big"), otherwise="Small"),
        {**DAYS, "path": "Big"},
        {**SEND, "path": "Big"},
        {**SEND, "path": "Small"},
        SEND,
    )
    other = branch((cart_of(30), "Large"), otherwise="Small")["params"]
    said = changed(
        campaign, now=AT + DAY, step_1={"params": other}, step_2={"path": "Large"}, step_3={"path": "Large"}
    )
    assert [(one.path, one.how, one.to.key) for one in said] == [("Big", "on", "step-5")]
    advance(AT + DAY)
    assert sent() == ["step-5"]
    assert Enrolment.objects.get().state == "finished"


def test_steps_of_another_path_are_never_taken_for_the_next():
    campaign = waiting(
        branch((cart_of(30), "Big"), otherwise="Small"),
        {**DAYS, "path": "Big"},
        {**SEND, "path": "Small"},
        SEND,
    )
    changed(campaign, now=AT + DAY, step_2=None, step_3={"position": 8})
    advance(AT + DAY)
    assert sent() == ["step-4"]


def test_the_consequences_are_counted_place_by_place_and_nothing_is_said_without_changes():
    campaign = waiting(SEND, DAYS, SEND, people=3)
    assert launching.consequences(campaign) == []
    leave_cart(shopper(campaign, 9), AT + MINUTE)
    run(AT + MINUTE + DELAY)
    draft = launching.editable_version(campaign, AT)
    assert [(one.people, one.how) for one in launching.consequences(campaign)] == [(4, "stay")]
    draft.steps.filter(key="step-2").update(**length(1))
    assert [(one.people, one.how) for one in launching.consequences(campaign)] == [(4, "again")]


def test_people_of_two_old_versions_are_all_moved():
    campaign = waiting(DAYS, SEND)
    changed(campaign, move=False, step_1=length(2))
    leave_cart(shopper(campaign, 2), AT)
    run(AT + DELAY)
    assert Enrolment.objects.values("version").distinct().count() == 2
    changed(campaign, now=AT + DAY, step_1=length(1))
    assert set(Enrolment.objects.values_list("version", flat=True)) == {campaign.current_id}
    advance(AT + DAY + DELAY)
    assert sent() == ["step-2", "step-2"]


def _a_template():
    return Step.objects.filter(template__isnull=False)[0].template
