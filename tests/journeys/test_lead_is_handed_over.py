"""From what a person does to the mail in their salesperson's box."""

from email import message_from_bytes, policy

from campaigns.models import Delivery, Sender
from crm.models import Lead, Notice, Task
from crm.ticking import run_tick
from tests.campaigns import mailing
from tests.crm.leads.conftest import MINUTE, NOW, cast, definition, olga, tag  # noqa: F401 - fixtures
from tests.sink.smtp import SmtpSink


def test_the_owner_of_a_lead_gets_one_mail_with_the_reasons(cast, definition, olga, settings):  # noqa: F811
    sender = {"name": "Mira", "email": "mira@shop.test", "person": "Mira", "telephone": "1"}
    Sender.objects.create(is_default=True, reply_to="mira@shop.test", **sender)
    settings.REKINDLE_ADMIN_URL = "https://admin.shop.test"
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        tag(cast["Ana"], "interested")
        for minute in range(4):
            if minute == 2:
                tag(cast["Ana"], "interested", "asked", "reader")
            at = NOW + minute * MINUTE
            run_tick("crm.leads", at)
            run_tick("campaigns.notices", at)
            mailing.send(at)
    (mail,) = sink.accepted()
    read = message_from_bytes(mail.raw, policy=policy.default)
    assert (mail.recipient, read["subject"]) == (olga.email, "Ana is sales-ready")
    text = read.get_content()
    page = f"/task/{Task.objects.get().pk}/"
    reasons = ["Score: 60", "+40 Asked for a price", "a score of 60", "accept or refuse", page]
    assert [said for said in reasons if said not in text] == []
    assert Lead.objects.get().owner == olga and Notice.objects.get().handed_at == NOW + 2 * MINUTE
    assert Delivery.objects.get().state == "sent"
