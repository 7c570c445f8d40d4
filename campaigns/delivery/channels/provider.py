"""Mail through a provider's API, by any backend of django-anymail: the fence stands before the call.

Same contract as SMTP (`letters`). One person a call and no automatic retries: what was posted and not
answered is unknown, whatever a library would like to do about it. The calls of letters fenced together run
side by side.
"""

import threading
from collections.abc import Callable
from smtplib import SMTPResponseException

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailCancelSend,
    AnymailConfigurationError,
    AnymailError,
    AnymailRecipientsRefused,
)
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from campaigns.delivery import headers, mime
from campaigns.delivery.channels.letters import Ending, Letter, Outcome
from campaigns.delivery.channels.side_by_side import SideBySide

_ACCEPTED = {"sent", "queued"}
_REFUSED = {"rejected", "invalid", "failed"}
# The provider answered, but about us, not about this message: it goes out once the settings are right.
_OUR_FAULT = {401, 402, 403, 404, 405, 407}
_UNDECIDED = {408, 409}


class ProviderCourier(SideBySide[Letter, EmailMultiAlternatives]):
    """Carries letters through the backends that `connect` makes, one for each of `calls` side by side."""

    def __init__(self, connect: Callable[[], BaseEmailBackend], calls: int = 8) -> None:
        super().__init__(calls, "provider")
        self._connect = connect
        self._own = threading.local()
        self._opened: list[BaseEmailBackend] = []

    def close(self) -> None:
        super().close()
        for backend in self._opened:
            backend.close()
        self._opened.clear()

    def pack(self, letter: Letter) -> EmailMultiAlternatives | Outcome:
        try:
            return message_of(letter)
        except headers.Unsendable as reason:
            return Outcome(letter.key, Ending.UNSENDABLE, text=str(reason))

    def _backend(self) -> BaseEmailBackend:
        found: BaseEmailBackend | None = getattr(self._own, "backend", None)
        if found is None:
            found = self._own.backend = self._connect()
            found.open()
            self._opened.append(found)
        return found

    def call(self, letter: Letter, message: EmailMultiAlternatives) -> Outcome:
        try:
            backend = self._backend()
        except Exception as error:  # noqa: BLE001 - nothing was posted, whatever it was
            return _ended(letter, Ending.UNREACHABLE, error)
        try:
            count = backend.send_messages([message])
        except Exception as error:  # noqa: BLE001 - classified, and unknown where it cannot be
            return accepted(letter, message) or failed(letter, error)
        found = accepted(letter, message)
        if found:
            return found
        if getattr(message, "anymail_status", None) is None and count == 1:
            # A backend of Django's own: no status, but no error either.
            return Outcome(
                letter.key, Ending.SENT, provider_message_id=mime.message_id(letter.mail), fenced=True
            )
        if not count:
            return Outcome(letter.key, Ending.UNSENDABLE, text="cancelled before sending", fenced=True)
        return Outcome(letter.key, Ending.UNKNOWN, text="the provider did not say", fenced=True)


def accepted(letter: Letter, message: EmailMultiAlternatives) -> Outcome | None:
    """What the provider said of this one person, if it said anything."""
    status = getattr(message, "anymail_status", None)
    for one in (status.recipients or {}).values() if status is not None else ():
        number = str(one.message_id or "")
        if one.status in _ACCEPTED:
            return Outcome(letter.key, Ending.SENT, 200, str(one.status), number, fenced=True)
        if one.status in _REFUSED:
            return Outcome(letter.key, Ending.REFUSED, 200, str(one.status), number, fenced=True)
    return None


def failed(letter: Letter, error: Exception) -> Outcome:
    """Certain only where the provider's answer, or its absence, leaves no doubt."""
    response = getattr(error, "response", None)
    code = getattr(response, "status_code", None)
    if isinstance(error, AnymailRecipientsRefused):
        return _ended(letter, Ending.REFUSED, error, code or 0)
    if isinstance(error, AnymailAPIError) and isinstance(code, int):
        if code == 429:
            return _ended(letter, Ending.DEFERRED, error, code)
        if code in _OUR_FAULT:
            return _ended(letter, Ending.UNREACHABLE, error, code)
        if 400 <= code < 500 and code not in _UNDECIDED:
            return _ended(letter, Ending.REFUSED, error, code)
        return _ended(letter, Ending.UNKNOWN, error, code)
    if isinstance(error, requests.RequestException | ConnectionRefusedError):
        never = isinstance(error, ConnectionRefusedError) or _never_connected(error)
        return _ended(letter, Ending.UNREACHABLE if never else Ending.UNKNOWN, error)
    if isinstance(error, AnymailCancelSend | AnymailConfigurationError):
        return _ended(letter, Ending.UNREACHABLE, error)
    if isinstance(error, SMTPResponseException) and error.smtp_code >= 400:
        return _ended(
            letter, Ending.REFUSED if error.smtp_code >= 500 else Ending.DEFERRED, error, error.smtp_code
        )
    if isinstance(error, AnymailError) and not isinstance(error, AnymailAPIError):
        return _ended(letter, Ending.UNSENDABLE, error)
    return _ended(letter, Ending.UNKNOWN, error)


def _never_connected(error: BaseException) -> bool:
    """Whether the connection, or its encryption, failed before anything could be posted."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, requests.ConnectTimeout):
            return True
        for one in (cause, *cause.args):
            reason = one.reason if isinstance(one, MaxRetryError) else one
            if isinstance(reason, NewConnectionError | ConnectTimeoutError):
                return True
            if "CERTIFICATE_VERIFY_FAILED" in str(reason):
                return True
        cause = cause.__cause__
    return False


def _ended(letter: Letter, ending: Ending, error: Exception, code: int = 0) -> Outcome:
    return Outcome(letter.key, ending, code, str(error)[:2000], fenced=True)


def message_of(letter: Letter) -> EmailMultiAlternatives:
    """The same mail as `mime.build` makes, as Django's object; raises `Unsendable` as it does."""
    mail = letter.mail
    mime.build(mail)
    message = EmailMultiAlternatives(
        subject=headers.clean(mail.subject, 400),
        body=mail.text,
        from_email=_mailbox(mail.from_name, mail.from_address),
        to=[_mailbox(mail.to_name, mail.to_address)],
        reply_to=[_mailbox(mail.reply_to_name, mail.reply_to_address)] if mail.reply_to_address else None,
        headers={
            "Message-ID": f"<{mime.message_id(mail)}>",
            "X-Rekindle-Delivery": mail.public_id,
            "Auto-Submitted": "auto-generated",
            **{name: value.replace("\r\n", "") for name, value in mime.unsubscribe_headers(mail).items()},
            **mail.headers,
        },
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    message.metadata = {"delivery": mail.public_id}  # type: ignore[attr-defined]
    if letter.envelope_from:
        message.envelope_sender = headers.address(letter.envelope_from)  # type: ignore[attr-defined]
    return message


def _mailbox(name: str, at: str) -> str:
    shown = headers.clean(name, 120).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shown}" <{headers.address(at)}>' if shown else headers.address(at)
