"""A launch to more than 10,000 people takes two: one asks, a second approves this very version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.flows import forecasting, four_eyes, journeys, launching, sealing
from campaigns.flows.forecasting import Count, Forecast
from campaigns.flows.kinds import playbooks
from campaigns.messages import editing
from campaigns.models import Campaign, Enrolment, LaunchRequest
from crm.access import fresh
from crm.kernel import clock
from crm.kernel.work import Budget
from crm.models import Notice, Role, Segment, SegmentMembership
from tests import office
from tests.campaigns import mailing
from tests.office import logged_in, user

LARGE = 12_400


@pytest.fixture
def campaign(db) -> Campaign:
    office.set_up_shop()
    office.sender()
    return office.draft(clock.now())


def colleague(name: str, role: str = "marketing_leads") -> User:
    made = user(name)
    made.groups.add(Role.objects.get(key=role).group)
    return made


def expecting(monkeypatch, people: int | None) -> None:
    day = Count(people, people) if people is not None else None
    monkeypatch.setattr(
        forecasting, "forecast", lambda campaign, now: Forecast(now, day, day, day, 0, None, 1)
    )


def page(client: Client, campaign: Campaign) -> str:
    url = reverse("admin:campaigns_campaign_launch", args=[campaign.pk])
    return " ".join(client.get(url).content.decode().split())


def press(client: Client, campaign: Campaign, do: str = "launch", **said: str) -> str:
    url = reverse("admin:campaigns_campaign_launch", args=[campaign.pk])
    answer = client.post(url, {"do": do} | said, follow=True)
    campaign.refresh_from_db()
    return " ".join(answer.content.decode().split())


def change(client: Client, campaign: Campaign, **values: str) -> None:
    """Save the form *Settings* as a colleague would."""
    url = f"{reverse('admin:campaigns_campaign_change', args=[campaign.pk])}?section=settings"
    form = client.get(url).context["adminform"].form
    told = {name: form[name].value() for name in form.fields}
    told["expires_after_0"], told["expires_after_1"] = "3", "hours"
    answer = client.post(url, {k: v for k, v in (told | values).items() if v not in (None, False)})
    assert answer.status_code == 302, answer.context["adminform"].form.errors


def state(campaign: Campaign) -> str:
    """What the list of campaigns calls it."""
    campaign.refresh_from_db()
    asked = campaign.launch_requests.filter(state="open").exists()
    return "asked" if asked else campaign.state


SIZES = (499, 500, 501, 10_000, 10_001)
LAUNCHES, ASKS, MAY_NOT = "running", "asked", "draft"
TABLE = {
    "viewers": (MAY_NOT, MAY_NOT, MAY_NOT, MAY_NOT, MAY_NOT),
    "sales": (MAY_NOT, MAY_NOT, MAY_NOT, MAY_NOT, MAY_NOT),
    "marketers": (LAUNCHES, LAUNCHES, MAY_NOT, MAY_NOT, MAY_NOT),
    "marketing_leads": (LAUNCHES, LAUNCHES, LAUNCHES, LAUNCHES, ASKS),
    "privacy_officers": (MAY_NOT, MAY_NOT, MAY_NOT, MAY_NOT, MAY_NOT),
    "administrators": (LAUNCHES, LAUNCHES, LAUNCHES, LAUNCHES, ASKS),
}


@pytest.mark.proof
@pytest.mark.parametrize(
    ("role", "people", "becomes"),
    [(role, people, row[place]) for role, row in TABLE.items() for place, people in enumerate(SIZES)],
)
def test_who_launches_to_how_many(campaign, monkeypatch, role, people, becomes):
    expecting(monkeypatch, people)
    colleague("bea")
    press(logged_in(colleague("ada", role)), campaign, very_many="on")
    assert state(campaign) == becomes


@pytest.mark.parametrize("people", [10_001, None])
def test_whoever_is_alone_in_the_shop_launches_on_their_own_word_and_is_told_so(
    campaign, monkeypatch, people
):
    expecting(monkeypatch, people)
    colleague("mia", "marketers")
    User.objects.filter(pk=colleague("bea").pk).update(is_active=False)
    ada = logged_in(colleague("ada"))
    assert "nobody besides you may" in page(ada, campaign)
    assert "Tick that this is meant" in press(ada, campaign)
    assert state(campaign) == "draft"
    press(ada, campaign, very_many="on")
    assert state(campaign) == "running"


def test_it_waits_visibly_until_a_second_person_approves(campaign, monkeypatch):
    expecting(monkeypatch, LARGE)
    ada, bea = logged_in(colleague("ada")), logged_in(colleague("bea"))
    shown = page(ada, campaign)
    assert "it takes a second person: <b>bea</b>" in shown and ">Ask to launch<" in shown
    assert "Nothing is sent before a colleague approves" in press(ada, campaign)
    assert (campaign.state, campaign.launched_at) == ("draft", None)

    assert "asked to launch" in ada.get(reverse("admin:campaigns_campaign_changelist")).content.decode()
    asking = ada.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk])).content.decode()
    assert "Asked to launch" in asking and "before a second person approves it" in asking
    assert "You asked for it: somebody else has to approve" in page(ada, campaign)
    home = " ".join(bea.get(reverse("admin:index")).content.decode().split())
    assert f"ada asks to launch <b>{campaign}</b> to about 12,400 people" in home
    assert "asks to launch" not in ada.get(reverse("admin:index")).content.decode()
    told = Notice.objects.get()
    assert told.user.username == "bea" and "about 12,400 people" in told.body

    assert "Approve and launch" in page(bea, campaign)
    press(bea, campaign, "approve")
    assert (campaign.state, campaign.state_reason) == ("running", "launched by ada, approved by bea")
    asked = LaunchRequest.objects.get()
    assert (asked.state, asked.asked_by, asked.answered_by) == ("approved", "ada", "bea")
    assert asked.answered_at == campaign.launched_at
    assert Notice.objects.get(user__username="ada").body == "bea approved it."
    assert "ada asked" in page(ada, campaign) and "<b>approved</b> by bea" in page(ada, campaign)


def of_long_ago(client: Client) -> Client:
    """Somebody at an open browser who typed no password for a while."""
    session = client.session
    session["password_at"] = (clock.now() - fresh.HOLDS - timedelta(seconds=1)).timestamp()
    session.save()
    return client


def with_password(client: Client, campaign: Campaign, do: str, **said: str) -> str:
    return press(client, campaign, do, **said, **{fresh.FIELD: "secret", fresh.ASKED: "POST"})


@pytest.mark.parametrize(("people", "many"), [(LARGE, "about 12,400"), (None, "an unknown number of")])
def test_whoever_is_alone_launches_to_so_many_after_a_fresh_password(campaign, monkeypatch, people, many):
    expecting(monkeypatch, people)
    ada = of_long_ago(logged_in(colleague("ada")))
    # What is missing is said before anybody types a password for nothing.
    assert "Tick that this is meant" in press(ada, campaign)
    assert f"Type your own password to write to {many} people." in press(ada, campaign, very_many="on")
    assert state(campaign) == "draft"
    with_password(ada, campaign, "launch", very_many="on")
    assert state(campaign) == "running"


def test_a_launch_to_fewer_asks_for_no_password(campaign, monkeypatch):
    expecting(monkeypatch, four_eyes.VERY_MANY)
    press(of_long_ago(logged_in(colleague("ada"))), campaign)
    assert state(campaign) == "running"


def test_whoever_approves_types_their_password_and_whoever_asks_or_sends_back_does_not(campaign, monkeypatch):
    expecting(monkeypatch, LARGE)
    ada, bea = (of_long_ago(logged_in(colleague(name))) for name in ("ada", "bea"))
    press(ada, campaign)
    press(bea, campaign, "send_back", words="The subject shouts.")
    assert state(campaign) == "draft"
    press(ada, campaign)
    assert "You asked for it" in press(ada, campaign, "approve")
    assert "Type your own password to write to about 12,400 people." in press(bea, campaign, "approve")
    assert state(campaign) == "asked"
    with_password(bea, campaign, "approve")
    assert state(campaign) == "running"


@pytest.mark.proof
def test_neither_who_asks_nor_who_changed_it_last_approves(campaign, monkeypatch):
    expecting(monkeypatch, LARGE)
    ada, bea, carl = (logged_in(colleague(name)) for name in ("ada", "bea", "carl"))
    change(bea, campaign, name="Carts, for everybody")
    press(ada, campaign)
    for client, words in ((ada, "You asked for it"), (bea, "You changed it last")):
        assert words in press(client, campaign, "approve")
        assert words in page(client, campaign) and "Approve and launch" not in page(client, campaign)
        assert state(campaign) == "asked"
    assert {notice.user.username for notice in Notice.objects.all()} == {"carl"}
    press(carl, campaign, "approve")
    assert state(campaign) == "running"


def test_the_database_itself_lets_nobody_approve_what_they_asked_for(campaign):
    ada = colleague("ada")
    asked = LaunchRequest.objects.create(campaign=campaign, asker=ada, asked_by="ada", seal="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        LaunchRequest.objects.filter(pk=asked.pk).update(state="approved", answerer=ada)


def test_of_two_who_may_approve_whoever_changed_it_last_has_to_ask(campaign, monkeypatch):
    expecting(monkeypatch, LARGE)
    ada, bea = logged_in(colleague("ada")), logged_in(colleague("bea"))
    change(bea, campaign, name="Carts, for everybody")
    assert "Ask bea to launch it" in press(ada, campaign)
    assert state(campaign) == "draft"
    press(bea, campaign)
    press(ada, campaign, "approve")
    assert state(campaign) == "running"


def test_a_form_saved_with_nothing_changed_makes_nobody_its_author(campaign, monkeypatch):
    expecting(monkeypatch, LARGE)
    ada, bea = logged_in(colleague("ada")), logged_in(colleague("bea"))
    change(bea, campaign, name="Carts, for everybody")
    change(ada, campaign)
    assert "Ask bea to launch it" in press(ada, campaign)


@pytest.mark.parametrize(
    ("role", "words"), [("marketers", "a permission that you do not have"), ("sales", "")]
)
def test_who_has_not_the_permission_does_not_approve(campaign, monkeypatch, role, words):
    expecting(monkeypatch, LARGE)
    colleague("bea")
    press(logged_in(colleague("ada")), campaign)
    assert words in press(logged_in(colleague("mia", role)), campaign, "approve")
    assert state(campaign) == "asked"


def its_flow(campaign: Campaign) -> None:
    step = campaign.versions.get().steps.get(template__isnull=False)
    step.only_if = office.bought()
    step.save()


def its_message(campaign: Campaign) -> None:
    template = campaign.versions.get().steps.get(template__isnull=False).template
    old = template.current
    words = {"subject": "Another subject", "preheader": "", "mjml": old.mjml, "text": old.text}
    editing.save_version(template, **words, by=None, now=clock.now())


def its_audience(campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(entry_rule=office.bought())


def a_segment_it_names(campaign: Campaign) -> None:
    Segment.objects.update(rule=office.bought(3))


@pytest.mark.proof
@pytest.mark.parametrize("changed", [its_flow, its_message, its_audience, a_segment_it_names])
def test_an_approval_is_for_what_was_asked_and_for_nothing_else(campaign, monkeypatch, changed):
    inner = Segment.objects.create(name="Regulars", rule=office.bought(2), refreshed_at=clock.now())
    outer = {"all": [{"kind": "crm.in_segment", "params": {"segment": str(inner.pk)}}]}
    campaign.exit_rule = outer
    campaign.save()
    expecting(monkeypatch, LARGE)
    ada, bea = logged_in(colleague("ada")), logged_in(colleague("bea"))
    answer = press(ada, campaign)
    assert state(campaign) == "asked", answer[answer.find("Not launched") :][:600]
    changed(campaign)
    assert "changed after that" in page(bea, campaign)
    listed = bea.get(reverse("admin:campaigns_campaign_changelist")).content.decode()
    assert "asked, and changed since" in listed and "asked to launch" not in listed
    assert "asks to launch" not in bea.get(reverse("admin:index")).content.decode()
    assert "It was changed after ada asked for it" in press(bea, campaign, "approve")
    assert campaign.state == "draft"
    press(ada, campaign)
    press(bea, campaign, "approve")
    assert state(campaign) == "running"
    assert sorted(LaunchRequest.objects.values_list("state", flat=True)) == ["approved", "void"]


MOMENT = datetime(2026, 3, 6, 10, 0, tzinfo=UTC)


def planned_and_approved(monkeypatch, kind=Segment.Kind.DYNAMIC) -> tuple[Campaign, Segment]:
    """A broadcast to a segment, approved; its moment is yet to come."""
    office.set_up_shop(time_zone="UTC")
    office.sender()
    at = MOMENT - timedelta(days=2)
    campaign = playbooks.get("campaigns.broadcast").make(at)
    rule = {} if kind == Segment.Kind.FIXED else {"none": office.bought()["all"]}
    fans = Segment.objects.create(name="Fans", kind=kind, rule=rule, refreshed_at=at)
    when = {"segment": str(fans.pk), "at": "2026-03-06T10:00", "zone": "shop"}
    Campaign.objects.filter(pk=campaign.pk).update(trigger_params=when)
    people = mailing.people(3, campaign.purpose)
    SegmentMembership.objects.bulk_create(
        SegmentMembership(segment=fans, contact=one, entered_at=at) for one in people
    )
    expecting(monkeypatch, LARGE)
    four_eyes.ask(campaign, colleague("ada"), LARGE, at)
    four_eyes.approve(campaign, colleague("bea"), None, at)
    campaign.refresh_from_db()
    assert campaign.state == "running"
    return campaign, fans


def a_change_put_into_use(campaign: Campaign) -> None:
    version = launching.editable_version(campaign, MOMENT)
    step = version.steps.get(template__isnull=False)
    step.only_if = office.bought()
    step.save()
    launching.publish(campaign, "mia", MOMENT)


def its_newest_message(campaign: Campaign) -> None:
    template = campaign.current.steps.get(template__isnull=False).template
    old = template.current
    words = {"subject": "Another subject", "preheader": "", "mjml": old.mjml, "text": old.text}
    editing.save_version(template, **words, by=None, now=MOMENT)


def its_segment(campaign: Campaign) -> None:
    Segment.objects.filter(name="Fans").update(rule=office.bought(3))


def its_moment(campaign: Campaign) -> None:
    when = campaign.trigger_params | {"at": "2026-03-06T09:00"}
    Campaign.objects.filter(pk=campaign.pk).update(trigger_params=when)


@pytest.mark.django_db
@pytest.mark.parametrize("changed", [a_change_put_into_use, its_newest_message, its_segment, its_moment])
def test_what_is_changed_before_its_moment_does_not_go_out_as_approved(monkeypatch, changed):
    campaign, _fans = planned_and_approved(monkeypatch)
    changed(campaign)
    journeys.enrol(MOMENT, Budget(60))
    campaign.refresh_from_db()
    assert campaign.state == "stopped" and not Enrolment.objects.exists()
    assert campaign.problem.startswith("It was changed after bea approved it, so nobody was written to.")
    told = Notice.objects.filter(subject__contains="stopped itself").values_list("user__username", flat=True)
    assert sorted(told) == ["ada", "bea"]
    shown = logged_in(User.objects.get(username="ada")).get(
        reverse("admin:campaigns_campaign_change", args=[campaign.pk])
    )
    assert "<b>It stopped itself.</b> It was changed after bea approved it" in shown.content.decode()


@pytest.mark.django_db
def test_what_is_only_in_work_and_who_came_onto_a_list_keeps_nothing_back(monkeypatch):
    campaign, fans = planned_and_approved(monkeypatch, Segment.Kind.FIXED)
    version = launching.editable_version(campaign, MOMENT)
    version.steps.update(only_if=office.bought())
    Segment.objects.filter(pk=fans.pk).update(size=7)
    journeys.enrol(MOMENT, Budget(60))
    assert Enrolment.objects.count() == 3
    # Once people are in, a change is put into use as in any campaign.
    launching.publish(campaign, "mia", MOMENT)
    journeys.enrol(MOMENT + timedelta(minutes=1), Budget(60))
    campaign.refresh_from_db()
    assert campaign.state == "running"


def test_it_is_sent_back_with_words_or_withdrawn(campaign, monkeypatch):
    expecting(monkeypatch, LARGE)
    ada, bea = logged_in(colleague("ada")), logged_in(colleague("bea"))
    press(ada, campaign)
    press(bea, campaign, "send_back", words="The subject shouts.")
    assert state(campaign) == "draft"
    assert "The subject shouts." in Notice.objects.get(user__username="ada").body
    assert "sent back</b> by bea" in page(ada, campaign)
    press(ada, campaign)
    assert "Nobody is asked any more" in press(ada, campaign, "withdraw")
    assert "Nobody asks for this launch any more" in press(bea, campaign, "approve")
    assert state(campaign) == "draft"


def test_who_asked_and_has_left_launches_nothing(campaign, monkeypatch):
    expecting(monkeypatch, LARGE)
    bea = logged_in(colleague("bea"))
    press(logged_in(colleague("ada")), campaign)
    User.objects.filter(username="ada").update(is_active=False)
    assert "may not launch it any more" in press(bea, campaign, "approve")
    assert state(campaign) == "asked"


def test_in_shadow_nobody_has_to_be_asked_and_what_was_asked_is_over(campaign, monkeypatch):
    expecting(monkeypatch, LARGE)
    colleague("bea")
    ada = logged_in(colleague("ada"))
    press(ada, campaign)
    press(ada, campaign, shadow="on")
    assert (state(campaign), campaign.is_shadow) == ("running", True)


def test_the_home_page_asks_no_more_for_three_that_wait_than_for_one(campaign):
    ada, bea = colleague("ada"), logged_in(colleague("bea"))
    home = reverse("admin:index")
    bea.get(home)
    asked = []
    for number in range(3):
        if number:
            campaign.pk, campaign._state.adding = None, True
            campaign.save()
        LaunchRequest.objects.create(
            campaign=campaign, asker=ada, asked_by="ada", seal=sealing.seal(campaign), people=LARGE
        )
        with CaptureQueriesContext(connection) as queries:
            shown = bea.get(home).content.decode()
        assert shown.count("ada asks to launch") == number + 1
        asked.append(len(queries))
    assert len(set(asked)) == 1
