"""Steps that change something about a person: with history, in batches, and not for the control group."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.flows import journeys, launching
from campaigns.flows.kinds import steps
from campaigns.models import Decision, Due, Enrolment, Step
from crm.audience import lists
from crm.audience.leads import definitions, stages
from crm.kernel.kinds import BrokenParams
from crm.kernel.timeline import sources
from crm.models import (
    Contact,
    ContactChange,
    ContactStatus,
    Engagement,
    Lead,
    Notice,
    OwnField,
    Segment,
    SegmentMembership,
    Stage,
    StageMove,
    Status,
    Task,
)
from crm.people import statuses
from tests.campaigns.flows.stage import AT, MINUTE, flow, leave_cart, run, shopper

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def act(kind, /, **params):
    return {"kind": f"campaigns.{kind}", "params": params}


def came(campaign, number=1, at=AT):
    """Somebody who left a cart, and so comes into the flow."""
    contact = shopper(campaign, number)
    leave_cart(contact, at - 10 * MINUTE)
    return contact


def walked(step, **changes):
    """One person through one step: they, and what was decided about them at the step."""
    campaign = flow(step, **changes)
    contact = came(campaign)
    run(AT)
    contact.refresh_from_db()
    return contact, Decision.objects.exclude(step_key="").get()


def own_field(kind="number", key="shoe_size", label="Shoe size", **changes):
    return OwnField.objects.create(key=key, label=label, type=kind, created_at=AT, **changes)


@pytest.fixture
def mia():
    return User.objects.create_user("mia", "mia@office.test", is_staff=True, first_name="Mia")


def lead(contact, definition, meaning="lead", at=AT - 30 * DAY):
    version = definitions.published(definition) or definition.versions.get()
    where = definition.stages.get(meaning=meaning)
    return Lead.objects.create(
        contact=contact,
        definition=definition,
        version=version,
        stage=where,
        rule_stage=where,
        stage_since=at,
        became_at=at,
    )


@pytest.fixture
def definition():
    made = definitions.new_definition("Course", AT - 90 * DAY, "ada")
    draft = made.versions.get()
    draft.is_lead = {"all": [{"kind": "crm.tag", "params": {"tag": "interested"}}]}
    draft.save()
    definitions.publish(draft, AT - 90 * DAY, "ada")
    return made


def test_a_field_of_the_shops_own_is_set_with_its_history():
    own_field()
    contact, decided = walked(act("change_field", field="own:shoe_size", value="42"))
    assert contact.fields == {"shoe_size": 42}
    change = ContactChange.objects.get()
    assert (change.field, change.old, change.new) == ("fields", {}, {"shoe_size": 42})
    assert (change.actor, change.occurred_at) == ("the campaign “Left carts”", AT)
    assert (decided.verdict, decided.words) == ("done", "Set Shoe size to 42.")
    [entry] = sources.get("crm.changes").page(contact.pk, None, 10)
    assert (entry.title, entry.detail) == ("Shoe size: 42", "by the campaign “Left carts”")


def test_a_date_may_be_the_day_on_which_they_come_and_a_text_today_stays_a_text():
    own_field("date", "asked_on", "Asked on")
    own_field("text", "hobby", "Hobby")
    campaign = flow(
        act("change_field", field="own:asked_on", value="Today"),
        act("change_field", field="own:hobby", value="today"),
    )
    contact = came(campaign)
    run(AT)
    contact.refresh_from_db()
    assert contact.fields == {"asked_on": "2026-03-02", "hobby": "today"}


def test_blank_takes_an_answer_away():
    own_field()
    campaign = flow(
        act("change_field", field="own:shoe_size", value=""), act("change_field", field="language", value="")
    )
    contact = came(campaign)
    Contact.objects.update(fields={"shoe_size": 42, "hobby": "x"}, language="de")
    run(AT)
    contact.refresh_from_db()
    assert (contact.fields, contact.language) == ({"hobby": "x"}, "")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("language", "German", "code of a language"),
        ("country", "Germany", "two letters"),
        ("time_zone", "Berlin", "Europe/Berlin"),
        ("own:shoe_size", "large", "not a number"),
        ("own:gone", "x", "Select a valid choice"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_beside_its_field(field, value, says):
    own_field()
    with pytest.raises(BrokenParams, match=says):
        steps.get("campaigns.change_field").read({"field": field, "value": value})


def test_what_is_so_already_is_not_changed_again():
    campaign = flow(act("tag", how="add", tag="vip"))
    contact = came(campaign)
    Contact.objects.update(tags=["vip"])
    Engagement.objects.update(stirred=0)
    run(AT)
    decided = Decision.objects.exclude(step_key="").get()
    assert (decided.reason, decided.words) == ("already", "Nothing to do: tag “vip”.")
    assert not ContactChange.objects.exists()
    assert Engagement.objects.get(contact=contact).stirred == 0


def test_tags_come_and_go_and_whoever_is_changed_is_looked_at_again():
    campaign = flow(act("tag", how="add", tag="vip, fair"), act("tag", how="remove", tag="old"))
    contact = came(campaign)
    Contact.objects.update(tags=["old", "fair"])
    Engagement.objects.update(stirred=0)
    run(AT)
    contact.refresh_from_db()
    assert contact.tags == ["fair", "vip"]
    assert list(ContactChange.objects.order_by("pk").values_list("old", "new")) == [
        (["old", "fair"], ["old", "fair", "vip"]),
        (["old", "fair", "vip"], ["fair", "vip"]),
    ]
    assert Engagement.objects.get(contact=contact).stirred > 0


def test_nobody_carries_more_than_fifty_tags():
    campaign = flow(act("tag", how="add", tag="one more"))
    contact = came(campaign)
    Contact.objects.update(tags=[f"t{number}" for number in range(50)])
    run(AT)
    contact.refresh_from_db()
    assert len(contact.tags) == 50
    assert Decision.objects.get(reason="too_many_tags").verdict == "skipped"


def test_a_lead_is_moved_with_its_row_of_history(definition):
    stage = definition.stages.get(meaning="nurture")
    campaign = flow(act("set_stage", stage=str(stage.pk)))
    contact = came(campaign)
    lead(contact, definition)
    run(AT)
    assert Lead.objects.get().stage == stage
    row = StageMove.objects.get()
    assert (row.from_stage.meaning, row.to_stage, row.by_rule, row.actor) == (
        "lead",
        stage,
        True,
        "the campaign “Left carts”",
    )
    assert Decision.objects.get(reason="done").words == "Moved to “Nurtured” of “Course”."


def test_to_ready_for_sales_it_hands_over(definition, mia):
    definition.owner_by_default = mia
    definition.save()
    stage = definition.stages.get(meaning="sales_ready")
    campaign = flow(act("set_stage", stage=str(stage.pk)))
    lead(came(campaign), definition)
    run(AT)
    assert Task.objects.get().owner == Lead.objects.get().owner == mia
    assert "Moved by the campaign “Left carts”" in Notice.objects.get().body


def test_whoever_is_no_lead_stays_none(definition):
    stage = definition.stages.get(meaning="nurture")
    _, decided = walked(act("set_stage", stage=str(stage.pk)))
    assert (decided.verdict, decided.words) == ("skipped", "They are no lead of “Course”.")
    assert not Lead.objects.exists()


def test_out_of_the_hands_of_sales_it_leads_only_forward(definition):
    campaign = flow(act("set_stage", stage=str(definition.stages.get(meaning="nurture").pk)))
    lead(came(campaign), definition, "accepted")
    run(AT)
    assert Lead.objects.get().stage.meaning == "accepted"
    assert Decision.objects.get(reason="ahead").verdict == "skipped"


def test_a_colleagues_move_after_they_came_in_stands_and_one_before_does_not(definition):
    wait = {"kind": "campaigns.wait", "params": {"length": "24", "unit": "hours"}}
    campaign = flow(wait, act("set_stage", stage=str(definition.stages.get(meaning="nurture").pk)))
    ana, boris = came(campaign, 1), came(campaign, 2)
    lost = definition.stages.get(meaning="lost")
    stages.move(lead(boris, definition), lost, AT - DAY, "mia")
    lead(ana, definition)
    run(AT)
    stages.move(Lead.objects.get(contact=ana), lost, AT + MINUTE, "mia")
    journeys.advance(AT + DAY, journeys.Budget(20))
    assert Lead.objects.get(contact=ana).stage == lost
    assert Lead.objects.get(contact=boris).stage.meaning == "nurture"
    assert Decision.objects.get(reason="hand").contact == ana


def test_people_go_to_colleagues_in_turn_and_the_next_batch_goes_on_where_it_stopped(mia):
    noa = User.objects.create_user("noa", is_staff=True)
    campaign = flow(act("set_owner", colleagues=[str(mia.pk), str(noa.pk)]), exit_on_purchase=False)
    for number in range(1, 8):
        came(campaign, number)
        run(AT)
    assert [Contact.objects.filter(owner=user).count() for user in (mia, noa)] == [4, 3]
    assert Step.objects.get().dealt == 7
    for number in range(8, 13):
        came(campaign, number)
    run(AT)
    assert [Contact.objects.filter(owner=user).count() for user in (mia, noa)] == [6, 6]
    assert ContactChange.objects.filter(field="owner").count() == 12


def test_whoever_has_an_owner_keeps_them_unless_the_step_says_otherwise(mia):
    noa = User.objects.create_user("noa", is_staff=True)
    campaign = flow(act("set_owner", colleagues=[str(mia.pk)], keep=True))
    contact = came(campaign)
    Contact.objects.update(owner=noa)
    run(AT)
    assert Contact.objects.get().owner == noa
    Step.objects.update(params={"colleagues": [str(mia.pk)]})
    Enrolment.objects.all().delete()
    run(AT)
    contact.refresh_from_db()
    assert contact.owner == mia


def test_a_colleague_who_left_is_passed_over_and_named_before_launch(mia):
    mia.is_active = False
    mia.save()
    campaign = flow(act("set_owner", colleagues=[str(mia.pk)]))
    came(campaign)
    run(AT)
    assert Decision.objects.get(reason="no_colleague").verdict == "skipped"
    assert "works here" in " ".join(one.problem for one in launching.problems(campaign, AT))


def test_a_status_is_given_for_as_long_as_the_step_says_and_never_shortened():
    vip = Status.objects.create(key="vip", name="VIP", lasts_days=365, created_at=AT)
    campaign = flow(act("give_status", kind="vip", days="30"))
    ana, boris = came(campaign, 1), came(campaign, 2)
    statuses.grant(boris.pk, vip, AT - DAY, "mia")
    run(AT)
    terms = {term.contact_id: term for term in ContactStatus.objects.all()}
    assert (terms[ana.pk].until, terms[ana.pk].granted_by) == (AT + 30 * DAY, "the campaign “Left carts”")
    assert terms[boris.pk].until == AT + 364 * DAY
    assert Decision.objects.get(contact=ana, verdict="done").words == "Has “VIP” until 1 April 2026 at least."


def test_a_status_a_colleague_took_away_stays_away_for_that_term():
    vip = Status.objects.create(key="vip", name="VIP", lasts_days=10, created_at=AT)
    campaign = flow(act("give_status", kind="vip"))
    contact = came(campaign)
    statuses.grant(contact.pk, vip, AT - DAY, "mia")
    statuses.end(contact.pk, vip, AT - MINUTE, "mia")
    run(AT)
    assert statuses.held([contact.pk], AT) == {}
    assert Decision.objects.get(reason="taken_away").verdict == "skipped"


def test_lists_take_people_and_let_them_go():
    fans = Segment.objects.create(name="Fans", kind=Segment.Kind.FIXED, created_at=AT)
    old = Segment.objects.create(name="Old", kind=Segment.Kind.FIXED, created_at=AT)
    campaign = flow(
        act("audience", how="add", list=str(fans.pk)), act("audience", how="remove", list=str(old.pk))
    )
    ana = came(campaign)
    lists.add(old, [ana.pk], AT - DAY)
    run(AT)
    stays = SegmentMembership.objects.values_list("segment__name", "contact_id", "left_at")
    assert set(stays) == {("Fans", ana.pk, None), ("Old", ana.pk, AT)}
    fans.refresh_from_db()
    assert fans.size == 1


def test_a_list_that_is_gone_pauses_the_campaign_and_a_segment_with_a_rule_is_not_offered():
    kept_up = Segment.objects.create(name="By rule", created_at=AT)
    campaign = flow(act("audience", how="add", list=str(kept_up.pk)))
    came(campaign)
    run(AT)
    campaign.refresh_from_db()
    assert campaign.state == "paused" and "list" in campaign.problem


CHANGES = {
    "change_field": lambda: act("change_field", field="language", value="de"),
    "tag": lambda: act("tag", how="add", tag="vip"),
    "set_stage": lambda: act("set_stage", stage=str(Stage.objects.get(meaning="nurture").pk)),
    "set_owner": lambda: act("set_owner", colleagues=[str(User.objects.get().pk)]),
    "give_status": lambda: act("give_status", kind="vip"),
    "audience": lambda: act("audience", how="add", list=str(Segment.objects.get().pk)),
    "notify": lambda: act("notify", who="colleague", colleague=str(User.objects.get().pk), words="Hello"),
    "make_task": lambda: act("make_task", who="owner", title="Call {{ contact.email }}", days="2"),
}


@pytest.fixture
def shop(definition, mia):
    Status.objects.create(key="vip", name="VIP", created_at=AT)
    Segment.objects.create(name="Fans", kind=Segment.Kind.FIXED, created_at=AT)
    return definition


def trace():
    people = Contact.objects.order_by("pk").values_list("language", "tags", "owner")
    rows = (ContactStatus, SegmentMembership, StageMove, Notice, Task, ContactChange)
    return list(people), [model.objects.count() for model in rows]


def all_of_them(**changes):
    """A flow in which every one of these steps stands."""
    return flow(*(make() for make in CHANGES.values()), **({"exit_on_purchase": False} | changes))


@pytest.mark.parametrize("how", ["control group", "shadow"])
def test_nothing_is_done_for_whom_it_is_withheld_but_they_walk_on(how, shop):
    changed = {"control_share": Decimal(1)} if how == "control group" else {"is_shadow": True}
    lead(came(all_of_them(**changed)), shop)
    before = trace()
    run(AT)
    assert trace() == before
    decided = Decision.objects.exclude(step_key="").values_list("verdict", flat=True)
    assert list(decided) == ["held_out" if how == "control group" else "shadow"] * len(CHANGES)
    assert Enrolment.objects.get().state == "finished"


def test_twenty_people_cost_no_more_queries_than_one(shop):
    campaign = all_of_them()

    def cost(numbers):
        for number in numbers:
            lead(came(campaign, number), shop)
        journeys.enrol(AT, journeys.Budget(20))
        with CaptureQueriesContext(connection) as asked:
            journeys.advance(AT, journeys.Budget(20))
        assert Decision.objects.filter(verdict="done").count() == numbers[-1] * len(CHANGES)
        return len(asked)

    one = cost(range(1, 2))
    assert cost(range(2, 22)) <= one


def test_steps_that_are_taken_again_do_nothing_more(shop):
    campaign = all_of_them()
    contact = came(campaign)
    lead(contact, shop)
    run(AT)
    once = trace()
    assert once[1] == [1, 1, 1, 1, 1, 3]
    person = Enrolment.objects.get()
    person.state, person.step_position = "active", 1
    person.save()
    Due.objects.create(enrolment_id=person.pk, contact_id=contact.pk, campaign=campaign, due_at=AT)
    journeys.advance(AT + MINUTE, journeys.Budget(20))
    assert trace() == once


def test_every_step_says_what_it_does(shop):
    for make in CHANGES.values():
        step = make()
        kind = steps.get(step["kind"])
        words = kind.sentence(kind.read(step["params"]), Step(kind=step["kind"]))
        assert words[0].isupper() and not words.endswith(".")
