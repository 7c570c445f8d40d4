"""A deleted step comes back as it was, where it was, as long as nobody changed the flow since."""

import json
from dataclasses import asdict

import pytest

from campaigns.flows import editing, launching, undoing
from campaigns.flows.editing import CannotEdit
from campaigns.flows.steps.wait import Wait
from campaigns.flows.undoing import Deleted
from campaigns.flows.variants import Wanted
from campaigns.models import Campaign, Step, StepVariant
from crm.kernel import clock
from tests import office as cast
from tests.campaigns import mailing
from tests.campaigns.flows import forks

pytestmark = pytest.mark.django_db

NOW = clock.now()


@pytest.fixture
def campaign() -> Campaign:
    cast.set_up_shop()
    cast.sender()
    return cast.draft(NOW)


def rows(campaign: Campaign) -> list[Step]:
    return editing.steps_of(launching.newest_version(campaign))


def said(campaign: Campaign) -> list[tuple[str, int, str, str]]:
    return [(row.key, row.position, row.path, editing.mark(row)) for row in rows(campaign)]


def take_out(campaign: Campaign, key: str) -> Deleted:
    row = next(row for row in rows(campaign) if row.key == key)
    deleted = undoing.take_out(campaign, key, editing.mark(row), NOW)
    # As a session keeps it.
    return Deleted(**json.loads(json.dumps(asdict(deleted))))


def test_it_comes_back_with_its_messages_its_rule_and_its_place(campaign: Campaign) -> None:
    editing.add(campaign, Wait.key, "", "", NOW)
    editing.add(campaign, Wait.key, "first-message", "", NOW)
    row = next(row for row in rows(campaign) if row.key == "first-message")
    seen = editing.mark(row)
    row.only_if = {"all": [{"kind": "crm.ordered", "params": {"times": "2"}}]}
    both = [Wanted("A", mailing.template("One"), 3), Wanted("B", mailing.template("Two"), 1)]
    editing.save(campaign, row, both, seen, NOW)
    before = said(campaign)
    deleted = take_out(campaign, "first-message")
    assert [row.key for row in rows(campaign)] == ["wait-1", "wait-2"] and not StepVariant.objects.exists()
    assert undoing.put_back(campaign, deleted).key == "first-message"
    assert said(campaign) == before
    assert list(StepVariant.objects.values_list("label", "weight")) == [("A", 3), ("B", 1)]


def test_a_fork_comes_back_above_its_paths(campaign: Campaign) -> None:
    with forks.known():
        editing.add(campaign, forks.Fork.key, "", "", NOW)
        editing.add(campaign, Wait.key, "fork-1", "Left", NOW)
        editing.add(campaign, Wait.key, "fork-1", "Right", NOW)
        before = said(campaign)
        undoing.put_back(campaign, take_out(campaign, "fork-1"))
        assert said(campaign) == before


def test_it_does_not_come_back_into_a_flow_that_is_another_by_now(campaign: Campaign) -> None:
    editing.add(campaign, Wait.key, "", "", NOW)
    deleted = take_out(campaign, "wait-1")
    editing.add(campaign, Wait.key, "first-message", "", NOW)
    with pytest.raises(CannotEdit, match="changed since"):
        undoing.put_back(campaign, deleted)
    deleted = take_out(campaign, "wait-1")
    version = launching.newest_version(campaign)
    assert version is not None and undoing.may_put_back(version, rows(campaign), deleted)
    version.frozen_at = NOW
    version.save()
    with pytest.raises(CannotEdit, match="changed since"):
        undoing.put_back(campaign, deleted)
    assert [row.key for row in rows(campaign)] == ["first-message"]


def test_it_does_not_come_back_without_its_message(campaign: Campaign) -> None:
    deleted = take_out(campaign, "first-message")
    cast.Template.objects.all().delete()
    with pytest.raises(CannotEdit, match="was deleted since"):
        undoing.put_back(campaign, deleted)
    assert rows(campaign) == []
