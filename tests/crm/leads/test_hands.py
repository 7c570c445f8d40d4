"""Hands move leads in both directions; what a hand did stands until the rules say something new."""

import pytest
from django.contrib.auth.models import User

from crm.audience.leads import stages
from crm.audience.leads.definitions import Refused, new_definition, remove_stage
from crm.models import ContactChange, Lead, LeadDefinition, Notice, Stage, StageMove, Task
from tests.crm.leads.conftest import MINUTE, NOW, at_stage, days, refresh, rule, stage, tag

READY = ("interested", "asked", "reader")


@pytest.fixture
def ready(cast, definition):
    tag(cast["Ana"], *READY)
    refresh(definition)
    return Lead.objects.get()


def test_a_move_by_hand_stands_until_the_rules_say_something_new(cast, definition, ready):
    ana = cast["Ana"]
    stages.move(ready, stage(definition, "nurture"), NOW + MINUTE, "olga", "asked to wait")
    assert Task.objects.get().done_by == "olga"
    for minute in (2, 3):
        refresh(definition, NOW + minute * MINUTE, whole=True)
        assert at_stage(ana) == "Nurtured"
    tag(ana, "interested", "competitor")
    refresh(definition, NOW + 4 * MINUTE)
    assert at_stage(ana) == "Lead"
    tag(ana, *READY)
    refresh(definition, NOW + 5 * MINUTE)
    assert at_stage(ana) == "Sales-ready"
    assert Task.objects.filter(done_at=None).count() == 1 and Notice.objects.count() == 2
    by_hand = StageMove.objects.get(by_rule=False)
    assert (by_hand.actor, by_hand.reason, by_hand.score) == ("olga", "asked to wait", 60)


def test_rules_lead_out_of_what_sales_has_taken_only_forward(cast, definition, ready):
    ana = cast["Ana"]
    stages.accept(ready, NOW + MINUTE, "olga")
    tag(ana, "interested", "competitor")
    refresh(definition, NOW + 2 * MINUTE)
    assert at_stage(ana) == "Accepted"
    tag(ana)
    refresh(definition, NOW + 3 * MINUTE)
    assert at_stage(ana) == "Accepted"
    Stage.objects.filter(meaning="won").update(rule=rule("crm.tag", tag="bought"))
    tag(ana, "bought")
    refresh(definition, NOW + 4 * MINUTE)
    assert at_stage(ana) == "Bought"


def test_whom_a_hand_has_moved_stays_though_the_rule_is_not_true_of_them_any_more(cast, definition):
    ana, boris = cast["Ana"], cast["Boris"]
    for contact in (ana, boris):
        tag(contact, "interested")
    refresh(definition)
    held = Lead.objects.get(contact=ana)
    stages.move(held, stage(definition, "nurture"), NOW + MINUTE, "olga")
    for contact in (ana, boris):
        tag(contact)
    refresh(definition, NOW + 2 * MINUTE)
    assert (at_stage(ana), at_stage(boris)) == ("Nurtured", "no lead")


def test_a_move_to_sales_ready_by_hand_hands_over_to_somebody_else_than_who_moved(cast, definition, olga):
    for name in ("Ana", "Boris"):
        tag(cast[name], "interested", "reader")
    refresh(definition)
    ana, boris = (Lead.objects.get(contact=cast[name]) for name in ("Ana", "Boris"))
    ready = stage(definition, "sales_ready")
    stages.move(ana, ready, NOW + MINUTE, "ada", "met at the fair")
    stages.move(boris, ready, NOW + MINUTE, "olga")
    assert set(Task.objects.values_list("contact__first_name", "owner__username")) == {
        ("Ana", "olga"),
        ("Boris", "olga"),
    }
    notice = Notice.objects.get()
    assert notice.user == olga and "Moved by ada: met at the fair\nScore: 20" in notice.body
    assert Lead.objects.get(contact=cast["Ana"]).owner == olga


def test_a_refused_lead_goes_back_to_nurturing_and_comes_back(cast, definition, ready):
    ana = cast["Ana"]
    stages.refuse(ready, NOW + MINUTE, "olga", "no budget")
    assert at_stage(ana) == "Nurtured"
    tag(ana, "interested")
    refresh(definition, NOW + 2 * MINUTE)
    tag(ana, *READY)
    refresh(definition, NOW + 3 * MINUTE)
    assert at_stage(ana) == "Sales-ready"


def test_a_move_to_where_they_are_leaves_no_row_and_a_foreign_stage_is_refused(cast, definition, ready):
    assert stages.move(ready, stage(definition, "sales_ready"), NOW + MINUTE, "olga") is None
    other = new_definition("Wholesale", NOW, "ada")
    with pytest.raises(Refused):
        stages.move(ready, stage(other, "lead"), NOW + MINUTE, "olga")
    assert StageMove.objects.count() == 1
    Lead.objects.update(ended_at=NOW)
    with pytest.raises(Refused):
        stages.move(ready, stage(definition, "lead"), NOW + MINUTE, "olga")


def test_an_owner_is_changed_with_the_open_task_and_is_told(cast, definition, ready, olga):
    paul = User.objects.create_user("paul", "paul@office.example", is_staff=True)
    stages.assign(ready, paul, NOW + MINUTE, "olga")
    stages.assign(ready, paul, NOW + 2 * MINUTE, "olga")
    assert Task.objects.get().owner == Lead.objects.get().owner == paul
    assert Notice.objects.filter(user=paul).count() == 1
    change = ContactChange.objects.get(field="lead_owner")
    assert (change.old, change.new, change.actor) == ("olga", "paul", "olga")
    stages.assign(ready, None, NOW + 3 * MINUTE, "paul")
    assert Task.objects.get().owner is None
    stages.assign(ready, olga, NOW + 4 * MINUTE, "olga")
    assert Notice.objects.filter(user=olga, key__startswith="lead-owner").count() == 0


def test_a_stage_with_a_history_cannot_be_taken_away(cast, definition, ready):
    with pytest.raises(Refused):
        remove_stage(stage(definition, "sales_ready"))
    remove_stage(stage(definition, "lost"))
    assert not definition.stages.filter(meaning="lost").exists()
    assert LeadDefinition.objects.get().marked == 0


def test_the_history_of_a_lead_is_its_moves_newest_first(cast, definition, ready):
    stages.accept(ready, NOW + days(1), "olga")
    assert [str(move.to_stage) for move in stages.history(ready)] == ["Accepted", "Sales-ready"]
    assert Lead.objects.get().stage_since == NOW + days(1)
