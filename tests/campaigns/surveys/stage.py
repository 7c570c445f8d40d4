"""A survey that a message asks, and people it was sent to."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from campaigns.messages import editing
from campaigns.models import Delivery, FlowVersion, Step, Survey, SurveyChoice, Template
from campaigns.surveys import answering, links
from crm.models import Contact
from tests.campaigns import mailing

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FOOTER = {"kind": "campaigns.footer", "params": {"because": "You were here."}}


def survey(slug: str = "why_not", *labels: str, **changes: Any) -> Survey:
    usual = {"question": "What held you back?", "created_at": AT}
    made = Survey.objects.create(slug=slug, **(usual | changes))
    for place, label in enumerate(labels or ("The price", "Delivery", "Something else")):
        SurveyChoice.objects.create(survey=made, label=label, position=place)
    return made


def message(about: Survey, name: str = "Ask") -> Template:
    template = Template.objects.create(name=name, created_at=AT)
    editing.save_version(
        template,
        subject="A question",
        preheader="",
        blocks=[{"kind": "campaigns.survey", "params": {"survey": about.slug}}, FOOTER],
        by=None,
        now=AT,
    )
    template.refresh_from_db()
    return template


def sent(about: Survey, count: int = 1, at: datetime = AT, **changes: Any) -> list[Delivery]:
    """Messages that asked it, as the senders leave them."""
    template = message(about)
    found = mailing.queue(count, template=template, **changes)
    version = FlowVersion.objects.create(campaign=found[0].campaign)
    Step.objects.create(version=version, key="send", kind="campaigns.send_email", template=template)
    for state in ("claimed", "sending", "sent"):
        Delivery.objects.update(state=state, template_version=template.current, finished_at=at)
    return list(Delivery.objects.filter(pk__in=[one.pk for one in found]).order_by("pk"))


def choice(about: Survey, label: str) -> SurveyChoice:
    return about.choices.get(label=label)


def path(delivery: Delivery, about: Survey, label: str = "The price") -> str:
    return urlsplit(links.answer_url(delivery.public_id, choice(about, label).pk)).path


def answers(
    delivery: Delivery, about: Survey, label: str = "The price", words: str = "", at: datetime = AT
) -> Any:
    asked = answering.question(path(delivery, about, label).rpartition("/")[2])
    assert asked is not None
    return answering.answer(asked, choice(about, label), words, at)


def person(delivery: Delivery) -> Contact:
    assert delivery.contact_id is not None
    return Contact.objects.get(pk=delivery.contact_id)
