"""What a message may speak of beyond the basics is asked for a whole batch, and only where it is used."""

import pytest

from campaigns.messages import compiling, contexts, editing, kinds, rendering, variables
from campaigns.messages.kinds import Fact, Missing
from campaigns.messages.variables import Named, Variable
from tests.campaigns import mailing

AT = mailing.AT


class Weather(Fact):
    """What the weather is where somebody lives."""

    key = "campaigns.weather"
    label = "Weather"
    name = "weather"
    shape = {
        "today": Variable("the sky", "sunny"),
        "days": [{"name": Variable("the day", "Monday")}],
        "at": Named({"sky": Variable("the sky there", "rain")}, "home"),
    }
    asked = []

    def load(self, asked):
        self.asked.append((len(asked.recipients), asked.names))
        return {
            one.key: self.answer(one)
            for one in asked.recipients
            if not one.contact.email.startswith("person3@")
        }

    def answer(self, one):
        if one.contact.email.startswith("person2@"):
            return Missing("no_weather", "There is no weather there.")
        one.shown[one.contact.pk] = AT
        return {"today": f"cloud {one.contact.first_name}", "days": [], "at": {"home": {"sky": "snow"}}}

    def problems(self, names):
        return [f"nobody lives in {name}" for name in names if name == "atlantis"]


@pytest.fixture
def weather():
    with kinds.facts.temporarily(Weather) as fact:
        fact.asked.clear()
        yield fact


def written(words):
    template = mailing.template("Weather")
    version = template.current
    version.text = version.html = words
    version.save()
    return template


def batch(template, count=3):
    return mailing.queue(count, template=template)


@pytest.mark.django_db
def test_a_whole_batch_is_asked_at_once_and_each_gets_their_own(weather):
    queued = batch(written("It is {{ weather.today | default: 'dark' }}. {{ weather.at.home.sky }}"))
    made = rendering.prepare(queued, AT)
    assert "It is cloud Person1. snow" in made[queued[0].pk].text
    assert made[queued[1].pk] == rendering.RenderProblem("no_weather", "There is no weather there.")
    assert "It is dark." in made[queued[2].pk].text
    assert weather.asked == [(3, frozenset({"today", "at"}))]


@pytest.mark.django_db
def test_a_fact_that_no_message_speaks_of_is_not_asked(weather):
    queued = batch(written("Nothing of the sort"))
    assert all(isinstance(one, rendering.Mail) for one in rendering.prepare(queued, AT).values())
    assert weather.asked == []


@pytest.mark.django_db
def test_what_a_message_shows_is_noted(weather):
    [delivery] = batch(written("{{ weather.today }}"), 1)
    found = contexts.build([delivery], {delivery.pk: {"weather.today"}}, AT)
    assert found[delivery.pk].shows == {delivery.contact_id: AT}


def test_the_editor_knows_what_facts_tell(weather):
    known = kinds.shapes()
    assert compiling.problems("{{ weather.today }}", "subject", known) == []
    assert compiling.problems("{{ weather.at.anywhere.sky }}", "subject", known) == []
    assert "weather.yesterday" in compiling.problems("{{ weather.yesterday }}", "subject", known)[0].message
    assert (
        "weather.at.home.mood"
        in compiling.problems("{{ weather.at.home.mood }}", "subject", known)[0].message
    )
    assert ("weather.at.home.sky", Weather.shape["at"].shape["sky"]) in list(variables.catalogue(known))


def test_names_that_nobody_gave_are_named_at_saving(weather):
    [mistake] = editing.unknown_names({"subject": "{{ weather.atlantis }}"})
    assert (mistake.field, mistake.message) == ("subject", "nobody lives in atlantis")


@pytest.mark.django_db
def test_a_preview_shows_the_person_or_the_example(weather):
    template = written("{{ weather.today }}")
    [ana, boris] = mailing.people(2, mailing.campaign().purpose)
    assert "cloud Person1" in rendering.preview(template.current, ana, AT).text
    assert "sunny" in rendering.preview(template.current, boris, AT).text
    assert "sunny" in rendering.preview(template.current, None, AT).text
