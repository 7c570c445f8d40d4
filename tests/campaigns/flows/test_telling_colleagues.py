"""Steps that tell a colleague something, or give them something to do."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from campaigns.delivery import notices
from campaigns.flows.kinds import steps
from campaigns.models import Decision, Delivery
from crm.kernel.kinds import BrokenParams
from crm.kernel.work import Budget
from crm.models import Contact, Notice, Task
from tests.campaigns import mailing
from tests.campaigns.flows.stage import AT, flow, run
from tests.campaigns.flows.test_changing_people import act, came
from tests.sink.smtp import SmtpSink

pytestmark = pytest.mark.django_db

CALL = "{{ contact.first_name | default: 'Somebody' }} left a cart. Call {{ contact.email }}."


@pytest.fixture
def mia():
    return User.objects.create_user("mia", "mia@office.test", is_staff=True, first_name="Mia")


def test_whoever_looks_after_the_person_is_told_by_mail_with_name_reason_and_page(mia, settings):
    campaign = flow(act("notify", who="owner", words=CALL))
    contact = came(campaign)
    Contact.objects.update(owner=mia)
    campaign.sender.is_default = True
    campaign.sender.save()
    run(AT)
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        notices.hand_on(AT, Budget(20))
        mailing.send(AT)
    [mail] = sink.accepted()
    text = mail.raw.decode()
    assert mail.recipient == "mia@office.test"
    assert "Person1 left a cart. Call person1@example.com." in text
    assert "In “Left carts” since 2 March 2026" in Notice.objects.get().body
    assert f"/crm/contact/{contact.pk}/change/" in text.replace("=\r\n", "")
    assert Delivery.objects.get().origin == "notice"
    assert Decision.objects.get(verdict="done").words == "Mia was told."


def test_where_nobody_looks_after_them_the_owner_of_the_campaign_is_told(mia):
    campaign = flow(act("notify", who="owner", words="Look."), owner=mia)
    came(campaign)
    run(AT)
    assert Notice.objects.get().user == mia


def test_where_there_is_nobody_at_all_it_says_so():
    campaign = flow(act("notify", who="owner", words="Look."))
    came(campaign)
    run(AT)
    decided = Decision.objects.get(reason="no_colleague")
    assert decided.words == "Nobody who works here looks after them or after the campaign."
    assert not Notice.objects.exists()


def test_whoever_would_get_many_notes_at_once_gets_one_about_all(mia):
    campaign = flow(act("notify", who="colleague", colleague=str(mia.pk), words="{{ contact.email }}"))
    for number in range(1, 31):
        came(campaign, number)
    run(AT)
    notice = Notice.objects.get()
    assert notice.subject == "30 people: Left carts"
    assert len(notice.body.splitlines()) == 21 and "… and 10 more" in notice.body
    assert Decision.objects.filter(verdict="done").count() == 30


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"who": "owner", "words": "{{ contact.first_name }}"}, "may be missing"),
        ({"who": "owner", "words": "{{ cart.total }}"}, "no variable called cart.total"),
        ({"who": "owner", "words": "{% include 'x' %}"}, "include"),
        ({"who": "colleague", "words": "x"}, "Choose who it is"),
        ({"who": "owner"}, "required"),
    ],
)
def test_what_cannot_be_said_is_refused_beside_its_field(params, says, mia):
    with pytest.raises(BrokenParams, match=says):
        steps.get("campaigns.notify").read(params)


def test_a_task_is_made_for_whoever_looks_after_them_with_its_date(mia):
    campaign = flow(act("make_task", who="owner", title="Call {{ contact.email }}", words=CALL, days="2"))
    contact = came(campaign)
    Contact.objects.update(owner=mia)
    run(AT)
    task = Task.objects.get()
    assert (task.contact, task.owner, task.kind) == (contact, mia, "todo")
    assert (task.title, task.due_at) == ("Call person1@example.com", AT + timedelta(days=2))
    assert task.body.startswith("Person1 left a cart") and "In “Left carts” since" in task.body


def test_a_task_for_nobody_stands_under_nobodys(mia):
    campaign = flow(act("make_task", who="owner", title="Look at this"))
    came(campaign)
    Contact.objects.update(owner=mia)
    mia.is_active = False
    mia.save()
    run(AT)
    task = Task.objects.get()
    assert (task.owner, task.due_at) == (None, None)
    assert Decision.objects.get(verdict="done").words == "A task for nobody yet."
