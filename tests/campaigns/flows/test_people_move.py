"""Somebody becomes a lead, comes to a stage, slips away, comes back, or agrees to be written to."""

from datetime import timedelta

import pytest

from campaigns.flows.kinds import triggers
from campaigns.models import Campaign, Decision, Enrolment
from crm.audience.leads import definitions, qualifying, stages
from crm.kernel.kinds import BrokenParams
from crm.kernel.tokens import address_hash
from crm.models import Contact, Lead, Purpose, Segment, Stage, Standing, StandingMove
from crm.people import changes, consent, identity
from tests.campaigns.flows.stage import AT, MINUTE, enrol, flow, shopper

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TAGGED = {"all": [{"kind": "crm.tag", "params": {"tag": "fair"}}]}


@pytest.fixture
def leads():
    made = definitions.new_definition("From the fair", AT - 9 * DAY, "ada")
    draft = definitions.draft_of(made, AT - 9 * DAY)
    draft.is_lead = TAGGED
    draft.save()
    definitions.publish(draft, AT - 9 * DAY, "ada")
    return made


def waiting(definition, to="lead", **more):
    params = {"definition": str(definition.pk), "to": to}
    usual = {"launched_at": AT - DAY, "expires_after": None}
    return flow(trigger="campaigns.lead_moves", trigger_params=params, **(usual | more))


def tagged(contact, at, *tags):
    Contact.objects.filter(pk=contact.pk).update(created_at=AT - 30 * DAY, recorded_at=AT - 30 * DAY)
    before = Contact.objects.get(pk=contact.pk)
    Contact.objects.filter(pk=contact.pk).update(tags=list(tags))
    changes.note(before, Contact.objects.get(pk=contact.pk), at, actor="ada")


def test_whoever_becomes_a_lead_enters_once(leads):
    ana = shopper(waiting(leads))
    qualifying.refresh(leads, AT - 2 * DAY)
    tagged(ana, AT, "fair")
    qualifying.refresh(leads, AT)
    assert [enrol(AT), enrol(AT + MINUTE)] == [1, 0]
    assert (Enrolment.objects.get().contact_id, Enrolment.objects.get().qualified_at) == (ana.pk, AT)
    assert Decision.objects.get().evidence["leads"] == "From the fair"


def test_whoever_was_a_lead_before_the_launch_or_when_it_was_first_read_does_not_enter(leads):
    campaign = waiting(leads, launched_at=AT - 10 * DAY)
    tagged(shopper(campaign), AT - 9 * DAY, "fair")
    qualifying.refresh(leads, AT - 9 * DAY + MINUTE)
    assert Lead.objects.count() == 1
    assert enrol(AT - 9 * DAY + 2 * MINUTE) == 0
    boris = shopper(campaign, 2)
    tagged(boris, AT - DAY, "fair")
    qualifying.refresh(leads, AT - DAY)
    Campaign.objects.update(launched_at=AT)
    assert enrol(AT) == 0


def test_whoever_ceased_to_be_one_before_we_looked_does_not_enter(leads):
    ana = shopper(waiting(leads))
    tagged(ana, AT, "fair")
    qualifying.refresh(leads, AT)
    tagged(ana, AT + MINUTE)
    qualifying.refresh(leads, AT + MINUTE)
    assert enrol(AT + 2 * MINUTE) == 0


def test_whoever_is_moved_to_a_stage_by_hand_enters_and_it_says_by_whom(leads):
    stage = leads.stages.get(meaning=Stage.Meaning.ACCEPTED)
    ana = shopper(waiting(leads, to=str(stage.pk)))
    tagged(ana, AT - 2 * DAY, "fair")
    qualifying.refresh(leads, AT - 2 * DAY)
    assert enrol(AT) == 0
    stages.move(Lead.objects.get(), stage, AT, "mia")
    assert enrol(AT) == 1
    assert Decision.objects.get().evidence["by"] == "mia"


def test_a_stage_of_another_definition_is_refused(leads):
    other = definitions.new_definition("Others", AT, "ada")
    trigger = triggers.get("campaigns.lead_moves")
    with pytest.raises(BrokenParams, match="not one of “From the fair”"):
        trigger.read({"definition": str(leads.pk), "to": str(other.stages.first().pk)})
    stage = leads.stages.first()
    params = trigger.read({"definition": str(leads.pk), "to": str(stage.pk)})
    assert trigger.sentence(params) == f"Somebody comes to “{stage}” of “From the fair”"


def slipping(to, **more):
    usual = {"launched_at": AT - DAY, "expires_after": None}
    return flow(trigger="campaigns.standing_moves", trigger_params={"to": to}, **(usual | more))


def moves(contact, was, to, at=AT, **more):
    moments = dict.fromkeys(("since", "last_at", "cooling_at", "at_risk_at", "lost_at"), at)
    Standing.objects.update_or_create(contact=contact, defaults={"clock": "purchase", "state": to, **moments})
    return StandingMove.objects.create(
        contact=contact,
        clock="purchase",
        from_state=was,
        to_state=to,
        **({"occurred_at": at, "recorded_at": at} | more),
    )


@pytest.mark.parametrize(
    ("was", "to"),
    [("active", "cooling"), ("cooling", "at_risk"), ("at_risk", "lost"), ("lost", "active")],
)
def test_whoever_moves_there_enters_once(was, to):
    campaign = slipping(to)
    ana, boris = shopper(campaign, 1), shopper(campaign, 2)
    moves(ana, was, to)
    moves(boris, "active", {"cooling": "lost"}.get(to, "cooling"))
    assert [enrol(AT), enrol(AT + MINUTE)] == [1, 0]
    assert Enrolment.objects.get().contact_id == ana.pk


