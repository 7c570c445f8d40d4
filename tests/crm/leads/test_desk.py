"""What waits for a colleague, what they are reminded of, how fast they are, and what marketing learns."""

from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns.delivery.mime import build
from campaigns.messages import notices as letters
from campaigns.models import Delivery, Letter, Sender
from crm.audience.leads import pace, stages
from crm.kernel import clock, panels, rules, timeline
from crm.kernel.rules import Scope
from crm.models import Absence, Contact, HandOver, Lead, Note, Notice, Purpose, StageMove, Task
from crm.people import desk, engagement
from crm.ticking import run_tick
from tests import office
from tests.crm.leads.conftest import MINUTE, NOW, days, refresh, rule, stage, tag

READY = ("interested", "asked", "reader")
HOUR = timedelta(hours=1)
SENT = ("claimed", "sending", "sent")


@pytest.fixture
def paul(db):
    return User.objects.create_user("paul", "paul@office.example", is_staff=True)


@pytest.fixture
def handed(cast, definition):
    for contact in cast.values():
        tag(contact, *READY)
    refresh(definition)
    return {name: Lead.objects.get(contact=contact) for name, contact in cast.items()}


def asked_of(condition, at, **params):
    q = rules.compile(rule(condition, **params), at, Scope(current=True))
    return sorted(Contact.objects.filter(q).values_list("first_name", flat=True))


def cards(user, now):
    return {card["key"]: card["data"] for card in panels.day_of(user, now)}


def test_a_task_is_told_of_once_when_it_is_due_to_its_owner_or_who_stands_in(cast, olga, paul):
    ana = cast["Ana"].pk
    due = desk.make_task(ana, "Call Ana", olga, NOW, due_at=NOW + HOUR, body="About the speakers")
    desk.make_task(ana, "One day", olga, NOW, due_at=None)
    desk.make_task(ana, "Long ago", olga, NOW - days(9), due_at=NOW - days(3))
    done = desk.make_task(ana, "Done", olga, NOW, due_at=NOW + HOUR)
    Task.objects.filter(pk=done.pk).update(done_at=NOW)
    run_tick("crm.reminders", NOW + HOUR - MINUTE)
    assert not Notice.objects.exists()
    for _twice in range(2):
        run_tick("crm.reminders", NOW + HOUR)
    told = Notice.objects.get()
    assert (told.user, told.subject) == (olga, "Due now: Call Ana")
    assert "About Ana." in told.body and "speakers" in told.body
    Absence.objects.create(user=olga, stand_in=paul, from_day=NOW.date(), to_day=NOW.date())
    Task.objects.filter(pk=due.pk).update(due_at=NOW + 2 * HOUR, reminded_at=None)
    run_tick("crm.reminders", NOW + 2 * HOUR)
    assert Notice.objects.get(user=paul).subject == "Due now: Call Ana"


def test_many_tasks_due_at_once_are_one_notice(cast, olga):
    for number in range(11):
        desk.make_task(cast["Ana"].pk, f"Call {number}", olga, NOW, due_at=NOW)
    run_tick("crm.reminders", NOW)
    assert Notice.objects.get().subject == "11 tasks are due"


def test_a_task_moved_to_another_time_is_told_of_again(cast, olga):
    task = desk.make_task(cast["Ana"].pk, "Call Ana", olga, NOW, due_at=NOW)
    run_tick("crm.reminders", NOW)
    root = User.objects.create_superuser("root", "root@office.example")
    client = Client()
    client.force_login(root)
    form = {
        "title": "Call Ana",
        "owner": olga.pk,
        "body": "",
        "due_at_0": "2026-03-02",
        "due_at_1": "15:00:00",
    }
    assert client.post(reverse("admin:crm_task_change", args=[task.pk]), form).status_code == 302
    task.refresh_from_db()
    run_tick("crm.reminders", task.due_at)
    assert Notice.objects.filter(user=olga).count() == 2


