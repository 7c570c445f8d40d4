"""The page behind an answer's link: it shows, says little, and only its button answers."""

import pytest
from django.core.cache import cache

from campaigns import views
from campaigns.models import Delivery, SurveyAnswer
from campaigns.surveys import links
from crm.kernel import clock, tokens
from crm.kernel.allowance import Allowance
from crm.models import Contact, ShopSettings
from crm.people.links import preferences_url
from tests.campaigns.surveys.stage import AT, HOUR, choice, path, sent, survey
from tracking.mail import links as mail_links

pytestmark = pytest.mark.django_db


@pytest.fixture
def about():
    return survey()


@pytest.fixture
def asked(about):
    return sent(about)[0]


@pytest.fixture
def browser(client):
    cache.clear()
    ShopSettings.objects.update(name="Quiet <Ears>", colour="#ffee00")
    with clock.frozen(AT + HOUR):
        yield client


def given():
    return list(SurveyAnswer.objects.order_by("pk").values_list("label", "words"))


def test_opening_the_link_shows_the_question_with_the_answer_chosen_and_changes_nothing(
    browser, about, asked
):
    where = path(asked, about, "Delivery")
    for _ in range(3):
        page = browser.get(f"{where}?answer=1&words=x&_method=POST")
        assert browser.head(where).status_code == 200
    text = page.content.decode()
    assert "What held you back?" in text and "Quiet &lt;Ears&gt;" in text
    assert f'value="{choice(about, "Delivery").pk}" checked' in text and text.count(" checked") == 1
    assert given() == []


def test_the_page_says_little_sets_nothing_and_may_not_be_kept(browser, about, asked):
    Contact.objects.update(first_name="Anastasia")
    page = browser.get(path(asked, about))
    text = page.content.decode()
    assert "p…@example.com" in text and "person1" not in text and "Anastasia" not in text
    assert page["X-Robots-Tag"] == "noindex, nofollow" and page["Cache-Control"] == "no-store"
    assert page["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert not page.cookies and "<script" not in text and " style=" not in text


def test_the_button_answers_and_words_may_follow(browser, about, asked):
    about.choices.filter(label="The price").update(thanks="We watch the <price>.")
    where, answer = path(asked, about), {"answer": choice(about, "The price").pk}
    text = browser.post(where, answer).content.decode()
    assert "We watch the &lt;price&gt;." in text and "<textarea" in text
    assert given() == [("The price", "")]
    text = browser.post(where, answer | {"words": " Too\0 dear for me. "}).content.decode()
    assert "has arrived" in text and "<textarea" not in text
    assert given() == [("The price", "Too dear for me.")]


def test_another_answer_than_the_tapped_one_can_be_chosen_on_the_page(browser, about, asked):
    browser.post(path(asked, about, "Delivery"), {"answer": choice(about, "The price").pk})
    assert given() == [("The price", "")]


@pytest.mark.parametrize("posted", [{}, {"answer": ""}, {"answer": "999999"}, {"answer": "x\0"}])
def test_a_post_without_an_answer_asks_for_one(browser, about, asked, posted):
    page = browser.post(path(asked, about), posted)
    assert page.status_code == 200 and "choose one of the answers" in page.content.decode()
    assert given() == []


def test_an_answer_of_another_survey_is_none(browser, about, asked):
    other = survey("other", "Red", "Blue", question="Which?")
    browser.post(path(asked, about), {"answer": choice(other, "Red").pk})
    assert given() == []


def test_what_was_answered_is_not_shown_to_whoever_opens_the_link_next(browser, about, asked):
    browser.post(path(asked, about), {"answer": choice(about, "The price").pk, "words": "My secret reason"})
    text = browser.get(path(asked, about, "Delivery")).content.decode()
    assert "secret" not in text and text.count(" checked") == 1


def test_a_test_message_thanks_and_counts_nothing(browser, about, asked):
    Delivery.objects.update(origin="test", test_address="ada@shop.example")
    text = browser.post(path(asked, about), {"answer": choice(about, "The price").pk}).content.decode()
    assert "nothing was counted" in text and given() == []


def test_tokens_of_other_pages_bent_and_guessed_ones_open_nothing(browser, about, asked, monkeypatch):
    monkeypatch.setattr(views, "_GUESSES", Allowance("guesses", most=1000, seconds=30))
    contact = Contact.objects.get()
    token = path(asked, about).rpartition("/")[2]
    hashed = (bytes(asked.address_hash), asked.purpose_id, asked.public_id)
    payload = tokens.read(tokens.Purpose.SURVEY, token)
    others = [
        preferences_url(*hashed).rpartition("/")[2],
        mail_links.open_url(asked.public_id, contact.pk).rpartition("/")[2],
        *(tokens.sign(purpose, payload) for purpose in tokens.Purpose if purpose != "survey"),
        links.answer_url(contact.pk, choice(about, "The price").pk).rpartition("/")[2],
        links.answer_url(asked.public_id, 2**62).rpartition("/")[2],
        token[:-1],
        token + "A",
        "1",
    ]
    bodies = set()
    for other in others:
        for ask in (browser.get, browser.post):
            page = ask(f"/s/{other}")
            assert page.status_code == 404, other
            bodies.add(page.content)
    assert len(bodies) == 1 and given() == []


def test_whoever_guesses_again_and_again_is_told_to_wait_and_others_are_not(browser, about, asked):
    answers = {browser.get(f"/s/{number}").status_code for number in range(40)}
    assert answers == {404, 429}
    assert browser.get(path(asked, about)).status_code == 200
    assert browser.get("/s/x", REMOTE_ADDR="198.51.100.7").status_code == 404


def test_hammering_one_message_is_limited_and_keeps_what_was_said(browser, about, asked):
    where = path(asked, about)
    labels = ["The price", "Delivery"]
    codes = [
        browser.post(where, {"answer": choice(about, labels[number % 2]).pk}).status_code
        for number in range(25)
    ]
    assert codes[:20] == [200] * 20 and set(codes[21:]) == {429}
    assert SurveyAnswer.objects.filter(replaced_at=None).count() == 1
    assert browser.get(where).status_code == 200


def test_whoever_was_forgotten_is_asked_nothing(browser, about, asked):
    where = path(asked, about)
    Contact.objects.all().delete()
    assert browser.get(where).status_code == browser.post(where).status_code == 404


def test_other_verbs_are_refused(browser, about, asked):
    where = path(asked, about)
    assert browser.put(where).status_code == browser.delete(where).status_code == 405
