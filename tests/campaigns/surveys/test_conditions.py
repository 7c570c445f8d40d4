"""What rules ask of surveys: who answered what as of any instant, and who was asked and said nothing."""

import pytest

from campaigns.surveys import segments
from crm.audience import segmentation
from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.models import Contact
from tests.campaigns.surveys.stage import AT, DAY, HOUR, answers, choice, sent, survey

pytestmark = pytest.mark.django_db


@pytest.fixture
def about():
    return survey()


def rule(kind, **params):
    return {"all": [{"kind": kind, "params": params}]}


def meant(document, at, *, current=False):
    found = Contact.objects.filter(rules.compile(document, at, Scope(current=current)))
    return set(found.values_list("first_name", flat=True))


def test_who_answered_so_as_of_then(about):
    first, second, _silent = sent(about, 3)
    price = rule("campaigns.answered", survey="why_not", answer=str(choice(about, "The price").pk))
    anything = rule("campaigns.answered", survey="why_not")
    answers(first, about, "The price", at=AT + HOUR)
    answers(second, about, "Delivery", at=AT + HOUR)
    answers(first, about, "Delivery", at=AT + 3 * HOUR)
    assert meant(price, AT) == set()
    assert meant(price, AT + 2 * HOUR) == {"Person1"}
    assert meant(price, AT + 3 * HOUR) == meant(price, AT + 3 * HOUR, current=True) == set()
    assert meant(anything, AT + 3 * HOUR) == {"Person1", "Person2"}
    lately = rule("campaigns.answered", survey="why_not", within_days="2")
    assert meant(lately, AT + 2 * DAY) == {"Person1", "Person2"} and meant(lately, AT + 3 * DAY) == set()


def test_who_was_asked_and_did_not_answer(about):
    first, _second = sent(about, 2)
    silent = rule("campaigns.asked_no_answer", survey="why_not", days="30", wait="3")
    answers(first, about, at=AT + HOUR)
    assert meant(silent, AT + DAY) == set(), "there is time yet"
    assert meant(silent, AT + 3 * DAY) == meant(silent, AT + 3 * DAY, current=True) == {"Person2"}
    assert meant(silent, AT + 31 * DAY) == set()
    other = survey("other")
    never = rule("campaigns.asked_no_answer", survey=other.slug, days="30", wait="0")
    assert meant(never, AT + DAY) == set()


def test_a_rule_says_why(about):
    [asked] = sent(about)
    answers(asked, about)
    document = rule("campaigns.answered", survey="why_not", answer=str(choice(about, "Delivery").pk))
    assert rules.sentence(document) == "People who answered “What held you back?” with “Delivery”."
    assert why(document, asked) == (False, "answered “The price” on 2 March 2026")
    silent = rule("campaigns.asked_no_answer", survey="why_not", days="9")
    assert why(silent, asked) == (False, "asked on 2 March 2026, answered on 2 March 2026")


def why(document, asked):
    found = rules.explain(Contact.objects.filter(pk=asked.contact_id), document, AT + DAY)
    assert found is not None and found.root is not None
    return found.is_match, found.root.leaves()[0].evidence


def test_an_answer_of_another_survey_is_a_mistake_and_means_nobody(about):
    other = survey("other", "Red", "Blue", question="Which?")
    bad = rule("campaigns.answered", survey="why_not", answer=str(choice(other, "Red").pk))
    [problem] = rules.problems(bad)
    assert "no answer of “What held you back?”" in str(problem)
    assert meant(bad, AT) == set()


def test_a_segment_learns_of_an_answer_at_the_next_sweep_and_of_silence_by_time(about):
    [first, second] = sent(about, 2)
    price = segments.of_answer(about, choice(about, "The price"), AT)
    silent = segments.of_silent(about, AT)
    for one in (price, silent):
        segmentation.refresh(one, AT + HOUR)
    assert (price.size, silent.size) == (0, 0)
    answers(first, about, at=AT + 2 * HOUR)
    assert segmentation.sweep(price, AT + 2 * HOUR) == 1 and price.size == 1
    answers(first, about, "Delivery", at=AT + 3 * HOUR)
    assert segmentation.sweep(price, AT + 3 * HOUR) == 1 and price.size == 0
    for hours in range(4, 80, 4):
        segmentation.sweep(silent, AT + hours * HOUR)
    assert list(silent.memberships.filter(left_at=None).values_list("contact_id", flat=True)) == [
        second.contact_id
    ]


def test_one_click_twice_is_one_segment(about):
    made = segments.of_answer(about, None, AT)
    assert segments.of_answer(about, None, AT) == made
    survey("again")
    assert str(segments.of_answer(survey("third"), None, AT)) == "Answered: What held you back? 2"