def test_the_day_of_a_colleague_says_what_waits_for_them_alone(cast, handed, olga, paul):
    staff = {"is_superuser": True}
    User.objects.filter(pk__in=[olga.pk, paul.pk]).update(**staff)
    olga, paul = (User.objects.get(pk=one.pk) for one in (olga, paul))
    assert cards(paul, NOW) == {}
    later = NOW + 3 * HOUR
    desk.make_task(cast["Ana"].pk, "Late", olga, NOW, due_at=NOW + HOUR)
    engagement.touch("last_reply_at", {cast["Ana"].pk: NOW + HOUR, cast["Boris"].pk: NOW + HOUR})
    desk.write_note(cast["Boris"].pk, "Answered him", NOW + 2 * HOUR, by="olga")
    day = cards(olga, later)
    assert sorted(day) == ["crm.hand_overs", "crm.replies", "crm.tasks_due"]
    assert len(day["crm.hand_overs"]["tasks"]) == 4
    assert (day["crm.tasks_due"]["overdue"], len(day["crm.tasks_due"]["tasks"])) == (1, 1)
    assert [one["contact"].first_name for one in day["crm.replies"]["people"]] == ["Ana"]
    clerk = User.objects.create_user("clerk", is_staff=True)
    assert cards(clerk, later) == {}


def test_a_refusal_is_a_condition_a_row_of_the_timeline_and_counted(cast, handed, definition):
    stages.refuse(handed["Ana"], NOW + HOUR, "olga", "moves house", why=HandOver.Reason.NOT_NOW)
    stages.refuse(handed["Boris"], NOW + HOUR, "olga", "", why=HandOver.Reason.NO_FIT)
    stages.accept(handed["Chen"], NOW + HOUR, "olga")
    at = NOW + 2 * HOUR
    assert asked_of("crm.lead_refused", at) == ["Ana", "Boris"]
    assert asked_of("crm.lead_refused", at, reason="not_now", definition=str(definition.pk)) == ["Ana"]
    assert asked_of("crm.lead_refused", NOW + days(9), within_days="7") == []
    assert asked_of("crm.lead_refused", NOW) == []
    drifted = rules.drift(rule("crm.lead_refused", within_days="7"), NOW + days(6), NOW + days(8))
    assert {pk for rows in drifted for pk in rows.values_list("contact_id", flat=True)} == {
        cast["Ana"].pk,
        cast["Boris"].pk,
    }
    page = timeline.read(cast["Ana"].pk, kinds=["hand_over"])
    assert "not now: moves house" in page.entries[0].detail
    assert pace.report(NOW, at).refused == [("not somebody we sell to", 1), ("not now", 1)]


def test_how_fast_sales_is_counts_desk_hours_to_the_answer_and_to_the_first_call(cast, handed, olga, paul):
    evening, morning = NOW + 7 * HOUR, NOW + days(1) - HOUR  # It closes at 17:00 and opens at 9:00.
    stages.accept(handed["Ana"], NOW + HOUR, "olga")
    stages.accept(handed["Boris"], morning + HOUR, "olga")
    desk.write_note(cast["Ana"].pk, "Spoke", NOW + 2 * HOUR, by="olga", kind=Note.Kind.CALL)
    desk.write_note(cast["Boris"].pk, "A note is no call", NOW + HOUR, by="olga")
    desk.write_note(cast["Boris"].pk, "Spoke", morning + HOUR, by="paul", kind=Note.Kind.MEETING)
    stages.assign(handed["Chen"], paul, NOW + HOUR, "olga")
    found = pace.report(NOW, evening + days(2))
    mine, his = found.by_owner
    assert (mine.name, mine.asked, mine.answers["passed"], mine.median_answer) == ("olga", 4, 1, 4.5 * HOUR)
    assert sorted(mine.to_touch) == [2 * HOUR, 8 * HOUR]
    # Of Ana, Boris and Dana, who was never called, one was called within four hours.
    assert (mine.in_time, mine.due, mine.share_in_time) == (1, 3, 33)
    assert (his.name, his.asked, his.median_touch) == ("paul", 1, None)
    assert pace.report(NOW + days(1), NOW + days(2)).whole.asked == 0


def letter(to, at, *states):
    """An e-mail by hand, and what became of it."""
    delivery = Delivery.objects.create(
        dedupe_key=f"m:{at}",
        origin=Delivery.Origin.PERSONAL,
        channel="email",
        contact_id=to.pk,
        address_hash=b"a" * 32,
        purpose=Purpose.objects.get(key="transactional"),
        sender=Sender.objects.first() or office.sender(),
        due_at=at,
        not_before=at,
        not_after=at + HOUR,
    )
    office.along(delivery, *states)
    Letter.objects.create(contact=to, delivery_id=delivery.pk, written_at=at)


