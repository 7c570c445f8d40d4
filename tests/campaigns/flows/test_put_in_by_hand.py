"""People put into a flow by a colleague or the shop's server: once, by the campaign's rules, and by whom."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from campaigns.flows import handing
from campaigns.models import Campaign, Decision, Enrolment, EntryDay
from crm.kernel import clock
from crm.models import Contact, Segment
from crm.shop import keys
from tests.campaigns.flows.stage import AT, WAIT, advance, enrol, flow, shopper
from tests.office import logged_in, set_up_shop, user

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def campaign():
    set_up_shop()
    return flow(WAIT, trigger="campaigns.by_hand", trigger_params={}, name="Call back", expires_after=None)


@pytest.fixture
def mia(db):
    return logged_in(user("mia", is_superuser=True))


@pytest.fixture(autouse=True)
def then():
    with clock.frozen(NOW):
        yield


def said(answer):
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def test_nobody_enters_by_themselves(campaign):
    shopper(campaign)
    assert enrol(AT) == 0


def test_whoever_is_put_in_is_in_once_and_the_decision_says_by_whom(campaign):
    ana = shopper(campaign)
    assert handing.put(campaign, [ana.pk, ana.pk], NOW, by="mia").words == "1 put in."
    assert Decision.objects.get().words == "Entered: put in by mia."
    assert Decision.objects.get().evidence["by"] == "mia"
    # They belong to the pace of the calendar, and not to what the guard of the launch weighs.
    assert EntryDay.objects.values_list("entered", "brought").get() == (0, 1)
    again = handing.put(campaign, [ana.pk], NOW + HOUR, by="mia")
    assert again.words == "0 put in; 1 is in it already."
    advance(NOW + DAY)
    assert handing.put(campaign, [ana.pk], NOW + 2 * DAY, by="mia").outcomes == {ana.pk: "too_soon"}
    assert handing.put(campaign, [ana.pk], NOW + 8 * DAY, by="mia").entered == 1


def test_a_hand_does_not_overrule_the_entry_rule(campaign):
    ana, boris = shopper(campaign, 1), shopper(campaign, 2)
    Contact.objects.update(recorded_at=NOW - DAY)
    Campaign.objects.update(entry_rule={"all": [{"kind": "crm.name", "params": {"contains": "person2"}}]})
    found = handing.put(Campaign.objects.get(), [ana.pk, boris.pk], NOW, by="mia")
    assert found.outcomes == {ana.pk: "kept_out", boris.pk: "entered"}


def test_a_campaign_that_is_not_running_or_has_another_trigger_takes_nobody(campaign):
    ana = shopper(campaign)
    Campaign.objects.update(state="paused")
    with pytest.raises(handing.CannotPut, match="paused"):
        handing.put(campaign, [ana.pk], NOW, by="mia")
    Campaign.objects.update(state="running", trigger="campaigns.abandoned_cart")
    with pytest.raises(handing.CannotPut, match="a cart was left"):
        handing.put(campaign, [ana.pk], NOW, by="mia")


def test_one_address_or_a_whole_list_from_the_page_of_the_campaign(campaign, mia):
    people = [shopper(campaign, number) for number in (1, 2, 3)]
    friends = Segment.objects.create(name="Friends", kind="fixed", created_at=NOW)
    for person in people[1:]:
        friends.memberships.create(contact=person, entered_at=NOW)
    page = reverse("admin:campaigns_campaign_hand", args=[campaign.pk])
    assert "Friends" in mia.get(page).content.decode()
    assert "Nobody has this address" in mia.post(page, {"address": "nobody@example.com"}).content.decode()
    assert "1 put in" in said(mia.post(page, {"address": people[0].email}))
    assert "2 put in" in said(mia.post(page, {"segment": str(friends.pk)}))
    assert set(Enrolment.objects.values_list("contact", flat=True)) == {person.pk for person in people}


def test_the_page_of_a_draft_says_what_to_do_first(campaign, mia):
    Campaign.objects.update(state="draft")
    page = reverse("admin:campaigns_campaign_hand", args=[campaign.pk])
    assert "launch it first" in mia.get(page).content.decode()
    ana = shopper(campaign)
    assert "launch it first" in mia.post(page, {"address": ana.email}).content.decode()
    assert not Enrolment.objects.exists()


def test_more_than_can_be_done_at_once_are_refused_with_another_way(campaign, mia, monkeypatch):
    monkeypatch.setattr(handing, "MOST_AT_ONCE", 1)
    friends = Segment.objects.create(name="Friends", kind="fixed", created_at=NOW)
    for number in (1, 2):
        friends.memberships.create(contact=shopper(campaign, number), entered_at=NOW)
    page = reverse("admin:campaigns_campaign_hand", args=[campaign.pk])
    assert "starts on a date" in mia.post(page, {"segment": str(friends.pk)}).content.decode()
    assert not Enrolment.objects.exists()


def test_from_the_list_of_contacts_the_ticked_ones_go_in_after_a_choice(campaign, mia):
    people = [shopper(campaign, number) for number in (1, 2)]
    chosen = {"action": "campaigns_put_in", "_selected_action": [str(person.pk) for person in people]}
    url = reverse("admin:crm_contact_changelist")
    asked = mia.post(url, chosen).content.decode()
    assert "2 people are chosen" in asked and "Call back" in asked
    assert "2 put in" in said(mia.post(url, chosen | {"campaign": str(campaign.pk)}))


def test_from_the_page_of_a_person_and_back_to_it(campaign, mia):
    ana = shopper(campaign)
    page = reverse("admin:crm_contact_change", args=[ana.pk])
    assert "Put into a campaign" in mia.get(page).content.decode()
    form = {"action": "campaigns_put_in", "_selected_action": [str(ana.pk)], "back": str(ana.pk)}
    answer = mia.post(reverse("admin:crm_contact_changelist"), form | {"campaign": str(campaign.pk)})
    assert answer.url == page and "1 put in" in said(answer)
    Campaign.objects.update(state="paused")
    assert "Put into a campaign" not in mia.get(page).content.decode()


def test_whoever_may_not_change_campaigns_puts_nobody_in(campaign, mia):
    ana = shopper(campaign)
    vera = logged_in(user("vera", "crm.view_contact", "crm.change_contact", "campaigns.view_campaign"))
    form = {"action": "campaigns_put_in", "_selected_action": [str(ana.pk)], "campaign": str(campaign.pk)}
    vera.post(reverse("admin:crm_contact_changelist"), form)
    page = reverse("admin:campaigns_campaign_hand", args=[campaign.pk])
    assert vera.post(page, {"address": ana.email}).status_code == 403
    assert not Enrolment.objects.exists()


@pytest.fixture
def tell(client: Client, campaign):
    key = keys.issue("till", NOW)

    def post(body, number=None, bearer=key):
        answer = client.post(
            f"/api/v1/campaigns/{number or campaign.pk}/enrol",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {bearer}"},
        )
        return answer.status_code, answer.json()

    return post


def outcomes(answer):
    status, body = answer
    assert status == 200, body
    return [(one["id"], one["outcome"]) for one in body["recorded"]]


def test_the_shops_server_puts_people_in_and_the_same_thing_told_twice_is_one(tell):
    body = {"id": "call-1", "customer": {"email": "ana@example.com", "first_name": "Ana"}}
    assert outcomes(tell(body)) == outcomes(tell(body)) == [("call-1", "entered")]
    assert Contact.objects.get().first_name == "Ana"
    assert Enrolment.objects.count() == 1
    assert "API key “till" in Decision.objects.get().words
    assert outcomes(tell(body | {"id": "call-2"})) == [("call-2", "inside")]


def test_several_at_once_and_two_of_one_person_are_one_entry(tell):
    ana, boris = ({"email": f"{name}@example.com"} for name in ("ana", "boris"))
    told = [{"id": "1", "customer": ana}, {"id": "2", "customer": boris}, {"id": "3", "customer": ana}]
    assert outcomes(tell({"entries": told})) == [("1", "entered"), ("2", "entered"), ("3", "inside")]


def test_what_cannot_be_done_says_why_and_changes_nothing(tell, campaign):
    ana = {"id": "1", "customer": {"email": "ana@example.com"}}
    assert tell(ana, bearer="sk_wrong")[0] == 401
    assert tell(ana, number=99999)[0] == 404
    assert tell(ana, number=10**30)[0] in (404, 422)
    status, body = tell({"id": "1", "customer": {"email": "nonsense"}})
    assert (status, body["refused"][0]["field"]) == (422, "entries.0")
    Campaign.objects.update(state="paused")
    status, body = tell(ana)
    assert status == 409 and "paused" in body["refused"][0]["reason"]
    assert not Contact.objects.exists()
