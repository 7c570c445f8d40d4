"""E-mail: over the SMTP server of EMAIL_URL, or a provider's API where EMAIL_BACKEND is one of anymail's."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.core.mail import get_connection

from campaigns.delivery import making
from campaigns.delivery.channels.base import Channel, channels
from campaigns.delivery.channels.letters import Transport
from campaigns.delivery.channels.provider import ProviderCourier
from campaigns.delivery.channels.smtp import Courier, Server
from campaigns.delivery.mime import Mail
from campaigns.messages.rendering import RenderProblem
from campaigns.models import Delivery
from crm.models import Channel as Medium


@channels.register
class Email(Channel):
    """Several messages side by side; the fence stands before SMTP's final dot, or the provider's call."""

    key = "campaigns.email"
    label = "E-mail"
    sends = Medium.EMAIL

    def provider(self) -> str:
        return settings.EMAIL_BACKEND.split(".")[-2] if _by_provider() else "smtp"

    def make(self, deliveries: Sequence[Delivery], now: datetime) -> Mapping[int, Mail | RenderProblem]:
        return making.mails(deliveries, now)

    def open(self) -> Transport:
        if _by_provider():
            return ProviderCourier(get_connection, settings.REKINDLE_CONVERSATIONS)
        security = "tls" if settings.EMAIL_USE_SSL else "starttls" if settings.EMAIL_USE_TLS else ""
        server = Server(
            settings.EMAIL_HOST,
            settings.EMAIL_PORT,
            security=security,
            username=settings.EMAIL_HOST_USER or "",
            password=settings.EMAIL_HOST_PASSWORD or "",
        )
        return Courier(server, settings.REKINDLE_CONVERSATIONS)


def _by_provider() -> bool:
    return settings.EMAIL_BACKEND.startswith("anymail.")
