"""E-mail: over the SMTP server that EMAIL_URL names."""

from django.conf import settings

from campaigns.delivery.channels.base import Channel, channels
from campaigns.delivery.channels.letters import Transport
from campaigns.delivery.channels.smtp import Courier, Server
from crm.models import Channel as Medium


@channels.register
class Email(Channel):
    """E-mail over SMTP, several conversations side by side, each with its fence before the final dot."""

    key = "campaigns.email"
    label = "E-mail"
    sends = Medium.EMAIL

    def provider(self) -> str:
        return "smtp"

    def open(self) -> Transport:
        security = "tls" if settings.EMAIL_USE_SSL else "starttls" if settings.EMAIL_USE_TLS else ""
        server = Server(
            settings.EMAIL_HOST,
            settings.EMAIL_PORT,
            security=security,
            username=settings.EMAIL_HOST_USER,
            password=settings.EMAIL_HOST_PASSWORD,
        )
        return Courier(server, settings.REKINDLE_CONVERSATIONS)
