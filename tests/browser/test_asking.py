"""A survey as a marketer sees its answers, and its page as the person sees it, also at phone width."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.flows.playbooks import ask_why, thank_vip
from campaigns.models import Delivery, Survey, SurveyAnswer
from crm.kernel import clock
from crm.models import Contact, Segment, Status
from crm.people import statuses
from tests.browser import pictures
from tests.browser.widths import fits
from tests.campaigns.surveys.stage import answers, path, sent
from tests.office import set_up_shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def asked() -> Survey:
    set_up_shop()
    now = clock.now()
    survey = ask_why.survey(now)
    messages = sent(survey, 9, now - timedelta(days=2))
    labels = ["The price"] * 3 + ["Something else"] + ["The price", "Delivery: how long, or what it costs"]
    for number, (message, label) in enumerate(zip(messages, labels, strict=False)):
        words = ["", "A little dear for a gift, and <b>no</b> way to pay later."][number == 1]
        answers(message, survey, label, words, now - timedelta(hours=number))
    first = Contact.objects.get(pk=messages[0].contact_id)
    statuses.grant(first.pk, thank_vip.vip(now), now, "mia")
    return survey


@pytest.fixture
def office(live_server: LiveServer, page: Page) -> Page:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="secret"))
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    return page


def test_one_tap_opens_and_one_button_answers(
    live_server: LiveServer, page: Page, complaints: list[str], asked: Survey
) -> None:
    message = Delivery.objects.get(contact_id=Contact.objects.get(first_name="Person9").pk)
    page.goto(live_server.url + path(message, asked, "I did not find what I wanted"))
    expect(page.get_by_role("radio", name="I did not find what I wanted")).to_be_checked()
    pictures.keep(page, "survey-question")
    fits(page)
    mine = SurveyAnswer.objects.filter(delivery_id=message.pk)
    assert not mine.exists()
    page.get_by_role("radio", name="Something else").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("heading", name="Your answer: Something else")).to_be_visible()
    pictures.keep(page, "survey-thanks")
    fits(page)
    page.get_by_label("Would you tell us more?").fill("A red one.")
    page.get_by_role("button", name="Send these words").click()
    expect(page.get_by_role("heading", name="it has arrived")).to_be_visible()
    assert (mine.get().label, mine.get().words) == ("Something else", "A red one.")
    assert complaints == []


def test_a_marketer_reads_the_answers_and_makes_a_segment(
    live_server: LiveServer, office: Page, complaints: list[str], asked: Survey
) -> None:
    page = office
    page.goto(f"{live_server.url}/admin/campaigns/survey/{asked.pk}/change/")
    expect(page.get_by_role("row", name="The price").first).to_contain_text("67")
    pictures.keep(page, "survey-answers")
    fits(page)
    page.get_by_role("button", name="of who answered The price").click()
    expect(page.get_by_text("keeps itself up from now on")).to_be_visible()
    assert Segment.objects.get().name == "Answered “The price”: What held you back?"
    holder = Contact.objects.get(first_name="Person1")
    page.goto(f"{live_server.url}/admin/crm/contact/{holder.pk}/change/")
    expect(page.locator(".rk-mark")).to_contain_text("VIP")
    pictures.keep(page, "status-contact")
    fits(page)
    page.goto(f"{live_server.url}/admin/crm/status/{Status.objects.get().pk}/change/")
    expect(page.get_by_text("person holds")).to_be_visible()
    pictures.keep(page, "status-page")
    fits(page)
    page.goto(f"{live_server.url}/admin/campaigns/campaign/")
    page.get_by_role("heading", name="Start from a playbook").click()
    expect(page.get_by_text("Ask them why").first).to_be_visible()
    pictures.keep(page, "asking-playbooks")
    assert complaints == []
