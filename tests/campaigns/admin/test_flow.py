"""The flow in the back office: each step added, filled in, moved and taken out with plain form posts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from campaigns.admin import campaign_pages, picture
from campaigns.flows import editing, launching
from campaigns.flows.steps.wait import Wait
from campaigns.models import Campaign, Decision, Due, Enrolment, Offer, Step, Template
from crm.kernel import clock, ids
from tests import office
from tests.campaigns import mailing
from tests.campaigns.flows import forks

SEND = "campaigns.send_email"


@pytest.fixture
def campaign(db) -> Campaign:
    office.set_up_shop()
    office.sender()
    return office.draft(clock.now())


def url(campaign: Campaign) -> str:
    return reverse("admin:campaigns_campaign_change", args=[campaign.pk])


def look(client, campaign: Campaign, **asked: str) -> str:
    return " ".join(client.get(url(campaign), asked).content.decode().split())


def do(client, campaign: Campaign, verb: str, **more: object):
    address = reverse("admin:campaigns_campaign_flow", args=[campaign.pk])
    return client.post(address, {"do": verb} | more, follow=True)


def rows(campaign: Campaign) -> list[Step]:
    return editing.steps_of(launching.newest_version(campaign))


def step(campaign: Campaign, key: str) -> Step:
    return next(row for row in rows(campaign) if row.key == key)


def save(client, campaign: Campaign, key: str, **typed: object):
    """What a browser sends when a step is filled in and saved, from a page opened just before."""
    row = step(campaign, key)
    posted = {"key": key, "kind": row.kind, "seen": editing.mark(row)} | typed
    return do(client, campaign, "save", **posted)


def test_the_page_is_the_picture_with_what_is_missing_before_launch(campaign, ada):
    campaign.sender = None
    campaign.save()
    office.Sender.objects.update(is_default=False)
    shown = look(ada, campaign)
    assert "Who enters" in shown and "A cart was left: nothing done for 8 minutes" in shown
    assert "Send “Abandoned cart: the first reminder”" in shown
    assert "1 thing to do" in shown and "mend it" in shown
    assert "Out at any time: whoever buys." in shown


def test_a_plus_offers_every_kind_of_step_with_what_it_does(campaign, ada):
    shown = look(ada, campaign, add="1", after="first-message", path="")
    assert "Add a step after: Send “Abandoned cart" in shown
    assert "Nothing happens for a while; then everyone goes on." in shown


def test_a_step_is_added_there_and_opened(campaign, ada):
    answer = do(ada, campaign, "add", kind=Wait.key, after="", path="")
    assert [row.key for row in rows(campaign)] == ["wait-1", "first-message"]
    assert answer.redirect_chain[0][0].endswith("?step=wait-1#rk-panel")
    assert "Added: Wait 24 hours." in answer.content.decode()
    assert 'name="with-length" value="24"' in answer.content.decode()


def test_a_step_has_the_fields_of_its_kind_alone(campaign, ada):
    do(ada, campaign, "add", kind=Wait.key, after="", path="")
    waits, sends = look(ada, campaign, step="wait-1"), look(ada, campaign, step="first-message")
    assert 'name="with-length"' in waits and 'name="template"' not in waits
    assert 'name="template"' in sends and 'name="offer"' in sends and 'name="with-length"' not in sends
    assert "needs no new version" in sends


def test_what_is_filled_in_is_kept(campaign, ada):
    do(ada, campaign, "add", kind=Wait.key, after="", path="")
    answer = save(ada, campaign, "wait-1", **{"with-length": "2", "with-unit": "days"})
    assert "Saved: Wait 2 days." in answer.content.decode()
    assert step(campaign, "wait-1").params == {"length": "2", "unit": "days"}


def test_a_message_its_offer_and_how_late_is_too_late(campaign, ada):
    other, offer = mailing.template("Other"), office.offer()
    typed = {"template": other.pk, "offer": offer.pk, "expires_after_0": "1.5", "expires_after_1": "hours"}
    save(ada, campaign, "first-message", **typed)
    kept = step(campaign, "first-message")
    assert (kept.template, kept.offer, kept.expires_after) == (other, offer, timedelta(minutes=90))
    assert Offer.objects.count() == 1
    assert "Too late after 90 minutes." in look(ada, campaign)


def test_a_condition_of_a_step_is_built_like_any_rule(campaign, ada):
    rule = {"only_if-op": "all", "only_if-count": "1", "only_if-0-kind": "crm.ordered"}
    typed = {"template": Template.objects.get().pk, "only_if-0-with-times": "2"} | rule
    save(ada, campaign, "first-message", **typed)
    assert step(campaign, "first-message").only_if["all"][0]["kind"] == "crm.ordered"
    assert "Only people who bought" in look(ada, campaign)


def test_a_wrong_value_is_named_beside_its_field_and_nothing_typed_is_lost(campaign, ada):
    do(ada, campaign, "add", kind=Wait.key, after="", path="")
    shown = save(ada, campaign, "wait-1", **{"with-length": "0", "with-unit": "days"}).content.decode()
    assert "Not kept yet" in shown and "greater than or equal to 1" in shown
    assert 'name="with-length" value="0"' in shown
    assert step(campaign, "wait-1").params["unit"] == "hours"


@pytest.mark.parametrize(
    "number, unit", [("x", "hours"), ("0", "hours"), ("9999999", "days"), ("5", "years")]
)
def test_a_length_that_is_none_is_refused(campaign, ada, number, unit):
    typed = {"template": Template.objects.get().pk, "expires_after_0": number, "expires_after_1": unit}
    assert "Not kept yet" in save(ada, campaign, "first-message", **typed).content.decode()
    assert step(campaign, "first-message").expires_after is None


def test_moved_duplicated_and_taken_out(campaign, ada):
    do(ada, campaign, "add", kind=Wait.key, after="first-message", path="")
    do(ada, campaign, "move", key="wait-1", to="up")
    assert [row.key for row in rows(campaign)] == ["wait-1", "first-message"]
    do(ada, campaign, "put", key="wait-1", after="first-message", path="")
    do(ada, campaign, "copy", key="first-message")
    assert [row.key for row in rows(campaign)] == ["first-message", "send-email-1", "wait-1"]
    assert step(campaign, "send-email-1").template == step(campaign, "first-message").template
    do(ada, campaign, "remove", key="wait-1", seen=editing.mark(step(campaign, "wait-1")))
    assert [row.key for row in rows(campaign)] == ["first-message", "send-email-1"]


@pytest.mark.proof
def test_a_deleted_step_is_offered_until_the_flow_is_changed_and_only_to_who_deleted_it(campaign, ada, vera):
    do(ada, campaign, "add", kind=Wait.key, after="", path="")
    words = f"Step deleted: {picture.sentence(step(campaign, 'wait-1'))}."
    shown = do(ada, campaign, "remove", key="wait-1", seen=editing.mark(step(campaign, "wait-1")))
    assert words in shown.content.decode() and words in look(ada, campaign)
    assert words not in look(vera, campaign)
    shown = do(ada, campaign, "put_back").content.decode()
    assert "Back where it was" in shown and "Step deleted" not in shown
    assert [row.key for row in rows(campaign)] == ["wait-1", "first-message"]
    do(ada, campaign, "remove", key="wait-1", seen=editing.mark(step(campaign, "wait-1")))
    do(ada, campaign, "copy", key="first-message")
    assert "Step deleted" not in look(ada, campaign)
    assert "changed since" in do(ada, campaign, "put_back").content.decode()
    assert [row.key for row in rows(campaign)] == ["first-message", "send-email-1"]


def test_a_deletion_of_long_ago_is_not_undone(campaign, ada):
    do(ada, campaign, "remove", key="first-message", seen=editing.mark(step(campaign, "first-message")))
    session = ada.session
    session["flow_step_deleted"]["until"] = 0
    session.save()
    assert "Step deleted" not in look(ada, campaign)
    assert "too long ago" in do(ada, campaign, "put_back").content.decode()


def test_paths_stand_side_by_side_and_say_what_is_odd(campaign, ada):
    with forks.known():
        do(ada, campaign, "add", kind=forks.Fork.key, after="", path="")
        do(ada, campaign, "add", kind=Wait.key, after="fork-1", path="Left")
        shown = look(ada, campaign, step="wait-1")
        assert "Nothing happens on this path" in shown, "on the right"
        assert '<option value="Left" selected>Left</option>' in shown
        typed = {"with-left": "Early", "with-right": "Late"}
        save(ada, campaign, "fork-1", **typed)
        assert "Nobody is on the path “Left” here" in look(ada, campaign)
        moved = {"with-length": "1", "with-unit": "days", "path": "Late"}
        save(ada, campaign, "wait-1", **moved)
        assert "Nobody is on the path" not in look(ada, campaign)


def test_two_at_once_the_slower_is_told_what_stands_and_loses_nothing(campaign, ada):
    do(ada, campaign, "add", kind=Wait.key, after="", path="")
    opened = editing.mark(step(campaign, "wait-1"))
    save(ada, campaign, "wait-1", **{"with-length": "3", "with-unit": "days"})
    late = {"with-length": "5", "with-unit": "days", "seen": opened}
    shown = save(ada, campaign, "wait-1", **late).content.decode()
    assert "Somebody else changed this step" in shown and "It says now: Wait 3 days." in shown
    assert 'name="with-length" value="5"' in shown
    assert step(campaign, "wait-1").params["length"] == "3"
    again = re.search(r'name="seen" value="(\w+)"', shown[shown.index("data-flow-form") :])
    assert again is not None
    save(ada, campaign, "wait-1", **(late | {"seen": again.group(1)}))
    assert step(campaign, "wait-1").params["length"] == "5"


def test_a_step_somebody_took_out_meanwhile_can_be_added_again(campaign, ada):
    do(ada, campaign, "add", kind=Wait.key, after="", path="")
    typed = {"key": "wait-1", "kind": Wait.key, "seen": "x", "with-length": "5", "with-unit": "days"}
    do(ada, campaign, "remove", key="wait-1", seen=editing.mark(step(campaign, "wait-1")))
    shown = do(ada, campaign, "save", **typed).content.decode()
    assert "somebody deleted it meanwhile" in shown and 'name="with-length" value="5"' in shown
    do(ada, campaign, "save", **typed, again="yes")
    assert [row.params.get("length") for row in rows(campaign)] == [None, "5"]


def test_a_running_flow_is_changed_in_a_version_that_says_so(world, ada):
    campaign = world.campaign
    shown = look(ada, campaign)
    assert "1 person is inside" in shown and "a change here begins version 2" in shown
    answer = do(ada, campaign, "add", kind=Wait.key, after="", path="")
    assert "Version 2 is in work now" in answer.content.decode()
    shown = look(ada, campaign)
    assert "People still enter version 1." in shown and "go on with the version they began" in shown
    assert "<b>1</b> waiting" in shown, "people are counted at their step in any version"
    act = reverse("admin:campaigns_campaign_act", args=[campaign.pk])
    answer = ada.post(act, {"do": "publish", "move": "yes"}, follow=True)
    assert "People inside were moved to it." in answer.content.decode()
    assert Enrolment.objects.get().version.number == 2


def test_a_version_in_work_can_be_thrown_away(world, ada):
    do(ada, world.campaign, "add", kind=Wait.key, after="", path="")
    do(ada, world.campaign, "give_up")
    assert world.campaign.versions.count() == 1


@pytest.mark.parametrize(
    "posted",
    [
        {"do": "explode"},
        {"do": "add", "kind": "campaigns.vanished"},
        {"do": "move", "key": "first-message", "to": "sideways"},
        {"do": "move", "key": "x" * 41, "to": "up"},
        {"do": "save", "key": "nothing", "kind": "campaigns.vanished"},
    ],
)
def test_what_no_page_sends_is_refused(campaign, ada, posted):
    assert ada.post(reverse("admin:campaigns_campaign_flow", args=[campaign.pk]), posted).status_code == 400


def test_a_place_or_step_that_is_gone_is_said_in_words(campaign, ada):
    assert "no longer there" in do(ada, campaign, "copy", key="gone").content.decode()
    gone = do(ada, campaign, "add", kind=Wait.key, after="gone", path="").content.decode()
    assert "no longer there" in gone and len(rows(campaign)) == 1
    assert "no longer there" in look(ada, campaign, step="gone")


def test_an_onlooker_reads_the_flow_and_finds_no_button(world, vera):
    shown = look(vera, world.campaign, step="first-message")
    assert "Send “Abandoned cart" in shown
    assert 'name="do"' not in shown and "?add=1" not in shown


def test_a_step_that_no_program_knows_is_marked_and_can_be_taken_out(campaign, ada):
    Step.objects.create(version=campaign.versions.get(), key="odd", position=2, kind="campaigns.vanished")
    shown = look(ada, campaign, step="odd")
    assert "there is no step called" in shown and 'value="remove"' in shown
    do(ada, campaign, "remove", key="odd", seen=editing.mark(step(campaign, "odd")))
    assert len(rows(campaign)) == 1


def test_people_are_listed_with_their_step_and_when_they_go_on(world, ada):
    run = Enrolment.objects.get()
    Due.objects.create(
        enrolment_id=run.pk, contact_id=run.contact_id, campaign=world.campaign, due_at=office.NOW
    )
    address = reverse("admin:campaigns_campaign_people", args=[world.campaign.pk])
    shown = ada.get(address, {"step": "first-message"}).content.decode()
    assert "Ana Oliveira" in shown and "23 Nov, 13:00" in shown
    do(ada, world.campaign, "add", kind=Wait.key, after="", path="")
    assert "Nobody stands at this step." in ada.get(address, {"step": "wait-1"}).content.decode()


def test_why_tells_what_was_decided_about_one_person(world, ada):
    address = reverse("admin:campaigns_campaign_why", args=[world.campaign.pk])
    shown = ada.get(address, {"as": office.MAIL}).content.decode()
    assert "To be sent" in shown and "in the flow" in shown
    assert "Nobody has this address" in ada.get(address, {"as": "no@shop-customers.example"}).content.decode()


def test_why_says_that_it_shows_the_newest_and_goes_on_to_every_older_decision(world, ada, monkeypatch):
    monkeypatch.setattr(campaign_pages, "MOST_DECISIONS", 2)
    address = reverse("admin:campaigns_campaign_why", args=[world.campaign.pk])
    one = Decision.objects.get()
    # Two of one moment: a page may end between them.
    for number, minutes in ((1, 1), (2, 2), (3, 2), (4, 3)):
        one.pk, one.words = ids.uuid7(), f"Word {number}"
        one.decided_at = office.NOW - timedelta(minutes=minutes)
        one.save(force_insert=True)
    first = ada.get(address, {"as": office.MAIL})
    assert "The newest 2; there are older ones." in first.content.decode()
    told, asked = [], first
    while True:
        told += [row.words for row, _, _ in asked.context["decisions"]]
        if not (place := asked.context["older"]):
            break
        asked = ada.get(address, {"as": office.MAIL, "before": place})
        assert "Older decisions." in asked.content.decode()
    assert told == [told[0], "Word 1", "Word 3", "Word 2", "Word 4"]
    strange = ada.get(address, {"as": office.MAIL, "before": "nonsense"})
    assert [row.words for row, _, _ in strange.context["decisions"]] == told[:2]


def test_why_says_how_many_of_the_times_somebody_entered_it_shows(world, ada, monkeypatch):
    monkeypatch.setattr(campaign_pages, "MOST_RUNS", 1)
    address = reverse("admin:campaigns_campaign_why", args=[world.campaign.pk])
    assert "entered before that" not in ada.get(address, {"as": office.MAIL}).content.decode()
    run = Enrolment.objects.get()
    run.pk, run.entry = ids.uuid7(), "again"
    run.save(force_insert=True)
    shown = ada.get(address, {"as": office.MAIL}).content.decode()
    assert "These are the last 1 times; they entered before that, too." in shown
    assert shown.count("<li>Entered") == 1


def test_why_holds_the_entry_rule_against_the_person(world, ada):
    world.campaign.entry_rule = office.bought(5)
    world.campaign.save()
    address = reverse("admin:campaigns_campaign_why", args=[world.campaign.pk])
    assert "may not enter" in ada.get(address, {"as": office.MAIL}).content.decode()


def test_pages_that_name_people_need_the_right_to_see_them(world):
    mia = office.logged_in(office.user("mia", "campaigns.view_campaign"))
    for name, status in (("results", 200), ("people", 403), ("why", 403)):
        answer = mia.get(reverse(f"admin:campaigns_campaign_{name}", args=[world.campaign.pk]))
        assert answer.status_code == status
    assert ">People</a>" not in look(mia, world.campaign)
