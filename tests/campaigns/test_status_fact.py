"""Messages know who holds which status at the moment of sending, and until when."""

import pytest

from campaigns.messages import compiling, editing, rendering
from campaigns.messages.kinds import shapes
from crm.models import Contact, Status
from crm.people import statuses
from tests.campaigns import mailing

pytestmark = pytest.mark.django_db
WORDS = "{% if status.vip %}VIP until {{ status.vip.until | date: '%-d %B %Y' }}{% else %}Guest{% endif %}"


def test_whoever_holds_it_and_whoever_does_not():
    vip = Status.objects.create(key="vip", name="VIP", lasts_days=30, created_at=mailing.AT)
    Status.objects.create(key="trade", name="Trade", created_at=mailing.AT)
    template = mailing.template("Status")
    version = template.current
    version.text = version.html = WORDS
    version.save()
    queued = mailing.queue(3, template=template)
    holder = Contact.objects.get(first_name="Person2")
    statuses.grant(holder.pk, vip, mailing.AT, "ada")
    made = rendering.prepare(queued, mailing.AT)
    assert [made[one.pk].text.strip() for one in queued] == ["Guest", "VIP until 1 April 2026", "Guest"]


def test_the_editor_knows_its_shape_and_its_names():
    assert compiling.problems(WORDS, "subject", shapes()) == []
    [mistake] = editing.unknown_names({"text": WORDS})
    assert mistake.message == "there is no status called vip"
