"""The pages behind a message's links: they say little, set nothing, and change only by a button."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from crm.kernel import clock, tokens
from crm.models import (
    ConsentDetail,
    ConsentEvent,
    ContactPoint,
    MarketingPause,
    Purpose,
    ShopSettings,
)
from crm.people import links, pausing
from crm.people.consent import Said, may_send, record
from crm.people.identity import Known, resolve

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
MESSAGE = UUID(int=7)
ANA = tokens.address_hash("email", "ana.smith@example.com")[0]


@pytest.fixture
def ana(db):
    resolve([Known(email="ana.smith@example.com", first_name="Anastasia")], NOW, source="shop")
    ShopSettings.objects.update(name="Quiet <Ears>", colour="#ffee00", postal_address="1 Road\nTown")
    for key in ("cart_recovery", "newsletter"):
        record([Said(ANA, "email", key, "granted", NOW, "form", wording="Yes <b>please</b>.")], NOW)
    return Purpose.objects.get(key="cart_recovery").pk


def path(build, purpose_id):
    return build(ANA, purpose_id, MESSAGE).split("8000")[-1]


def may(key="cart_recovery"):
    return may_send(ANA, "email", key)[0]


@pytest.fixture
def browser(client):
    with clock.frozen(NOW + timedelta(hours=1)):
        yield client


@pytest.mark.parametrize("build", [links.unsubscribe_url, links.preferences_url, links.why_url])
def test_a_page_says_little_sets_nothing_and_may_not_be_kept(browser, ana, build):
    answer = browser.get(path(build, ana))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "a…@example.com" in text and "ana.smith" not in text and "Anastasia" not in text
    assert "Quiet &lt;Ears&gt;" in text and "1 Road<br>Town" in text
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert not answer.cookies and "Cookie" not in answer.get("Vary", "")
    assert "<script" not in text and " style=" not in text and "javascript" not in text
    assert browser.head(path(build, ana)).status_code == 200
    assert ConsentEvent.objects.count() == 2


def test_the_button_unsubscribes_from_that_purpose_alone(browser, ana):
    page = browser.get(path(links.unsubscribe_url, ana)).content.decode()
    assert "Reminders of your cart" in page and '<form method="post">' in page
    answer = browser.post(
        path(links.unsubscribe_url, ana), HTTP_USER_AGENT="Mail\0er" * 90, REMOTE_ADDR="203.0.113.9"
    )
    assert answer.status_code == 200 and "no longer write" in answer.content.decode()
    assert not may() and may("newsletter")
    detail = ConsentDetail.objects.get(event__action="withdrawn")
    assert (detail.ip_truncated, detail.source_ref) == ("203.0.113.0", str(MESSAGE))


def test_preferences_take_off_and_bring_back(browser, ana):
    where = path(links.preferences_url, ana)
    page = browser.get(where).content.decode()
    assert page.count("checked") == 2 and "About your orders" not in page.split("<form")[1]
    browser.post(where, {"purpose": ["newsletter", "win_back", "no_such"], "save": "1"})
    assert not may() and may("newsletter") and may("win_back")
    browser.post(where, {"purpose": ["newsletter", "cart_recovery"], "save": "1"})
    assert may() and not may("win_back")
    browser.post(where, {"everything": "1"})
    assert not may() and not may("newsletter")
    answer = browser.post(where, {"purpose": ["newsletter"], "save": "1"})
    assert "Saved" in answer.content.decode()
    assert may("newsletter") and not may()


def test_a_post_without_a_button_changes_nothing_on_the_preferences(browser, ana):
    assert browser.post(path(links.preferences_url, ana), {"purpose": "win_back"}).status_code == 200
    assert may() and not may("win_back")


def test_one_may_not_choose_for_an_address_that_complained(browser, ana):
    record([Said(ANA, "email", None, "complained", NOW, "provider")], NOW)
    where = path(links.preferences_url, ana)
    answer = browser.post(where, {"purpose": ["newsletter"], "save": "1"})
    assert "never write to this address" in answer.content.decode()
    assert not may("newsletter")


def test_why_tells_when_and_with_which_words(browser, ana):
    page = browser.get(path(links.why_url, ana)).content.decode()
    assert "2 March 2026" in page and "Yes &lt;b&gt;please&lt;/b&gt;." in page
    record([Said(ANA, "email", "cart_recovery", "withdrawn", NOW, "form")], NOW)
    assert "no longer does" in browser.get(path(links.why_url, ana)).content.decode()


def test_a_broken_link_says_what_to_do(browser, ana):
    where = path(links.unsubscribe_url, ana)
    for broken in (where[:-1], where + "A", "/u/x", "/p/%00", "/why/é"):
        answer = browser.get(broken)
        assert answer.status_code == 404
        assert "not complete" in answer.content.decode() and answer["Cache-Control"] == "no-store"
        assert browser.post(broken).status_code in (404, 405)
    assert browser.put(where).status_code == browser.delete(where).status_code == 405
    assert ConsentEvent.objects.count() == 2


def test_the_links_work_for_somebody_who_is_no_longer_here(browser, ana):
    other = tokens.address_hash("email", "gone@example.com")[0]
    where = links.unsubscribe_url(other, ana, MESSAGE).split("8000")[-1]
    assert "this address" in browser.get(where).content.decode()
    assert browser.post(where).status_code == 200
    assert may_send(other, "email", "cart_recovery") == (False, "unsubscribed")


@pytest.mark.parametrize(
    ("colour", "on"), [("#ffee00", "#111111"), ("#102030", "#ffffff"), ("red;}", "#ffffff")]
)
def test_the_style_sheet_has_the_shops_colour_and_text_one_can_read(browser, db, colour, on):
    ShopSettings.objects.update(colour=colour[:7])
    css = browser.get("/look.css")
    assert css["Content-Type"].startswith("text/css")
    assert f"--on-shop: {on};" in css.content.decode() and "red;}" not in css.content.decode()


def test_a_pause_of_thirty_days_is_one_button_and_ends_with_another(browser, ana):
    where = path(links.preferences_url, ana)
    assert "Pause for 30 days" in browser.get(where).content.decode()
    assert not MarketingPause.objects.exists()
    text = browser.post(where, {"rest": "1"}).content.decode()
    assert "You hear nothing from us until 1 April 2026." in text
    # What they agreed to stands, and a pause is taken once, however often the button is pressed.
    browser.post(where, {"rest": "1"})
    assert may() and MarketingPause.objects.get(ended_at=None).by == ""
    assert "Pause for 30 days" in browser.post(where, {"go_on": "1"}).content.decode()
    assert not MarketingPause.objects.filter(ended_at=None).exists()


def test_a_longer_pause_by_a_colleague_is_not_cut_short(browser, ana):
    contact = ContactPoint.objects.get().contact_id
    pausing.pause(contact, NOW + timedelta(days=90), NOW, by="ada")
    browser.post(path(links.preferences_url, ana), {"rest": "1"})
    assert MarketingPause.objects.get(ended_at=None).by == "ada"
