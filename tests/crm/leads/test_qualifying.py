"""Who is a lead is kept up: by a new wording, by what is written, by time; and not by anything broken."""

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from crm.audience.leads import batches, definitions, qualifying
from crm.kernel.work import Budget
from crm.models import Contact, Heartbeat, Lead, LeadDefinition, ScoreLine, StageMove
from crm.people.stirring import mark, stir
from crm.ticking import run_tick
from tests.crm.leads.conftest import (
    MINUTE,
    NOW,
    at_stage,
    days,
    lines,
    order,
    people,
    refresh,
    rule,
    tag,
    tagged,
)


def open_leads():
    return set(Lead.objects.filter(ended_at=None).values_list("contact__first_name", flat=True))


def test_a_newer_version_changes_who_is_in_where_and_with_how_many_points(cast, definition):
    tag(cast["Ana"], "interested", "asked")
    tag(cast["Boris"], "curious")
    tag(cast["Chen"], "interested", "curious")
    refresh(definition)
    assert open_leads() == {"Ana", "Chen"}
    draft = definitions.draft_of(definition, NOW)
    assert (draft.number, draft.is_lead, draft.score_lines.count()) == (2, tagged("interested"), 3)
    assert definitions.draft_of(definition, NOW) == draft
    draft.is_lead = tagged("curious")
    draft.save()
    ScoreLine.objects.create(version=draft, rule=tagged("curious"), points=7)
    refresh(definition, NOW + MINUTE)
    assert open_leads() == {"Ana", "Chen"}
    definitions.publish(draft, NOW + MINUTE, "ada")
    refresh(definition, NOW + 2 * MINUTE)
    assert open_leads() == {"Boris", "Chen"}
    assert set(Lead.objects.filter(ended_at=None).values_list("version__number", "score")) == {(2, 7)}


def test_what_cannot_be_read_is_not_published_and_what_is_published_stays(cast, definition):
    version = definitions.published(definition)
    with pytest.raises(definitions.Refused):
        definitions.publish(version, NOW, "ada")
    draft = definitions.draft_of(definition, NOW)
    draft.is_lead, draft.sales_ready = {}, rule("crm.gone")
    draft.save()
    lines(draft, ("Blank", {}, 5, None))
    with pytest.raises(definitions.Refused) as refused:
        definitions.publish(draft, NOW, "ada")
    assert [problem.split(":")[0] for problem in refused.value.problems] == [
        "Is a lead",
        "Sales-ready",
        "Score, Blank",
    ]
    assert definitions.published(definition) == version


def test_a_broken_rule_closes_the_definition_and_changes_nobody(cast, definition):
    ana = cast["Ana"]
    tag(ana, "interested", "reader")
    refresh(definition)
    line = ScoreLine.objects.get(label="Read the guide")
    ScoreLine.objects.filter(pk=line.pk).update(rule=rule("crm.gone"))
    tag(ana)
    tag(cast["Boris"], "interested")
    assert refresh(definition, NOW + MINUTE) == 0
    definition.refresh_from_db()
    assert "crm.gone" in definition.problem and "Read the guide" in definition.problem
    assert (open_leads(), at_stage(ana), Lead.objects.get().score) == ({"Ana"}, "Nurtured", 20)
    ScoreLine.objects.filter(pk=line.pk).update(rule=line.rule)
    refresh(definition, NOW + 2 * MINUTE)
    definition.refresh_from_db()
    assert definition.problem == "" and open_leads() == {"Boris"}


def test_only_whom_something_was_written_about_is_asked_again_until_the_next_day(cast, definition):
    refresh(definition)
    Contact.objects.filter(first_name="Ana").update(tags=["interested"])
    tag(cast["Boris"], "interested")
    LeadDefinition.objects.update(marked=2**62)
    stirred = LeadDefinition.objects.get()
    assert refresh(stirred, NOW + MINUTE) == 2  # a mark from another database says nothing: everybody
    Contact.objects.filter(first_name="Chen").update(tags=["interested"])
    LeadDefinition.objects.update(marked=mark() + 0)
    assert "Chen" not in open_leads()
    refresh(definition, NOW + days(1))
    assert open_leads() == {"Ana", "Boris", "Chen"}


