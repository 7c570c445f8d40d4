"""A flow is changed one act at a time, paths stay together, and nobody's work is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from campaigns.flows import editing, launching
from campaigns.flows.editing import CannotEdit, Gone, Stale
from campaigns.flows.outline import nowhere, outline, unfed
from campaigns.flows.steps.leave import Leave
from campaigns.flows.steps.wait import Wait
from campaigns.models import Campaign, FlowVersion, Step, Template
from tests import office
from tests.campaigns import mailing
from tests.campaigns.flows import forks
from tests.campaigns.flows.forks import Fork

NOW = office.NOW
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fork_is_known():
    with forks.known():
        yield


@pytest.fixture
def campaign(db) -> Campaign:
    office.set_up_shop()
    office.sender()
    made = office.draft()
    made.versions.get().steps.all().delete()
    return made


def shape(campaign: Campaign) -> list[str]:
    """The steps in order: their keys, with the path where they have one."""
    rows = editing.steps_of(launching.newest_version(campaign))
    return [f"{row.key}@{row.path}" if row.path else row.key for row in rows]


def forked(campaign: Campaign) -> None:
    """fork-1, wait-1 on the left, wait-2 and wait-3 on the right, leave-1 for everyone."""
    editing.add(campaign, Fork.key, "", "", NOW)
    editing.add(campaign, Leave.key, "fork-1", "", NOW)
    editing.add(campaign, Wait.key, "fork-1", "Left", NOW)
    editing.add(campaign, Wait.key, "fork-1", "Right", NOW)
    editing.add(campaign, Wait.key, "wait-2", "Right", NOW)


def filled(campaign: Campaign, key: str, **changes: object) -> Step:
    """The step as somebody would have filled it in."""
    row = next(row for row in editing.steps_of(launching.newest_version(campaign)) if row.key == key)
    for name, value in changes.items():
        setattr(row, name, value)
    return row


def seen(campaign: Campaign, key: str) -> str:
    return editing.mark(filled(campaign, key))


def test_steps_are_added_wherever_a_plus_stands(campaign):
    forked(campaign)
    order = shape(campaign)
    assert order[0] == "fork-1" and order[-1] == "leave-1"
    assert [one for one in order if "Right" in one] == ["wait-2@Right", "wait-3@Right"]
    editing.add(campaign, Wait.key, "", "", NOW)
    editing.add(campaign, Wait.key, "leave-1", "", NOW)
    assert (shape(campaign)[0], shape(campaign)[-1]) == ("wait-4", "wait-5")


def test_a_new_step_begins_with_what_its_kind_begins_with(campaign):
    assert editing.add(campaign, Wait.key, "", "", NOW).params == {"length": 24, "unit": "hours"}


def test_a_place_that_is_gone_is_refused_in_words(campaign):
    with pytest.raises(CannotEdit, match="no longer there"):
        editing.add(campaign, Wait.key, "wait-7", "", NOW)
    editing.add(campaign, Fork.key, "", "", NOW)
    with pytest.raises(CannotEdit, match="no longer there"):
        editing.add(campaign, Wait.key, "fork-1", "Middle", NOW)


def test_a_fork_is_moved_with_its_paths(campaign):
    forked(campaign)
    assert editing.move(campaign, "leave-1", True, NOW)
    assert shape(campaign)[0] == "leave-1"
    assert editing.move(campaign, "fork-1", True, NOW)
    assert shape(campaign)[-1] == "leave-1" and shape(campaign)[0] == "fork-1"
    assert not editing.move(campaign, "fork-1", True, NOW), "it is the first"


def test_a_step_on_a_path_moves_on_its_path(campaign):
    forked(campaign)
    assert editing.move(campaign, "wait-3", True, NOW)
    assert [one for one in shape(campaign) if "Right" in one] == ["wait-3@Right", "wait-2@Right"]
    assert not editing.move(campaign, "wait-3", True, NOW)
    assert not editing.move(campaign, "wait-1", False, NOW), "alone on the left"


def test_a_card_is_dragged_to_another_path_and_back_to_everyone(campaign):
    forked(campaign)
    assert editing.put(campaign, "wait-3", "fork-1", "Left", NOW)
    assert [one for one in shape(campaign) if "Left" in one] == ["wait-3@Left", "wait-1@Left"]
    assert editing.put(campaign, "wait-3", "leave-1", "", NOW)
    assert shape(campaign)[-1] == "wait-3"
    assert not editing.put(campaign, "wait-3", "wait-3", "", NOW)
    with pytest.raises(CannotEdit, match="paths that part below it"):
        editing.put(campaign, "fork-1", "wait-1", "Left", NOW)


def test_a_duplicate_has_all_that_is_filled_in(campaign):
    step = editing.add(campaign, "campaigns.send_email", "", "", NOW)
    mailing_one = mailing.template("One")
    wanted = filled(campaign, step.key, template=mailing_one, expires_after=timedelta(hours=2))
    editing.save(campaign, wanted, [], seen(campaign, step.key), NOW)
    copy = editing.duplicate(campaign, step.key, NOW)
    copy.refresh_from_db()
    assert (copy.template, copy.expires_after) == (mailing_one, timedelta(hours=2))
    assert shape(campaign) == [step.key, copy.key]


def test_a_fork_that_is_duplicated_keeps_its_paths(campaign):
    forked(campaign)
    editing.duplicate(campaign, "fork-1", NOW)
    assert shape(campaign)[0] == "fork-1" and shape(campaign).index("fork-2") == 4


def test_taking_a_fork_out_leaves_its_steps_to_be_looked_at(campaign):
    forked(campaign)
    editing.take_out(campaign, "fork-1", seen(campaign, "fork-1"), NOW)
    rows = editing.steps_of(launching.newest_version(campaign))
    assert {row.key for row in unfed(outline(rows))} == {"wait-1", "wait-2", "wait-3"}


def test_a_path_nothing_happens_on_is_named(campaign):
    editing.add(campaign, Fork.key, "", "", NOW)
    editing.add(campaign, Wait.key, "fork-1", "Left", NOW)
    assert nowhere(editing.steps_of(launching.newest_version(campaign))) == {"fork-1": ["Right"]}


def test_paths_that_go_on_after_people_had_met_are_no_mistake(campaign):
    editing.add(campaign, Fork.key, "", "", NOW)
    editing.add(campaign, Wait.key, "fork-1", "", NOW)
    version = campaign.versions.get()
    Step.objects.create(version=version, key="late", position=9, kind=Wait.key, path="Left")
    top = outline(editing.steps_of(version))
    assert [node.row.key if node.row else None for node in top.nodes] == ["fork-1", "wait-1", None]
    assert top.nodes[0].lanes == [], "the paths are drawn where they part"
    assert unfed(top) == []


def test_who_was_slower_is_told_and_overwrites_nothing(campaign):
    step = editing.add(campaign, Wait.key, "", "", NOW)
    before = seen(campaign, step.key)
    editing.save(
        campaign, filled(campaign, step.key, params={"length": "3", "unit": "days"}), [], before, NOW
    )
    late = filled(campaign, step.key, params={"length": "5", "unit": "days"})
    with pytest.raises(Stale) as refused:
        editing.save(campaign, late, [], before, NOW)
    assert refused.value.step.params == {"length": "3", "unit": "days"}
    with pytest.raises(Stale):
        editing.take_out(campaign, step.key, before, NOW)
    editing.take_out(campaign, step.key, seen(campaign, step.key), NOW)
    with pytest.raises(Gone):
        editing.save(campaign, late, [], before, NOW)
    assert editing.add_again(campaign, late, [], NOW).params == {"length": "5", "unit": "days"}


def test_a_running_flow_is_changed_in_a_new_version(campaign):
    step = editing.add(campaign, "campaigns.send_email", "", "", NOW)
    wanted = filled(campaign, step.key, template=Template.objects.get())
    editing.save(campaign, wanted, [], seen(campaign, step.key), NOW)
    launching.launch(campaign, "ada", NOW)
    mark = seen(campaign, step.key)
    assert not editing.save(campaign, filled(campaign, step.key), [], mark, NOW).has_changed
    assert campaign.versions.count() == 1, "looking is no change"
    changed = filled(campaign, step.key, expires_after=timedelta(hours=1))
    assert editing.save(campaign, changed, [], mark, NOW).has_changed
    assert [version.number for version in campaign.versions.order_by("number")] == [1, 2]
    assert Step.objects.get(version__number=1).expires_after is None
    with pytest.raises(Stale):
        editing.save(campaign, changed, [], mark, NOW)
    assert editing.give_up(campaign) and not editing.give_up(campaign)
    assert FlowVersion.objects.get(campaign=campaign) == campaign.current
