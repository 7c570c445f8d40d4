"""The page of a survey: written in one form, its answers as bars, segments by one click."""

import pytest
from django.urls import reverse

from campaigns.models import Survey, SurveyChoice
from crm.models import Segment
from tests.campaigns.surveys.stage import AT, answers, choice, person, sent, survey
from tests.office import logged_in, user

pytestmark = pytest.mark.django_db


def page(about):
    return reverse("admin:campaigns_survey_change", args=[about.pk])


def form(*rows, **changes):
    """What the form of a survey posts; each row: label, and what else of it."""
    kept = sum("id" in more for _label, more in rows)
    posted = {
        "question": "Why & how?",
        "thanks": "Thank you.",
        "words_label": "",
        "choices-TOTAL_FORMS": len(rows),
        "choices-INITIAL_FORMS": kept,
    }
    for number, (label, more) in enumerate(rows):
        one = {"label": label, "is_offered": "on", "position": number} | more
        posted |= {f"choices-{number}-{name}": value for name, value in one.items() if value != ""}
    return posted | changes


def test_a_survey_is_written_in_one_form_and_gets_a_name(ada):
    where = reverse("admin:campaigns_survey_add")
    assert "made from the question" in ada.get(where).content.decode()
    ada.post(where, form(("Red", {}), ("Blue", {})))
    made = Survey.objects.get()
    assert made.slug == "why_how" and [str(one) for one in made.choices.all()] == ["Red", "Blue"]
    ada.post(where, form(("Red", {}), ("Blue", {})))
    assert Survey.objects.latest("pk").slug == "why_how_2"
    refused = ada.post(where, form(("Red", {}), ("Blue", {}), slug="why_how")).content.decode()
    assert "There is a survey called why_how already" in refused
    refused = ada.post(where, form(("Red", {}), ("Blue", {}), slug="Why-how")).content.decode()
    assert "Small letters, digits and _" in refused


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["Red"], "Offer 2 to 8 answers: here are 1."),
        ([f"Answer {number}" for number in range(9)], "here are 9"),
        (["Red", "red"], "Two answers say the same"),
    ],
)
def test_two_to_eight_different_answers(ada, labels, words):
    answer = ada.post(reverse("admin:campaigns_survey_add"), form(*((label, {}) for label in labels)))
    assert words in answer.content.decode() and not Survey.objects.exists()


def test_an_answer_that_somebody_gave_stays(ada):
    about = survey()
    answers(sent(about)[0], about)
    rows = [(one.label, {"id": one.pk, "survey": about.pk}) for one in about.choices.all()]
    rows[0][1]["DELETE"] = "on"
    ada.post(page(about), form(*rows))
    assert about.choices.count() == 3
    rows[0][1].update(DELETE="", is_offered="")
    assert ada.post(page(about), form(*rows)).status_code == 302
    assert not SurveyChoice.objects.get(label="The price").is_offered
    delete = reverse("admin:campaigns_survey_delete", args=[about.pk])
    assert ada.post(delete, {"post": "yes"}).status_code == 403 and Survey.objects.exists()


def test_the_page_shows_bars_shares_and_words_as_text(ada, vera):
    about = survey()
    asked = sent(about, 3)
    answers(asked[0], about, "The price", "<script>alert(1)</script>")
    answers(asked[1], about, "Delivery")
    text = ada.get(page(about)).content.decode()
    assert "50&nbsp;%" in text and 'data-percent="50"' in text and "66.7" in text
    assert "&lt;script&gt;alert(1)" in text and "<script>alert(1)" not in text
    assert "Make a segment" in text and "Make a segment" not in vera.get(page(about)).content.decode()
    blind = logged_in(user("ben", "campaigns.view_survey"))
    hidden = blind.get(page(about)).content.decode()
    assert "alert(1)" not in hidden and "The price" in hidden


def test_an_empty_survey_says_what_to_do(ada):
    assert "Nobody was asked yet" in ada.get(page(survey())).content.decode()
    assert (
        "one question with answers to tap"
        in ada.get(reverse("admin:campaigns_survey_changelist")).content.decode()
    )


def test_one_click_makes_a_segment_of_those_who_answered_so(ada, vera):
    about = survey()
    where = reverse("admin:campaigns_survey_segment", args=[about.pk])
    assert vera.post(where, {"of": "all"}).status_code == 403
    asked = choice(about, "The price").pk
    answer = ada.post(where, {"of": asked})
    made = Segment.objects.get()
    assert answer["Location"] == reverse("admin:crm_segment_change", args=[made.pk])
    assert made.name == "Answered “The price”: What held you back?"
    text = ada.get(answer["Location"]).content.decode()
    assert "answered “What held you back?” with “The price”" in text
    ada.post(where, {"of": asked})
    assert Segment.objects.count() == 1
    ada.post(where, {"of": "silent"})
    ada.post(where, {"of": "all"})
    assert Segment.objects.count() == 3
    for wrong in ("999", "x", ""):
        assert ada.post(where, {"of": wrong}).status_code == 404


def test_the_answers_stand_on_the_persons_page(ada):
    about = survey()
    asked = sent(about)[0]
    answers(asked, about, words="Too <dear>", at=AT)
    text = ada.get(reverse("admin:crm_contact_change", args=[person(asked).pk])).content.decode()
    assert text.count("Too &lt;dear&gt;") == 2 and "Answered “The price”" in text


def test_an_empty_list_says_so_and_a_search_that_finds_nothing_leads_back(ada):
    where = reverse("admin:campaigns_survey_changelist")
    shown = ada.get(where).content.decode()
    assert "No surveys yet." in shown and "Add survey" in shown and "yielded" not in shown
    survey()
    shown = ada.get(where, {"q": "nothing of the sort"}).content.decode()
    assert "Nothing matches." in shown and "Show all" in shown


def test_each_field_of_an_answer_says_what_it_is_for_where_columns_have_no_heads(ada):
    shown = ada.get(reverse("admin:campaigns_survey_add")).content.decode()
    assert 'placeholder="Answer"' in shown and 'aria-label="Thank-you for it"' in shown