def test_time_alone_ends_a_lead_and_fades_a_score(cast, definition):
    """Bought in the last 10 days is a lead; nothing is written when the days have passed."""
    draft = definitions.draft_of(definition, NOW)
    draft.is_lead = rule("crm.ordered", times="1", within_days="10")
    draft.enter_nurturing = draft.sales_ready = {}
    draft.save()
    draft.score_lines.all().delete()
    lines(draft, ("Bought", rule("crm.ordered", times="1", within_days="2"), 8, 4))
    definitions.publish(draft, NOW, "ada")
    order(cast["Ana"], NOW - MINUTE, "1")
    refresh(definition, NOW)
    scores = []
    for day in range(1, 11):
        refresh(definition, NOW + days(day))
        scores.append(Lead.objects.get().score)
    assert scores == [8, 8, 8, 8, 4, 4, 4, 4, 2, 2]
    assert at_stage(cast["Ana"]) == "no lead"


def test_a_definition_that_is_off_takes_nobody_in_and_keeps_up_who_is(cast, definition):
    tag(cast["Ana"], "interested")
    refresh(definition)
    LeadDefinition.objects.update(is_active=False)
    tag(cast["Boris"], "interested")
    tag(cast["Ana"], "interested", "reader")
    refresh(definition, NOW + MINUTE, whole=True)
    assert open_leads() == {"Ana"} and at_stage(cast["Ana"]) == "Nurtured"


def test_a_repeated_refresh_writes_nothing(cast, definition):
    tag(cast["Ana"], "interested", "asked", "reader")
    assert refresh(definition) == 1
    with CaptureQueriesContext(connection) as asked:
        assert refresh(definition, NOW + MINUTE, whole=True) == 0
    written = [one["sql"] for one in asked if one["sql"].startswith(("INSERT", "UPDATE"))]
    assert len(written) == 1 and '"crm_leaddefinition"' in written[0]


def test_a_refresh_killed_between_two_batches_is_finished_by_the_next(db, definition, monkeypatch):
    many = people(*(f"P{number}" for number in range(6)))
    Contact.objects.filter(pk__in=[contact.pk for contact in many]).update(tags=["interested"])
    stir([contact.pk for contact in many])
    monkeypatch.setattr(qualifying, "BATCH", 2)
    real, done = qualifying.work_on, []

    def dies(*args):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(real(*args))
        return done[-1]

    monkeypatch.setattr(qualifying, "work_on", dies)
    with pytest.raises(KeyboardInterrupt):
        refresh(definition)
    assert Lead.objects.count() == 4
    monkeypatch.setattr(qualifying, "work_on", real)
    assert refresh(definition, NOW + MINUTE) == 2
    assert (Lead.objects.count(), StageMove.objects.count()) == (6, 6)


def test_a_batch_costs_the_same_number_of_queries_for_few_and_many(db, definition):
    def cost(count, name):
        many = people(*(f"{name}{number}" for number in range(count)))
        Contact.objects.filter(pk__in=[contact.pk for contact in many]).update(
            tags=["interested", "asked", "reader"]
        )
        stir([contact.pk for contact in many])
        with CaptureQueriesContext(connection) as asked:
            assert refresh(definition, whole=True) == count
        return len(asked)

    few = cost(2, "Few")
    Lead.objects.all().delete()
    StageMove.objects.all().delete()
    Contact.objects.update(tags=[])
    assert cost(40, "Many") <= few


def test_one_definition_that_fails_does_not_stop_the_others_and_rests_an_hour(cast, definition, monkeypatch):
    other = definitions.new_definition("Other", NOW, "ada")
    draft = definitions.draft_of(other, NOW)
    draft.is_lead = tagged("interested")
    draft.save()
    definitions.publish(draft, NOW, "ada")
    tag(cast["Ana"], "interested")
    real, asked = qualifying.work_on, []

    def fails(course, *rest):
        asked.append(course.definition.name)
        if course.definition == definition:
            raise OperationalError("too hard")
        return real(course, *rest)

    monkeypatch.setattr(qualifying, "work_on", fails)
    assert run_tick("crm.leads", NOW) == 1
    assert "too hard" in LeadDefinition.objects.get(name="Ready to buy").problem
    run_tick("crm.leads", NOW + MINUTE)
    assert asked.count("Ready to buy") == 1
    run_tick("crm.leads", NOW + 60 * MINUTE)
    assert asked.count("Ready to buy") == 2
    assert Heartbeat.objects.get(name="crm.leads").error == ""
    assert qualifying.refresh_all(NOW, Budget(0)) == 0


def test_nothing_published_changes_nobody(cast):
    made = definitions.new_definition("Draft", NOW, "ada")
    assert [str(stage) for stage in made.stages.all()] == [
        "Lead",
        "Nurtured",
        "Sales-ready",
        "Accepted",
        "Bought",
        "Given up",
    ]
    assert refresh(made) == 0 and LeadDefinition.objects.get().problem == ""
    assert batches.BECAME
