"""The calendar's page."""

from __future__ import annotations

import pytest
from django.urls import reverse

from campaigns.models import Campaign, Step
from crm.kernel import clock
from tests import office
from tests.campaigns import mailing
from tests.campaigns.flows.stage import SEND, flow
from tests.campaigns.flows.test_planning import inside

URL = "admin:campaigns_campaign_calendar"


@pytest.fixture
def running(db) -> Campaign:
    office.set_up_shop()
    campaign = flow(SEND)
    inside(campaign, mailing.people(1, campaign.purpose)[0], clock.now())
    return campaign


def look(client, **asked) -> str:
    return " ".join(client.get(reverse(URL), asked).content.decode().split())


def test_it_shows_what_is_planned_and_leads_there(running, vera):
    shown = look(vera)
    assert "about 1 message" in shown
    assert reverse("admin:campaigns_campaign_change", args=[running.pk]) in shown


def test_an_empty_one_says_what_to_do(db, ada):
    office.set_up_shop()
    shown = look(ada)
    assert "Nothing is planned" in shown and "Start from a playbook" in shown


def test_it_is_filtered_and_a_filter_that_finds_nothing_says_so(running, ada):
    other = flow(SEND, name="Other")
    assert "about 1 message" in look(ada, campaign=running.pk)
    shown = look(ada, campaign=other.pk)
    assert "Nothing is planned of what you chose" in shown and "Show all campaigns" in shown
    assert "about 1 message" in look(ada, channel="email")
    Step.objects.update(kind="campaigns.wait", params={"length": "1", "unit": "days"})
    assert "Nothing is planned of what you chose" in look(ada, channel="email")


@pytest.mark.parametrize("asked", [{"campaign": "x"}, {"segment": "\0"}, {"channel": "pigeon"}])
def test_what_names_nothing_asks_for_all(running, ada, asked):
    assert "about 1 message" in look(ada, **asked)


def test_a_stranger_sees_nothing(running, sten):
    assert sten.get(reverse(URL)).status_code == 403
