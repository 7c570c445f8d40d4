"""A person becomes a lead, is nurtured, is handed to sales, falls back, and buys in the end."""

from crm.audience.leads import stages
from crm.kernel import timeline
from crm.models import Lead, Notice, ScoreChange, StageMove, Task
from tests.crm.leads.conftest import MINUTE, NOW, at_stage, days, order, refresh, tag


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
    assert lead.reasons == [
        {"label": "Asked for a price", "points": 40, "of": 40},
        {"label": "Read the guide", "points": 20, "of": 20},
    ]
    task, notice = Task.objects.get(), Notice.objects.get()
    assert (task.owner, task.kind, task.contact, task.done_at) == (olga, Task.Kind.HAND_OVER, ana, None)
    assert notice.user == olga and notice.path == f"/admin/crm/task/{task.pk}/change/"
    for said in ("Score: 60", "+40 Asked for a price", "have a score of at least 50", "a score of 60"):
        assert said in notice.body and (said in task.body)
    tag(ana, "interested", "competitor")
    refresh(definition, NOW + 4 * MINUTE)
    assert at_stage(ana) == "Lead"
    assert Task.objects.get().done_by == "the rules"
    tag(ana)
    refresh(definition, NOW + 5 * MINUTE)
    assert at_stage(ana) == "no lead"
    assert moves_of(ana) == ["Lead", "Nurtured", "Sales-ready", "Lead", "no lead"]
    assert [row.score for row in ScoreChange.objects.order_by("occurred_at")] == [0, 20, 60, -30, 0]
    assert (Notice.objects.count(), Lead.objects.count()) == (1, 1)


def test_who_was_a_lead_once_may_become_one_again(cast, definition):
    ana = cast["Ana"]
    for number, tags in enumerate([("interested",), (), ("interested", "reader")]):
        tag(ana, *tags)
        refresh(definition, NOW + number * MINUTE)
    lead = Lead.objects.get()
    assert (at_stage(ana), lead.became_at, lead.score) == ("Nurtured", NOW + 2 * MINUTE, 20)
    assert moves_of(ana) == ["Lead", "no lead", "Nurtured"]
    assert [row.score for row in ScoreChange.objects.order_by("occurred_at")] == [0, 20]


def test_a_lead_who_buys_has_bought_whatever_the_rules_say_besides(cast, definition):
    ana, boris = cast["Ana"], cast["Boris"]
    order(ana, NOW - days(9), "before they were a lead")
    tag(ana, "interested")
    tag(boris, "interested")
    refresh(definition)
    order(ana, NOW + MINUTE, "as a lead")
    refresh(definition, NOW + 2 * MINUTE)
    assert (at_stage(ana), at_stage(boris)) == ("Bought", "Lead")
    tag(ana)
    refresh(definition, NOW + 3 * MINUTE)
    assert at_stage(ana) == "Bought"


def test_the_story_stands_on_the_timeline(cast, definition):
    ana = cast["Ana"]
    tag(ana, "interested", "asked", "reader")
    refresh(definition)
    stages.accept(Lead.objects.get(), NOW + MINUTE, "olga")
    entries = timeline.read(ana.pk, kinds={"stage", "task"}).entries
    assert [(entry.title, entry.detail) for entry in entries] == [
        ("“Ready to buy”: Accepted", "was Sales-ready, 60 points, by olga, Accepted"),
        ("Lead handed over: Ana is sales-ready (Ready to buy)", "for olga, done by olga on 2 March 2026"),
        ("“Ready to buy”: Sales-ready", "60 points, by a rule"),
    ]