def test_a_letter_that_left_and_a_message_elsewhere_are_touches_too(cast, handed):
    letter(cast["Ana"], NOW + HOUR, *SENT)
    desk.write_note(cast["Ana"].pk, "Spoke", NOW + 2 * HOUR, by="olga", kind=Note.Kind.CALL)
    letter(cast["Boris"], NOW + 2 * HOUR, "claimed", "suppressed")
    desk.write_note(cast["Boris"].pk, "By a chat", NOW + 3 * HOUR, by="olga", kind=Note.Kind.MESSAGE)
    desk.write_note(cast["Chen"].pk, "For colleagues alone", NOW + HOUR, by="olga")
    desk.write_note(cast["Chen"].pk, "Saw a profile", NOW + HOUR, by="olga", kind=Note.Kind.LEARNED)
    found = pace.report(NOW, NOW + days(2))
    assert sorted(found.whole.to_touch) == [HOUR, 3 * HOUR]


def test_whoever_was_answered_by_an_e_mail_waits_for_no_answer(cast, handed, olga):
    User.objects.filter(pk=olga.pk).update(is_superuser=True)
    olga, later = User.objects.get(pk=olga.pk), NOW + 3 * HOUR
    engagement.touch("last_reply_at", {cast["Ana"].pk: NOW + HOUR, cast["Boris"].pk: NOW + HOUR})
    letter(cast["Ana"], NOW + 2 * HOUR, *SENT)
    assert [one["contact"].first_name for one in cards(olga, later)["crm.replies"]["people"]] == ["Boris"]


def test_nothing_a_person_calls_themselves_gets_out_of_a_notice_or_into_a_page(cast, definition, olga):
    name = 'Ana\r\nBcc: evil@evil.test\r\n\r\n<script>alert("x")</script>'
    Contact.objects.filter(pk=cast["Ana"].pk).update(first_name=name[:120])
    Sender.objects.create(
        name="Mira",
        email="mira@shop.test",
        person="Mira",
        reply_to="m@shop.test",
        telephone="1",
        is_default=True,
    )
    tag(Contact.objects.get(pk=cast["Ana"].pk), *READY)
    refresh(definition)
    desk.make_task(cast["Ana"].pk, f"Call {name}"[:200], olga, NOW, due_at=NOW)
    run_tick("crm.reminders", NOW)
    run_tick("campaigns.notices", NOW)
    deliveries = list(Delivery.objects.all())
    assert len(deliveries) == 2
    for mail in letters.prepare(deliveries, NOW).values():
        read = message_from_bytes(build(mail), policy=policy.default)
        assert read["Bcc"] is None and read["subject"].count("\n") == 0
        assert read.get_content_type() == "text/plain"
    User.objects.filter(pk=olga.pk).update(is_superuser=True)
    client = Client()
    client.force_login(User.objects.get(pk=olga.pk))
    for page in ("admin:crm_lead_board", "admin:crm_handover_changelist", "admin:crm_task_changelist"):
        with clock.frozen(NOW + HOUR):
            shown = client.get(reverse(page)).content.decode()
        assert "Bcc: evil" in shown and '<script>alert("x")' not in shown, page


def test_a_refusal_without_a_reason_is_asked_for_one_and_whoever_accepts_owns_it(handed, olga, paul):
    User.objects.filter(pk=paul.pk).update(is_superuser=True)
    client = Client()
    client.force_login(User.objects.get(pk=paul.pk))
    ana, boris = (
        StageMove.objects.get(contact=handed[name].contact, to_stage__meaning="sales_ready")
        for name in ("Ana", "Boris")
    )
    with clock.frozen(NOW + HOUR):
        for said in ({"do": "refuse"}, {"do": "refuse", "why": "made_up", "reason": " \0"}):
            answer = client.post(reverse("admin:crm_task_answer", args=[ana.pk]), said, follow=True)
            assert "Say why you refuse" in answer.content.decode()
        assert HandOver.objects.get(move=ana).answer == "waiting"
        client.post(reverse("admin:crm_task_answer", args=[ana.pk]), {"do": "refuse", "why": "no_fit"})
        client.post(reverse("admin:crm_task_answer", args=[boris.pk]), {"do": "accept"})
    assert HandOver.objects.get(move=ana).reason == "no_fit"
    assert Lead.objects.get(contact=handed["Boris"].contact).owner == paul
    assert stage(handed["Boris"].definition, "accepted") == Lead.objects.get(owner=paul).stage