def test_moves_from_before_the_launch_or_loaded_from_history_or_undone_since_count_for_nothing():
    campaign = slipping("at_risk")
    before, loaded, back = (shopper(campaign, number) for number in (1, 2, 3))
    moves(before, "cooling", "at_risk", AT - 2 * DAY, recorded_at=AT)
    moves(loaded, "cooling", "at_risk", is_backfill=True)
    moves(back, "cooling", "at_risk")
    moves(back, "at_risk", "active", AT + MINUTE)
    assert enrol(AT + 2 * MINUTE) == 0


def test_whoever_stands_anywhere_for_the_first_time_is_not_active_again():
    moves(shopper(slipping("active")), "", "active")
    assert enrol(AT) == 0


def test_people_at_risk_before_the_launch_are_named_where_they_are_asked_for():
    campaign = slipping("at_risk")
    before, after = shopper(campaign, 1), shopper(campaign, 2)
    moves(before, "cooling", "at_risk", AT - 9 * DAY)
    moves(after, "cooling", "at_risk")
    trigger = triggers.get(campaign.trigger)
    params = trigger.read(campaign.trigger_params)
    named = trigger.entrants(params, campaign, AT, limit=9, existing=True)
    assert [(one.contact_id, one.qualified_at) for one in named] == [(before.pk, AT)]
    assert not trigger.entrants({"to": "active"}, campaign, AT, limit=9, existing=True)


def test_people_in_a_segment_before_the_launch_are_named_where_they_are_asked_for():
    segment = Segment.objects.create(name="VIPs", kind="fixed", created_at=AT - 9 * DAY)
    params = {"which": "entered", "segment": str(segment.pk)}
    campaign = flow(trigger="campaigns.segment_moves", trigger_params=params, launched_at=AT)
    ana, boris = shopper(campaign, 1), shopper(campaign, 2)
    segment.memberships.create(contact=ana, entered_at=AT - 2 * DAY)
    segment.memberships.create(contact=boris, entered_at=AT - 3 * DAY, left_at=AT - DAY)
    trigger = triggers.get(campaign.trigger)
    for which, expected in (("entered", [ana.pk]), ("left", [])):
        read = trigger.read(params | {"which": which})
        named = trigger.entrants(read, campaign, AT + DAY, limit=9, existing=True)
        assert [one.contact_id for one in named] == expected


def welcoming(**more):
    usual = {"launched_at": AT - DAY, "expires_after": None, "exit_on_purchase": False}
    campaign = flow(trigger="campaigns.agreed", trigger_params={"purpose": "newsletter"}, **(usual | more))
    assert Purpose.objects.filter(key="newsletter").exists()
    return campaign


def says(name, action="granted", at=AT, source="form", **more):
    email = f"{name}@example.com"
    known = identity.Known(email=email, first_name=name)
    pk = identity.resolve([known], AT - 30 * DAY, source="test")[0]
    digest = address_hash("email", email)[0]
    said = {"wording": "Yes, please", "address": email, "contact_id": pk} | more
    consent.record([consent.Said(digest, "email", "newsletter", action, at, source, **said)], at or AT)
    return pk


def test_whoever_agrees_is_welcomed_once():
    welcoming()
    ana = says("ana")
    assert [enrol(AT), enrol(AT + MINUTE)] == [1, 0]
    assert (Enrolment.objects.get().contact_id, Enrolment.objects.get().qualified_at) == (ana, AT)
    assert Decision.objects.get().evidence["by"] == "form"
    says("ana", at=AT + 20 * DAY)
    assert enrol(AT + 20 * DAY) == 0, "saying it again is no news"


def test_where_a_confirmation_is_asked_for_it_is_what_counts():
    welcoming()
    says("ana", "requested", AT)
    assert enrol(AT) == 0
    says("ana", "confirmed", AT + MINUTE)
    assert enrol(AT + 2 * MINUTE) == 1


def test_whoever_had_agreed_before_the_launch_or_to_something_else_is_not_welcomed():
    welcoming()
    says("ana", at=AT - 2 * DAY)
    says("ana", at=AT)
    pk = says("boris", at=AT - 2 * DAY)
    digest = address_hash("email", "boris@example.com")[0]
    other = consent.Said(
        digest, "email", "cart_recovery", "granted", AT, "form", contact_id=pk, wording="Yes"
    )
    consent.record([other], AT)
    assert enrol(AT) == 0


def test_an_imported_list_is_not_welcomed_unless_it_brings_its_proof_and_a_new_moment():
    welcoming()
    says("ana", source="import", wording="")
    says("boris", source="import", at=AT - 90 * DAY, source_ref="fair-2025.xlsx")
    says("chen", is_backfill=True)
    assert enrol(AT) == 0
    dana = says("dana", source="import", source_ref="fair-2026.xlsx")
    assert enrol(AT) == 1
    assert Enrolment.objects.get().contact_id == dana


def test_whoever_takes_it_back_before_we_looked_is_not_welcomed():
    welcoming()
    says("ana")
    says("ana", "withdrawn", AT + MINUTE)
    assert enrol(AT + 2 * MINUTE) == 0


def test_agreeing_anew_within_the_re_entry_time_is_not_welcomed_again():
    welcoming(reentry_days=90)
    says("ana", "granted", AT)
    enrol(AT)
    says("ana", "withdrawn", AT + DAY)
    says("ana", "confirmed", AT + 2 * DAY)
    assert enrol(AT + 2 * DAY) == 0
    says("ana", "withdrawn", AT + 99 * DAY)
    says("ana", "confirmed", AT + 100 * DAY)
    assert enrol(AT + 100 * DAY) == 1
