"""Ana comes by a message and buys nothing; three days later a person asks her why. Boris bought, and Chen's
link was only opened by a scanner: neither is asked.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.urls import reverse

from campaigns.flows import launching
from campaigns.flows.kinds import playbooks
from campaigns.models import Survey, SurveyAnswer
from campaigns.surveys import counting
from config.simulate import servers, stage
from config.simulate.sink import Sink
from crm.kernel import clock, timeline
from crm.models import Contact, Segment
from crm.ticking import run_tick
from tests.journeys.doors import BROWSER, SHOP, Browser, Server, ask, links_of
from tests.office import logged_in, user

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SPEAKERS = {
    "product_id": "fjord-40",
    "name": "Fjord 40 speakers",
    "price": "249.00",
    "url": f"{SHOP}/p/fjord-40",
}
AGREED = [
    {"purpose": purpose, "granted": True, "wording": f"Yes to {purpose}", "locale": "en"}
    for purpose in ("cart_recovery", "newsletter", "click_tracking", "open_tracking")
]
SCANNER = {"User-Agent": "Mozilla/5.0 (compatible; LinkScanner/1.0)"}
TICKS = [
    *("tracking.ingest", "tracking.bought", "campaigns.trigger", "campaigns.advance", "campaigns.deliver"),
    *("campaigns.reap", "campaigns.credit", "tracking.tidy", "crm.segments"),
]


class World:
    """A shop with both plays launched, its doors on real sockets, and the clock in our hand."""

    def __init__(self, hand: clock.Hand, sink: Sink, collector: int, web: int, server_key: str) -> None:
        self.hand, self.sink, self.collector, self.web = hand, sink, collector, web
        self.shop = Server(web, server_key)

    def later(self, by: timedelta) -> None:
        """Time passes, and everything scheduled gets its turn."""
        self.hand.advance(by)
        for name in TICKS:
            run_tick(name, self.hand.at)

    def mail_to(self, address: str) -> list[EmailMessage]:
        found = [one.raw for one in self.sink.arrivals if one.to == address]
        return [message_from_bytes(raw, policy=policy.default) for raw in found]  # type: ignore[misc]

    def page(self, method: str, link: str, headers: dict[str, str], **form: str) -> tuple[int, str]:
        sent = headers | ({"Content-Type": "application/x-www-form-urlencoded"} if form else {})
        answer, body = ask(self.web, method, urlsplit(link).path, urlencode(form) or None, sent)
        return answer.status, body.decode()


@pytest.fixture
def world(transactional_db) -> Iterator[World]:
    with stage.by_hand(MORNING) as hand, servers.mailbox() as sink, stage.mail_into(sink):
        key = stage.set_up(MORNING)
        stage.make_campaign(MORNING)
        why = playbooks.get("campaigns.ask_why").make(MORNING, control_share=Decimal(0))
        launching.launch(why, "mia", MORNING)
        with servers.collector() as collector, servers.web() as web:
            yield World(hand, sink, collector, web, key)


def comes(world: World, name: str) -> Browser:
    """Somebody fills a cart, leaves, and gets the reminder."""
    browser = Browser(world.collector)
    browser.identify(f"{name}@example.com", first_name=name.title(), consents=AGREED)
    browser.cart(f"till-{name}", SPEAKERS)
    return browser


def reminder(world: World, name: str) -> list[str]:
    [message] = world.mail_to(f"{name}@example.com")
    return [link for link in links_of(message) if "/k/" in link]


def clicks_and_looks(browser: Browser, link: str) -> None:
    asked = parse_qs(urlsplit(browser.follow(link)).query)
    browser.tell("landing", rk=asked["rk"][0])
    browser.tell("product", **SPEAKERS)


def test_the_story(world: World):
    ana, boris, chen = (comes(world, name) for name in ("ana", "boris", "chen"))
    world.later(8 * MINUTE)
    clicks_and_looks(ana, reminder(world, "ana")[0])
    clicks_and_looks(boris, reminder(world, "boris")[0])
    for link in reminder(world, "chen"):
        for method in ("HEAD", "GET"):
            ask(world.collector, method, urlsplit(link).path, headers=SCANNER)
    for browser, name in ((ana, "ana"), (boris, "boris"), (chen, "chen")):
        browser.cart(f"till-{name}")
    world.later(HOUR)
    world.shop.order(id="4711", email="boris@example.com", total="249.00", currency="EUR")
    world.later(70 * HOUR)
    assert [len(world.mail_to(f"{name}@example.com")) for name in ("ana", "boris", "chen")] == [1, 1, 1]

    world.later(2 * HOUR)
    assert [len(world.mail_to(f"{name}@example.com")) for name in ("ana", "boris", "chen")] == [2, 1, 1]
    question = world.mail_to("ana@example.com")[1]
    assert question["Subject"] == "What held you back?" and "Mei" in question["Reply-To"]
    html = question.get_body(("html",)).get_content()
    links = [link for link in links_of(question) if "/s/" in link]
    assert len(links) == 5 and all(link in html for link in links)

    for link in links:
        for method in ("HEAD", "GET", "GET"):
            assert world.page(method, link, SCANNER)[0] == 200
    assert not SurveyAnswer.objects.exists(), "a scanner has answered nothing"

    status, shown = world.page("GET", links[0], BROWSER)
    [chosen] = re.findall(r'value="(\d+)" checked', shown)
    assert status == 200 and "a…@example.com" in shown and "Ana" not in shown
    status, thanks = world.page("POST", links[0], BROWSER, answer=chosen)
    assert status == 200 and "we write to you when it costs less" in thanks
    world.page("POST", links[0], BROWSER, answer=chosen, words="A bit dear for <me>")

    contact = Contact.objects.get(email="ana@example.com")
    told = [entry for entry in timeline.read(contact.pk).entries if entry.kind == "answer"]
    assert [entry.title for entry in told] == ["Answered “The price” to “What held you back?”"]
    survey = Survey.objects.get()
    counts = counting.counts(survey)
    assert (counts.asked, counts.answered, counts.bars[0].number) == (1, 1, 1)

    mia = logged_in(user("mia", is_superuser=True))
    page = reverse("admin:campaigns_survey_change", args=[survey.pk])
    assert "A bit dear for &lt;me&gt;" in mia.get(page).content.decode()
    mia.post(reverse("admin:campaigns_survey_segment", args=[survey.pk]), {"of": chosen})
    world.later(MINUTE)
    segment = Segment.objects.get()
    assert [stay.contact_id for stay in segment.memberships.all()] == [contact.pk]

    other = re.findall(r'name="answer" value="(\d+)"', shown)[1]
    world.page("POST", links[1], BROWSER, answer=other)
    world.later(MINUTE)
    assert not segment.memberships.filter(left_at=None).exists(), "she changed her mind"
    for _ in range(4):
        world.later(timedelta(days=20))
    assert len(world.mail_to("ana@example.com")) == 2, "nobody is asked twice"
