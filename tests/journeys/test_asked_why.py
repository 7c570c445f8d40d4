"""Ana comes by a message and buys nothing; three days later a person asks her why. Boris bought: he is
thanked and is a VIP from then on. Chen's link was only opened by a scanner: neither.
"""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from campaigns.models import Survey, SurveyAnswer
from campaigns.surveys import counting
from crm.kernel import timeline
from crm.models import Segment
from crm.people import statuses
from tests.journeys.doors import BROWSER, SHOP, Browser, ask, links_of
from tests.journeys.shopfloor import DAY, HOUR, MINUTE, World, opened, person, text_of

SPEAKERS = {
    "product_id": "fjord-40",
    "name": "Fjord 40 speakers",
    "price": "249.00",
    "url": f"{SHOP}/p/fjord-40",
}
SCANNER = {"User-Agent": "Mozilla/5.0 (compatible; LinkScanner/1.0)"}
NAMES = ("ana", "boris", "chen")


@pytest.fixture
def world(transactional_db) -> Iterator[World]:
    with opened() as world:
        world.mia.launches("ask_why")
        world.mia.launches("thank_vip")
        world.mia.launches("abandoned_cart", world.mia.makes_offer("First order", rung="1"))
        yield world


def reminder(world: World, name: str) -> list[str]:
    [message] = world.mail_to(name)
    return [link for link in links_of(message) if "/k/" in link]


def clicks_and_looks(browser: Browser, link: str) -> None:
    asked = parse_qs(urlsplit(browser.follow(link)).query)
    browser.tell("landing", rk=asked["rk"][0])
    browser.tell("product", **SPEAKERS)


def page(world: World, method: str, link: str, headers: dict[str, str], **form: str) -> tuple[int, str]:
    sent = headers | ({"Content-Type": "application/x-www-form-urlencoded"} if form else {})
    answer, body = ask(world.web, method, urlsplit(link).path, urlencode(form) or None, sent)
    return answer.status, body.decode()


def test_the_story(world: World):
    ana, boris, chen = (world.knows(name) for name in NAMES)
    for name, browser in zip(NAMES, (ana, boris, chen), strict=True):
        browser.cart(f"till-{name}", SPEAKERS)
    world.later(8 * MINUTE)
    clicks_and_looks(ana, reminder(world, "ana")[0])
    clicks_and_looks(boris, reminder(world, "boris")[0])
    for link in reminder(world, "chen"):
        for method in ("HEAD", "GET"):
            ask(world.collector, method, urlsplit(link).path, headers=SCANNER)
    for name, browser in zip(NAMES, (ana, boris, chen), strict=True):
        browser.cart(f"till-{name}")
    world.later(HOUR)
    world.orders("boris", "4711", price="249.00")
    world.later(70 * HOUR)
    assert world.mailed(*NAMES) == [1, 1, 1]

    world.later(2 * HOUR)
    world.morning()
    assert world.mailed(*NAMES) == [2, 2, 1]
    thanks = world.mail_to("boris")[1]
    assert thanks["Subject"] == "Thank you, Boris" and "You are one of our regulars now" in text_of(thanks)
    assert "off" not in re.findall(r"\w+", text_of(thanks)), "no discount"
    held = statuses.holders([person("boris").pk], world.hand.at)
    assert list(held.values()) == [{person("boris").pk}]

    question = world.mail_to("ana")[1]
    assert question["Subject"] == "What held you back?" and "Mei" in question["Reply-To"]
    html = question.get_body(("html",)).get_content()
    links = [link for link in links_of(question) if "/s/" in link]
    assert len(links) == 5 and all(link in html for link in links)

    for link in links:
        for method in ("HEAD", "GET", "GET"):
            assert page(world, method, link, SCANNER)[0] == 200
    assert not SurveyAnswer.objects.exists(), "a scanner has answered nothing"

    status, shown = page(world, "GET", links[0], BROWSER)
    [chosen] = re.findall(r'value="(\d+)" checked', shown)
    assert status == 200 and "a…@example.com" in shown and "Ana" not in shown
    status, thanked = page(world, "POST", links[0], BROWSER, answer=chosen)
    assert status == 200 and "we write to you when it costs less" in thanked
    page(world, "POST", links[0], BROWSER, answer=chosen, words="A bit dear for <me>")

    contact = person("ana")
    told = [entry for entry in timeline.read(contact.pk).entries if entry.kind == "answer"]
    assert [entry.title for entry in told] == ["Answered “The price” to “What held you back?”"]
    survey = Survey.objects.get()
    counts = counting.counts(survey)
    assert (counts.asked, counts.answered, counts.bars[0].number) == (1, 1, 1)

    assert "A bit dear for <me>" in world.mia.reads("campaigns_survey_change", survey.pk)
    world.mia.presses("campaigns_survey_segment", survey.pk, of=chosen)
    world.later(MINUTE)
    segment = Segment.objects.get()
    assert [stay.contact_id for stay in segment.memberships.all()] == [contact.pk]

    other = re.findall(r'name="answer" value="(\d+)"', shown)[1]
    page(world, "POST", links[1], BROWSER, answer=other)
    world.later(MINUTE)
    assert not segment.memberships.filter(left_at=None).exists(), "she changed her mind"
    for _ in range(4):
        world.later(20 * DAY)
    assert world.mailed("ana") == [2], "nobody is asked twice"
