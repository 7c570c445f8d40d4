"""The page that launches a campaign: what must be right, what would happen, who may."""

from __future__ import annotations

import pytest
from django.urls import reverse

from campaigns.flows import forecasting
from campaigns.flows.forecasting import Count, Forecast
from campaigns.messages import composing, mjml
from campaigns.messages.look import PLAIN
from campaigns.models import Campaign, Enrolment
from crm.kernel import clock
from tests import office
from tests.campaigns.flows.stage import MINUTE, leave_cart
from tests.office import logged_in, user


@pytest.fixture
def campaign(db) -> Campaign:
    office.set_up_shop()
    office.sender()
    return office.draft(clock.now())


def address(campaign: Campaign) -> str:
    return reverse("admin:campaigns_campaign_launch", args=[campaign.pk])


def look(client, campaign: Campaign) -> str:
    return " ".join(client.get(address(campaign)).content.decode().split())


def launch(client, campaign: Campaign, **said):
    answer = client.post(address(campaign), {"do": "launch"} | said, follow=True)
    campaign.refresh_from_db()
    return answer.content.decode()


def expecting(monkeypatch, people: int | None, existing: int | None = None) -> None:
    day = Count(people, people) if people is not None else None
    before = Count(existing, existing) if existing is not None else None
    monkeypatch.setattr(
        forecasting, "forecast", lambda campaign, now: Forecast(now, day, day, day, 0, before, 2)
    )


def test_the_page_counts_who_would_enter_and_writes_nothing(campaign, ada):
    leave_cart(office.person(), clock.now() - MINUTE)
    leave_cart(office.person("bo@shop.example", agreed=False), clock.now() - MINUTE)
    shown = look(ada, campaign)
    assert "all is ready" in shown
    assert '<th scope="row">in the first hour</th><td class="rk-num">2</td><td class="rk-num">1</td>' in shown
    assert "forward only" in shown
    assert "1 message" in shown and "more than 90 people" in shown
    assert not Enrolment.objects.exists()
    campaign.refresh_from_db()
    assert (campaign.state, campaign.forecast) == ("draft", {})


def test_the_button_launches_and_the_forecast_is_kept(campaign, ada):
    leave_cart(office.person(), clock.now() - MINUTE)
    assert "It looks forward only" in launch(ada, campaign)
    assert (campaign.state, campaign.state_reason) == ("running", "launched by ada")
    assert (campaign.forecast["hour"], campaign.forecast["expected"]) == (1, 1)
    assert "It is running" in look(ada, campaign)


def test_a_line_that_is_not_green_says_what_to_do_leads_there_and_bars_the_button(campaign, ada):
    office.set_up_shop(postal_address="")
    shown = look(ada, campaign)
    assert "1 thing to do" in shown and "The law asks for a postal address" in shown
    assert f'href="{reverse("admin:crm_shopsettings_changelist")}">mend it' in shown
    assert "disabled" in shown
    lines = shown[shown.index("rk-checks") :]
    assert lines.index("The law asks for") < lines.index("What people agreed to"), (
        "what is to do stands first"
    )
    assert "Mend first" in launch(ada, campaign)
    assert campaign.state == "draft"


def test_a_message_that_speaks_of_an_offer_its_step_lacks_leads_to_the_step(campaign, ada):
    blocks = [
        {"kind": "campaigns.coupon", "params": {"title": "For you"}},
        {"kind": "campaigns.footer", "params": {"because": "You left a cart."}},
    ]
    made = composing.made_of(blocks, PLAIN)
    wording = campaign.versions.get().steps.get(template__isnull=False).template.current
    wording.html, wording.text = mjml.compile_html(made.mjml), made.text
    wording.save()
    shown = look(ada, campaign)
    assert "speaks of an offer: choose one in step 1" in shown
    assert f"{reverse('admin:campaigns_campaign_change', args=[campaign.pk])}?step=first-message#" in shown
    assert "Step 1: Send “Abandoned cart: the first reminder”" in shown


