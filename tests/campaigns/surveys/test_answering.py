"""Answers are kept once a message; a second tap corrects the first, and both stay readable."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from campaigns.models import SurveyAnswer, SurveyChoice
from campaigns.surveys import answering, counting, links
from crm.kernel import timeline
from crm.models import Contact
from tests.campaigns.surveys.stage import AT, HOUR, answers, person, sent, survey


@pytest.fixture
def about(db):
    return survey()


def test_the_same_answer_twice_is_one(about):
    [asked] = sent(about)
    answers(asked, about)
    answers(asked, about, at=AT + HOUR)
    assert SurveyAnswer.objects.get().occurred_at == AT


def test_a_second_tap_corrects_the_first_and_the_timeline_tells_both(about):
    [asked] = sent(about)
    answers(asked, about, "The price", "Too dear <b>")
    answers(asked, about, "Delivery", at=AT + HOUR)
    first, second = SurveyAnswer.objects.order_by("occurred_at")
    assert (first.replaced_at, second.replaced_at) == (AT + HOUR, None)
    told = timeline.read(person(asked).pk, kinds=["answer"]).entries
    assert [entry.title for entry in told] == [
        "Answered “Delivery” to “What held you back?”",
        "Answered “The price” to “What held you back?”",
    ]
    assert "corrected later" in told[1].detail and "Too dear <b>" in told[1].detail


def test_other_words_to_the_same_answer_take_the_place_of_the_first(about):
    [asked] = sent(about)
    answers(asked, about, words="One")
    answers(asked, about, words="Two", at=AT + HOUR)
    assert [row.words for row in counting.answers(about)] == ["Two"]
    assert SurveyAnswer.objects.count() == 2


def test_an_answer_keeps_the_words_it_was_given_to(about):
    [asked] = sent(about)
    answers(asked, about)
    SurveyChoice.objects.filter(label="The price").update(label="Money")
    assert SurveyAnswer.objects.get().label == "The price"


def test_who_was_merged_into_another_answers_as_that_one(about):
    first, second = sent(about, 2)
    Contact.objects.filter(pk=first.contact_id).update(merged_into=person(second))
    answers(first, about)
    assert SurveyAnswer.objects.get().contact_id == second.contact_id


def test_who_was_erased_is_asked_nothing_more(about):
    [asked] = sent(about)
    tapped = links.answer_url(asked.public_id, SurveyChoice.objects.first().pk).rpartition("/")[2]
    assert answering.question(tapped) is not None
    Contact.objects.filter(pk=asked.contact_id).update(erased_at=AT)
    assert answering.question(tapped) is None


def test_counts_leave_out_test_persons_and_corrected_answers(about):
    asked = sent(about, 5)
    for one, label in zip(asked, ["The price", "The price", "Delivery", "Delivery"], strict=False):
        answers(one, about, label)
    answers(asked[2], about, "The price", at=AT + HOUR)
    Contact.objects.filter(pk=asked[3].contact_id).update(is_test=True)
    found = counting.counts(about)
    assert (found.asked, found.answered, found.rate) == (5, 3, 60)
    assert [(bar.choice.label, bar.number, bar.share) for bar in found.bars] == [
        ("The price", 3, 100),
        ("Delivery", 0, 0),
        ("Something else", 0, 0),
    ]


def test_an_answer_no_longer_offered_still_counts(about):
    [asked] = sent(about)
    answers(asked, about, "Delivery")
    about.choices.filter(label__in=["Delivery", "Something else"]).update(is_offered=False)
    assert [bar.choice.label for bar in counting.counts(about).bars] == ["The price", "Delivery"]


@pytest.mark.django_db(transaction=True)
def test_two_taps_at_the_same_moment_leave_one_answer():
    about = survey()
    [asked] = sent(about)
    start = Barrier(4)

    def tap(label):
        start.wait()
        try:
            answers(asked, about, label, at=AT + timedelta(seconds=1))
        finally:
            connection.close()

    taps = [Thread(target=tap, args=[label]) for label in ("The price", "Delivery") * 2]
    for one in taps:
        one.start()
    for one in taps:
        one.join()
    assert SurveyAnswer.objects.filter(replaced_at=None).count() == 1
