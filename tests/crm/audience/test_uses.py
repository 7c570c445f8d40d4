"""What leans on a segment is found wherever a document names it."""

import pytest
from django.apps import apps

from crm.audience import uses
from crm.kernel.rules import RuleField
from crm.models import LeadDefinition, LeadVersion, ScoreLine, Segment, Stage
from tests import office

NOW = office.NOW


@pytest.fixture
def segment(db):
    return Segment.objects.create(name="Danes", created_at=NOW)


def naming(segment):
    return {"all": [{"none": [{"kind": "crm.in_segment", "params": {"segment": str(segment.pk)}}]}]}


def test_nobody_leans_on_a_new_segment(segment):
    Segment.objects.create(name="Other", rule={"all": [{"kind": "crm.name", "params": {"contains": "x"}}]})
    assert uses.of(segment) == []


def test_segments_campaigns_and_lead_definitions_are_told_each_once(segment):
    office.set_up_shop()
    office.sender()
    Segment.objects.create(name="Other", rule=naming(segment), created_at=NOW)
    campaign = office.draft(NOW)
    campaign.goal = campaign.entry_rule = naming(segment)
    campaign.save()
    campaign.versions.get().steps.update(only_if=naming(segment))
    definition = LeadDefinition.objects.create(name="Fit", created_at=NOW)
    version = LeadVersion.objects.create(
        definition=definition, number=1, is_lead=naming(segment), created_at=NOW
    )
    ScoreLine.objects.create(version=version, rule=naming(segment), points=1)
    Stage.objects.create(definition=definition, name="New", rule=naming(segment))
    found = {(use.what, use.name) for use in uses.of(segment)}
    assert found == {("segment", "Other"), ("campaign", str(campaign)), ("lead definition", "Fit")}
    assert len(uses.of(segment)) == 3
    assert any(use.url.endswith(f"/campaign/{campaign.pk}/change/") for use in uses.of(segment))


def test_what_a_trigger_or_a_step_names_counts_as_well(segment):
    office.set_up_shop()
    office.sender()
    campaign = office.draft(NOW)
    campaign.versions.get().steps.update(params={"list": str(segment.pk)})
    assert [use.what for use in uses.of(segment)] == ["campaign"]


def test_a_segment_that_names_itself_may_go(segment):
    segment.rule = naming(segment)
    segment.save()
    assert uses.of(segment) == []


def test_every_column_that_keeps_a_rule_is_looked_into():
    kept = {
        (model, column.name)
        for model in apps.get_models()
        for column in model._meta.fields
        if isinstance(column, RuleField)
    }
    looked = {(place.model, name) for place in uses.places for name in place.documents}
    assert kept <= looked
