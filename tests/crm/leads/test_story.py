"""A person becomes a lead, is nurtured, is handed to sales, falls back, and is moved by hand."""

from crm.models import Lead, Notice, ScoreChange, StageMove, Task
from tests.crm.leads.conftest import MINUTE, NOW, at_stage, refresh, tag


def moves_of(contact):
    rows = StageMove.objects.filter(contact=contact).order_by("occurred_at", "pk")
    return [str(row.to_stage or "no lead") for row in rows]


def test_a_lead_is_nurtured_made_ready_handed_over_and_falls_back(cast, definition, olga):
    ana = cast["Ana"]
    assert refresh(definition) == 0
    tag(ana, "interested")
    assert refresh(definition, NOW + MINUTE) == 1
    assert at_stage(ana) == "Lead"
    tag(ana, "interested", "reader")
    refresh(definition, NOW + 2 * MINUTE)
    assert at_stage(ana) == "Nurtured"
    tag(ana, "interested", "reader", "asked")
    refresh(definition, NOW + 3 * MINUTE)
    lead = Lead.objects.get()
    assert (at_stage(ana), lead.score, lead.owner) == ("Sales-ready", 60, olga)
    assert [reason["points"] for reason in lead.reasons] == [40, 20]
    task, notice = Task.objects.get(), Notice.objects.get()
    assert (task.owner, task.kind, task.contact) == (olga, Task.Kind.HAND_OVER, ana)
    assert notice.user == olga and "Score: 60" in notice.body and "Asked for a price" in notice.body
    assert "a score of 60" in notice.body
    tag(ana, "interested", "competitor")
    refresh(definition, NOW + 4 * MINUTE)
    assert at_stage(ana) == "Lead"
    assert Task.objects.get().done_by == "the rules"
    tag(ana)
    refresh(definition, NOW + 5 * MINUTE)
    assert at_stage(ana) == "no lead"
    assert moves_of(ana) == ["Lead", "Nurtured", "Sales-ready", "Lead", "no lead"]
    assert list(ScoreChange.objects.order_by("occurred_at").values_list("score", flat=True)) == [
        0,
        20,
        60,
        -30,
        0,
    ]