def test_nobody_held_out_takes_a_deliberate_no(campaign, ada):
    Campaign.objects.update(control_share=0)
    assert "tick that this is on purpose" in launch(ada, campaign)
    assert campaign.state == "draft"
    launch(ada, campaign, no_control="on")
    assert campaign.state == "running"


def test_in_shadow(campaign, ada):
    assert "sends nothing" in launch(ada, campaign, shadow="on")
    assert (campaign.state, campaign.is_shadow) == ("running", True)


def test_existing_people_so_many_a_day(campaign, ada, monkeypatch):
    expecting(monkeypatch, 20, existing=8400)
    shown = look(ada, campaign)
    assert "Also start with these 8,400" in shown and 'value="300"' in shown
    assert "how many of them a day" in launch(ada, campaign, existing="also")
    assert "a whole number" in launch(ada, campaign, existing="also", a_day="many")
    assert campaign.state == "draft"
    assert "300 a day" in launch(ada, campaign, existing="also", a_day="300")
    assert (campaign.existing_a_day, campaign.state) == (300, "running")


def test_forward_only_ignores_a_number_a_day(campaign, ada, monkeypatch):
    expecting(monkeypatch, 20, existing=8400)
    launch(ada, campaign, existing="forward", a_day="300")
    assert campaign.existing_a_day is None


@pytest.mark.parametrize("people", [10_001, None])
def test_very_many_are_confirmed(campaign, ada, monkeypatch, people):
    expecting(monkeypatch, people)
    assert 'name="very_many"' in look(ada, campaign)
    assert "Tick that this is meant" in launch(ada, campaign)
    assert campaign.state == "draft"
    launch(ada, campaign, very_many="on")
    assert campaign.state == "running"


@pytest.mark.parametrize(
    "people, existing, permissions, may",
    [
        (500, None, [], True),
        (501, None, [], False),
        (20, 481, [], False),
        (501, None, ["campaigns.launch_campaign"], True),
        (10_001, None, ["campaigns.launch_campaign"], True),
        (10_001, None, ["campaigns.approve_launch"], False),
        (None, None, [], False),
    ],
)
def test_more_people_take_more_permission(campaign, monkeypatch, people, existing, permissions, may):
    expecting(monkeypatch, people, existing)
    mia = user("mia", "campaigns.view_campaign", "campaigns.change_campaign", *permissions)
    said = {"very_many": "on"} | ({"existing": "also", "a_day": "5"} if existing else {})
    shown = launch(logged_in(mia), campaign, **said)
    assert campaign.state == ("running" if may else "draft")
    assert may or "a permission that you do not have" in shown


def test_in_shadow_anybody_who_may_change_it_may_launch_to_many(campaign, monkeypatch):
    expecting(monkeypatch, 50_000)
    mia = user("mia", "campaigns.view_campaign", "campaigns.change_campaign")
    launch(logged_in(mia), campaign, shadow="on")
    assert campaign.state == "running"


def test_the_button_of_the_campaigns_page_asks_the_same(campaign, monkeypatch):
    expecting(monkeypatch, 501)
    mia = user("mia", "campaigns.view_campaign", "campaigns.change_campaign")
    act = reverse("admin:campaigns_campaign_act", args=[campaign.pk])
    assert "a permission that you do not have" in logged_in(mia).post(act, {"do": "launch"}).content.decode()
    campaign.refresh_from_db()
    assert campaign.state == "draft"


def test_an_onlooker_sees_the_page_without_its_button_and_a_stranger_does_not(campaign, vera, sten):
    assert "all is ready" in look(vera, campaign)
    assert 'value="launch"' not in look(vera, campaign)
    assert vera.post(address(campaign)).status_code == 403
    assert sten.get(address(campaign)).status_code == 403
    assert campaign.state == "draft"


def test_a_campaign_there_is_not_is_not_found(campaign, ada):
    assert ada.get(reverse("admin:campaigns_campaign_launch", args=[campaign.pk + 1])).status_code == 404
