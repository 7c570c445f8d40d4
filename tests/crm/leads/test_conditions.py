"""Rules may ask where somebody stands as a lead: now, and as of any day."""

import pytest
from django.contrib.auth.models import User

from crm.audience.leads import definitions, stages
from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.models import Contact, Lead, LeadDefinition
from tests.crm.leads.conftest import NOW, days, refresh, rule, stage, tag, tagged


def who(document, at, current=False):
    meant = Contact.objects.filter(rules.compile(document, at, Scope(current=current)))
    return set(meant.values_list("first_name", flat=True))


@pytest.fixture
def history(cast, definition):
    """Ana: lead on day 0, ready on day 2, accepted on day 4. Boris: lead on day 1, none any more on day 3."""
    ana, boris = cast["Ana"], cast["Boris"]
    told = [
        (0, ana, ("interested",)),
        (1, boris, ("interested", "reader")),
        (2, ana, ("interested", "asked", "reader")),
        (3, boris, ()),
    ]
    for day, contact, tags in told:
        tag(contact, *tags, at=NOW + days(day))
        refresh(definition, NOW + days(day))
    stages.accept(Lead.objects.get(contact=ana), NOW + days(4), "olga")
    return definition


def test_is_a_lead_as_of_then(history):
    for document in (rule("crm.is_lead"), rule("crm.is_lead", definition=str(history.pk))):
        found = [who(document, NOW + days(day)) for day in (-1, 0, 1, 3, 5)]
        assert found == [set(), {"Ana"}, {"Ana", "Boris"}, {"Ana"}, {"Ana"}]
        assert who(document, NOW + days(5), current=True) == {"Ana"}
    assert who({"none": [rule("crm.is_lead")]}, NOW + days(5)) == {"Boris", "Chen", "Dana"}
    other = definitions.new_definition("Other", NOW, "ada")
    assert who(rule("crm.is_lead", definition=str(other.pk)), NOW + days(5)) == set()


def test_at_a_stage_and_for_how_long(history):
    ready = str(stage(history, "sales_ready").pk)
    accepted = str(stage(history, "accepted").pk)
    assert [who(rule("crm.lead_stage", stage=ready), NOW + days(day)) for day in (1, 2, 4)] == [
        set(),
        {"Ana"},
        set(),
    ]
    for current in (False, True):
        document = rule("crm.lead_stage", stage=accepted, days="3")
        assert [who(document, NOW + days(day), current) for day in (6.9, 7)] == [set(), {"Ana"}]
        meaning = rule("crm.lead_meaning", meaning="accepted", definition=str(history.pk))
        assert who(meaning, NOW + days(5), current) == {"Ana"}
    turned = rules.drift(rule("crm.lead_stage", stage=accepted, days="3"), NOW + days(6.5), NOW + days(7.5))
    assert [len(query) for query in turned] == [1]
    assert who(rule("crm.lead_meaning", meaning="nurture"), NOW + days(2)) == {"Boris"}


def test_came_to_a_stage_lately_though_they_left_it_since(history):
    nurtured = rule("crm.lead_entered_stage", stage=str(stage(history, "nurture").pk), within_days="5")
    assert [who(nurtured, NOW + days(day)) for day in (0, 1, 5.9, 6)] == [set(), {"Boris"}, {"Boris"}, set()]
    turned = rules.drift(nurtured, NOW + days(5), NOW + days(7))
    assert [len(query) for query in turned] == [1]


def test_a_score_between_two_bounds_as_of_then(history):
    def scored(**bounds):
        return rule("crm.lead_score", definition=str(history.pk), **bounds)

    assert [who(scored(at_least="20"), NOW + days(day)) for day in (0, 1, 2, 3)] == [
        set(),
        {"Boris"},
        {"Ana", "Boris"},
        {"Ana"},
    ]
    assert who(scored(at_most="19"), NOW) == {"Ana"}
    assert who(scored(at_least="0", at_most="60"), NOW + days(2)) == {"Ana", "Boris"}
    assert who(scored(at_least="60"), NOW + days(9), current=True) == {"Ana"}
    assert who({"none": [scored(at_least="1")]}, NOW) == {"Ana", "Boris", "Chen", "Dana"}
    assert rules.problems(scored()) and rules.problems(scored(at_least="5", at_most="4"))


def test_whose_lead_it_is(history, olga):
    paul = User.objects.create_user("paul", is_staff=True)
    assert who(rule("crm.lead_owner", owner=str(olga.pk)), NOW + days(5)) == {"Ana"}
    assert who(rule("crm.lead_owner", owner=str(paul.pk)), NOW + days(5)) == set()
    assert who(rule("crm.lead_owner", definition=str(history.pk)), NOW + days(5)) == set()
    stages.assign(Lead.objects.get(contact__first_name="Ana"), None, NOW + days(5), "ada")
    assert who(rule("crm.lead_owner"), NOW + days(5)) == {"Ana"}


def test_why_in_words_and_what_would_change_it(history, cast):
    ready = str(stage(history, "sales_ready").pk)
    documents = {
        "are leads": rule("crm.is_lead"),
        "are leads of “Ready to buy”": rule("crm.is_lead", definition=str(history.pk)),
        "are at the stage “Sales-ready” of “Ready to buy” for at least 2 days": rule(
            "crm.lead_stage", stage=ready, days="2"
        ),
        "are leads at a stage that means “accepted by sales”": rule("crm.lead_meaning", meaning="accepted"),
        "came to the stage “Sales-ready” of “Ready to buy” in the last day": rule(
            "crm.lead_entered_stage", stage=ready, within_days="1"
        ),
        "have a score of at least 70 as leads of “Ready to buy”": rule(
            "crm.lead_score", definition=str(history.pk), at_least="70"
        ),
        "are leads of nobody": rule("crm.lead_owner"),
    }
    told = []
    for sentence, document in documents.items():
        assert rules.sentence(document) == f"People who {sentence}."
        found = rules.explain(Contact.objects.filter(pk=cast["Ana"].pk), document, NOW + days(5))
        told.append(found.root.leaves()[0].evidence)
    accepted = "Accepted in “Ready to buy” since 6 March 2026"
    assert told == [
        accepted,
        accepted,
        accepted,
        accepted,
        "came there on 4 March 2026",
        "a score of 60",
        "olga's lead",
    ]
    condition = rules.conditions.get("crm.lead_score")
    params = {"at_least": 70, "at_most": None}
    assert condition.change(params, 60, wanted=True) == "10 more points"
    found = rules.explain(Contact.objects.filter(pk=cast["Chen"].pk), rule("crm.is_lead"), NOW + days(5))
    assert found.root.leaves()[0].evidence == "is no lead"


def test_what_was_removed_means_nobody(history):
    document = rule("crm.is_lead", definition=str(history.pk))
    Lead.objects.all().delete()
    LeadDefinition.objects.all().delete()
    assert rules.problems(document) and who(document, NOW + days(2)) == set()
    assert who({"none": [document]}, NOW + days(2)) == set()


def test_a_definition_may_ask_of_another(cast, definition, history):
    second = definitions.new_definition("Second", NOW, "ada")
    draft = definitions.draft_of(second, NOW)
    draft.is_lead = {"all": [rule("crm.is_lead", definition=str(definition.pk)), tagged("asked")]}
    draft.save()
    definitions.publish(draft, NOW, "ada")
    assert refresh(second, NOW + days(6)) == 1
    assert Lead.objects.get(definition=second).contact == cast["Ana"]
