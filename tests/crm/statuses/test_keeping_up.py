"""Statuses are given by a rule or a hand, renewed while the rule holds, and run out."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.audience import granting, segmentation, uses
from crm.kernel import rules, timeline
from crm.kernel.rules import Scope
from crm.kernel.work import Budget
from crm.models import Contact, ContactStatus, Segment, Status
from crm.people import changes, statuses
from tests.crm.world import mail, person
from tests.office import person as known

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TAGGED = {"all": [{"kind": "crm.tag", "params": {"tag": "vip"}}]}
HAS = {"all": [{"kind": "crm.has_status", "params": {"status": "vip"}}]}


@pytest.fixture
def vip():
    return Status.objects.create(key="vip", name="VIP", rule=TAGGED, lasts_days=30, created_at=AT)


@pytest.fixture
def ana():
    return known(mail("ana"), agreed=False, now=AT - 40 * DAY)


def tag(name, *tags, at=AT):
    """As the contact's page does it."""
    before, after = person(name), person(name)
    after.tags = list(tags)
    after.save()
    changes.note(before, after, at, actor="ada")


def tick(at):
    return granting.keep_up(at, Budget(30))


def has(at, *, current=False):
    found = Contact.objects.filter(rules.compile(HAS, at, Scope(current=current)))
    return [contact.email for contact in found]


def test_the_rule_gives_it_renews_it_and_lets_it_run_out(vip, ana):
    assert tick(AT) == 0
    tag("ana", "vip", at=AT)
    assert [tick(AT), tick(AT + HOUR)] == [1, 0]
    assert statuses.held([ana.pk], AT) == {ana.pk: {"vip": AT + 30 * DAY}}
    tag("ana", at=AT + DAY)
    tick(AT + 2 * DAY)
    assert has(AT + 29 * DAY, current=True) == [mail("ana")], "a term lasts, whatever comes"
    tag("ana", "vip", at=AT + 20 * DAY)
    assert tick(AT + 28 * DAY) == 0
    assert tick(AT + 29 * DAY) == 1
    assert statuses.held([ana.pk], AT + 29 * DAY) == {ana.pk: {"vip": AT + 60 * DAY}}
    tag("ana", at=AT + 40 * DAY)
    for day in (58, 59):
        tick(AT + day * DAY)
    assert statuses.held([ana.pk], AT + 60 * DAY) == {}, "it ends at its end, before any tick"
    assert tick(AT + 61 * DAY) == 1
    term = ContactStatus.objects.get()
    assert (term.ended_at, term.renewals, term.ended_by) == (AT + 60 * DAY, 1, "")


def test_who_held_it_is_known_for_any_instant(vip, ana):
    tag("ana", "vip", at=AT)
    tick(AT)
    statuses.end(ana.pk, vip, AT + 10 * DAY, "ada")
    for at, there in ((AT - HOUR, False), (AT, True), (AT + 9 * DAY, True), (AT + 10 * DAY, False)):
        assert bool(has(at)) is there, at
    assert has(AT + 10 * DAY, current=True) == []


def test_what_a_hand_ended_the_rule_gives_back_only_after_the_term(vip, ana):
    tag("ana", "vip", at=AT)
    tick(AT)
    assert statuses.end(ana.pk, vip, AT + DAY, "ada")
    assert not statuses.end(ana.pk, vip, AT + DAY, "ada")
    for day in (2, 15, 29):
        assert tick(AT + day * DAY) == 0
    assert tick(AT + 31 * DAY) == 1
    assert ContactStatus.objects.count() == 2


