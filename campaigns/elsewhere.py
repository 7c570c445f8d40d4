"""Who carries our messages, and whom webhooks tell of people."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings

from campaigns.delivery.channels.email import Email
from campaigns.models import WEBHOOK, Delivery, Step
from crm.kernel.elsewhere import Elsewhere, ToDo, elsewhere
from crm.kernel.keeping import Person


@elsewhere.register
class Carrier(Elsewhere):
    """The mail provider or mail server, where something was sent to them."""

    key = "campaigns.carrier"
    label = "Mail provider"
    place = 20

    def to_do(self, person: Person) -> Iterator[ToDo]:
        sent = Delivery.objects.filter(contact_id__in=person.ids).exclude(channel=WEBHOOK)
        if not sent.exists():
            return
        provider = Email().provider()
        if provider == "smtp":
            yield ToDo(
                f"Your mail server ({settings.EMAIL_HOST})",
                "Its logs and its outbox name their address: delete them there, or let them run out.",
            )
        else:
            yield ToDo(
                f"Your mail provider ({provider})",
                "Delete their address from its message logs, its lists and its suppressions.",
            )


@elsewhere.register
class Receivers(Elsewhere):
    """The hosts that webhooks of campaigns told of them."""

    key = "campaigns.receivers"
    label = "Webhooks"
    place = 30

    def to_do(self, person: Person) -> Iterator[ToDo]:
        told = Delivery.objects.filter(contact_id__in=person.ids, channel=WEBHOOK).values("campaign")
        steps = Step.objects.filter(kind="campaigns.webhook", version__campaign__in=told)
        hosts = {urlsplit(str(url)).hostname for url in steps.values_list("params__url", flat=True) if url}
        for host in sorted(filter(None, hosts)):
            yield ToDo(host, "A webhook of a campaign told it of them: have them erased there.")
