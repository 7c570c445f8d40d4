"""A message asks: the question, and each answer with a link of its own, in HTML and in plain text."""

import re

import pytest

from campaigns.messages import compiling, composing, editing, rendering
from campaigns.messages.kinds import shapes
from campaigns.messages.look import PLAIN
from campaigns.models import SurveyChoice
from campaigns.surveys import links
from crm.kernel.kinds import BrokenParams
from crm.models import ShopSettings
from tests.campaigns import mailing
from tests.campaigns.surveys.stage import AT, FOOTER, choice, message, person, survey

pytestmark = pytest.mark.django_db
ASK = {"kind": "campaigns.survey", "params": {"survey": "why_not"}}


def read(url):
    return links.read(url.rpartition("/")[2])


def test_each_person_gets_links_of_their_own_and_no_click_is_counted_on_them():
    about = survey()
    queued = mailing.queue(2, template=message(about))
    made = rendering.prepare(queued, AT)
    for delivery in queued:
        mail = made[delivery.pk]
        in_text = re.findall(r"http\S+/s/\S+", mail.text)
        in_html = re.findall(r'href="(http[^"]+/s/[^"]+)"', mail.html)
        assert in_text == in_html and len(in_text) == 3
        assert [read(url) for url in in_text] == [
            (delivery.public_id, choice(about, label).pk)
            for label in ("The price", "Delivery", "Something else")
        ]
        assert "What held you back?" in mail.text and "* The price" in mail.text


def test_the_block_is_sound_and_names_its_survey():
    survey()
    made = composing.made_of([ASK, FOOTER], PLAIN)
    assert compiling.problems(made.mjml, "mjml", shapes()) == []
    assert compiling.problems(made.text, "text", shapes()) == []
    with pytest.raises(BrokenParams, match="survey"):
        composing.made_of([{"kind": "campaigns.survey", "params": {"survey": "gone"}}], PLAIN)


def test_who_is_only_an_example_is_shown_the_survey_that_was_chosen_in_the_name_of_the_shop():
    about = survey("how_was_it", "Too loud", "Too quiet", question="How did it sound?")
    ShopSettings.objects.update_or_create(pk=1, defaults={"name": "Lark & Valve", "postal_address": "Kiel 1"})
    version = message(about).current
    for shown in (rendering.preview(version, None, AT), rendering.preview_of_nobody(version, AT)):
        assert "How did it sound?" in shown.text and "* Too loud" in shown.text
        assert "Lark & Valve, Kiel 1" in shown.text
        assert "What held you back?" not in shown.text and "/s/" not in shown.text


def test_a_survey_that_nobody_wrote_is_named_at_saving():
    [mistake] = editing.unknown_names({"text": "{{ surveys.gone.question }}"})
    assert mistake.message == "there is no survey called gone"


def test_what_was_written_is_text_and_no_markup():
    about = survey("why_not", "<b>Price</b>", "{{ shop.name }}", question="Why & <i>how</i>?")
    [delivery] = mailing.queue(1, template=message(about))
    mail = rendering.prepare([delivery], AT)[delivery.pk]
    assert "<b>Price" not in mail.html and "&lt;b&gt;Price" in mail.html and "<i>how" not in mail.html
    assert "* <b>Price</b>" in mail.text and "* {{ shop.name }}" in mail.text


def test_an_answer_no_longer_offered_is_not_shown():
    about = survey()
    SurveyChoice.objects.filter(label="Delivery").update(is_offered=False)
    [delivery] = mailing.queue(1, template=message(about))
    assert "Delivery" not in rendering.prepare([delivery], AT)[delivery.pk].text


def test_a_preview_leads_nowhere():
    about = survey()
    template = message(about)
    [delivery] = mailing.queue(1, template=template)
    for contact in (None, person(delivery)):
        shown = rendering.preview(template.current, contact, AT)
        assert "What held you back?" in shown.text
        assert all(read(url) is None for url in re.findall(r"http\S+", shown.text))