def test_a_hand_gives_it_renews_it_and_is_remembered(vip, ana):
    other = Status.objects.create(key="trade", name="Trade", lasts_days=10, created_at=AT)
    statuses.grant(ana.pk, other, AT, "ada")
    statuses.grant(ana.pk, other, AT + 5 * DAY, "ada")
    assert statuses.held([ana.pk], AT + 12 * DAY) == {ana.pk: {"trade": AT + 15 * DAY}}
    statuses.grant(ana.pk, other, AT + 20 * DAY, "mia")
    told = timeline.read(ana.pk, kinds=["status"]).entries
    assert [(entry.title, entry.detail) for entry in told] == [
        ("Became Trade", "given by mia · until 1 April 2026"),
        ("Became Trade", "given by ada · renewed 1 time · ended on 17 March 2026"),
    ]


def test_a_rule_that_cannot_be_read_gives_nothing_and_takes_nothing(vip, ana):
    tag("ana", "vip", at=AT)
    tick(AT)
    Status.objects.update(rule={"all": [{"kind": "crm.gone", "params": {}}]})
    for day in range(1, 40):
        tick(AT + day * DAY)
    assert statuses.held([ana.pk], AT + 39 * DAY)
    vip.refresh_from_db()
    assert "crm.gone" in vip.problem
    Status.objects.update(rule=TAGGED)
    tag("ana", at=AT + 40 * DAY)
    for day in range(40, 44):
        tick(AT + day * DAY)
    vip.refresh_from_db()
    assert not statuses.held([ana.pk], AT + 43 * DAY) and vip.problem == ""


@pytest.mark.django_db(transaction=True)
def test_in_between_only_those_are_asked_about_whom_something_was_written(vip, ana):
    known(mail("boris"), agreed=False, now=AT - 40 * DAY)
    tick(AT)
    Contact.objects.filter(email=mail("boris")).update(tags=["vip"])
    tag("ana", "vip", at=AT + HOUR)
    tick(AT + HOUR)
    assert has(AT + HOUR, current=True) == [mail("ana")]
    tick(AT + 2 * DAY)
    assert len(has(AT + 2 * DAY, current=True)) == 2, "once a day everybody is asked"


def test_a_segment_learns_of_it_at_the_next_sweep_and_when_it_runs_out(vip, ana):
    segment = Segment.objects.create(name="VIPs", rule=HAS, created_at=AT)
    segmentation.refresh(segment, AT)
    statuses.grant(ana.pk, vip, AT + HOUR, "ada")
    assert segmentation.sweep(segment, AT + HOUR) == 1
    for day in range(1, 29):
        assert segmentation.sweep(segment, AT + day * DAY) == 0
    assert segmentation.sweep(segment, AT + 31 * DAY) == 1 and segment.size == 0


def test_what_a_rule_says_and_why(vip, ana):
    assert rules.sentence(HAS) == "People who have the status “VIP”."
    statuses.grant(ana.pk, vip, AT, "ada")

    def why(at):
        found = rules.explain(Contact.objects.filter(pk=ana.pk), HAS, at)
        assert found is not None and found.root is not None
        return found.root.leaves()[0].evidence

    assert why(AT - DAY) == "never had it"
    assert why(AT + DAY) == "since 2 March 2026, until 1 April 2026"
    statuses.end(ana.pk, vip, AT + 2 * DAY, "ada")
    assert why(AT + 3 * DAY) == "had it from 2 March 2026 to 4 March 2026"


def test_a_status_leans_on_the_segments_its_rule_names():
    segment = Segment.objects.create(name="Regulars", rule=TAGGED, created_at=AT)
    inside = {"all": [{"kind": "crm.in_segment", "params": {"segment": str(segment.pk)}}]}
    Status.objects.create(key="vip", name="VIP", rule=inside, created_at=AT)
    assert [(use.what, use.name) for use in uses.of(segment)] == [("status", "VIP")]


def test_whoever_holds_what_is_one_query(vip, ana, django_assert_num_queries):
    statuses.grant(ana.pk, vip, AT, "ada")
    with django_assert_num_queries(1):
        assert statuses.held([ana.pk, vip.pk], AT) == {ana.pk: {"vip": AT + 30 * DAY}}
