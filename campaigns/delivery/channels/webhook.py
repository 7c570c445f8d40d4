"""Calls of other systems: a POST of JSON over `crm.kernel.http`, which reaches public addresses and nothing
else.

A receiver knows a call by its key, so that one which may or may not have arrived is made again.
"""

from __future__ import annotations

import ssl
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from campaigns.delivery.channels.base import Channel, channels
from campaigns.delivery.channels.letters import Ending, Outcome, Transport
from campaigns.delivery.channels.side_by_side import SideBySide
from campaigns.messages import webhooks
from campaigns.messages.rendering import RenderProblem
from campaigns.messages.webhooks import Request
from campaigns.models import WEBHOOK, Delivery
from crm.kernel import http

SECONDS = 5.0
LONGEST_ANSWER = 64_000
# A receiver that did not answer so many times in a row is left alone until the next run.
MOST_SILENCES = 3
# It answered, but not yet: asking again later makes sense.
_LATER = {408, 409, 425, 429}


@dataclass(frozen=True, slots=True)
class Call:
    """One call under way."""

    key: int
    request: Request


@channels.register
class Webhook(Channel):
    """Tells other systems of people, one call each, side by side and beside all mail. What they do not
    answer, or answer with a temporary no, is repeated under the same key, later and later, twelve times at
    most.
    """

    key = "campaigns.webhook"
    label = "Webhook"
    sends = WEBHOOK
    tick = "campaigns.webhooks"
    repeats = True

    policy = http.PUBLIC
    verify: ssl.SSLContext | None = None

    def provider(self) -> str:
        return WEBHOOK

    def make(self, deliveries: Sequence[Delivery], now: datetime) -> Mapping[int, Request | RenderProblem]:
        return webhooks.prepare(deliveries, now)

    def letter(self, key: int, made: Any) -> Call:
        return Call(key, made)

    def open(self) -> Transport:
        return WebhookCourier(settings.REKINDLE_CONVERSATIONS, self.policy, self.verify)

    def took(self, outcome: Outcome) -> str:
        said = f": {outcome.text}" if outcome.text else ""
        return f"The receiver answered {outcome.code}{said}"[:300]


class WebhookCourier(SideBySide[Call, Request]):
    """Makes calls, so many side by side."""

    def __init__(self, calls: int, policy: http.Policy, verify: ssl.SSLContext | None = None) -> None:
        super().__init__(calls, WEBHOOK)
        self._policy, self._verify = policy, verify
        self._lock = threading.Lock()
        self._silent: Counter[str] = Counter()

    def pack(self, letter: Call) -> Request | Outcome:
        host = _host(letter.request)
        if self._silent[host] >= MOST_SILENCES:
            return Outcome(
                letter.key, Ending.UNREACHABLE, text=f"{host} does not answer: not tried again yet"
            )
        return letter.request

    def call(self, letter: Call, packed: Request) -> Outcome:
        """What the receiver's answer, or its absence, means."""
        try:
            answer = http.request(
                "POST",
                packed.url,
                body=packed.body,
                headers=packed.headers,
                policy=self._policy,
                seconds=SECONDS,
                max_bytes=LONGEST_ANSWER,
                verify=self._verify,
            )
        except http.Forbidden as forbidden:
            return Outcome(letter.key, Ending.UNSENDABLE, text=f"not called: {forbidden}", fenced=True)
        except http.Unreachable as silence:
            self._note(packed, silent=True)
            return Outcome(letter.key, Ending.DEFERRED, text=str(silence), fenced=True)
        self._note(packed, silent=False)
        return Outcome(
            letter.key, meaning(answer.status), answer.status, _read(answer), str(letter.key), fenced=True
        )

    def _note(self, packed: Request, *, silent: bool) -> None:
        with self._lock:
            host = _host(packed)
            self._silent[host] = self._silent[host] + 1 if silent else 0


def meaning(status: int) -> Ending:
    """Taken, to be asked again, or refused; a redirect is a refusal: nobody vouched for where it leads."""
    if 200 <= status < 300:
        return Ending.SENT
    return Ending.DEFERRED if status >= 500 or status in _LATER else Ending.REFUSED


def _read(answer: http.Response) -> str:
    if 300 <= answer.status < 400:
        return "it redirects, and redirects are not followed"
    # The database keeps no zero bytes.
    words = answer.body[:2000].decode("utf-8", "replace").replace("\0", "")
    return " ".join(words.split())[:1000]


def _host(request: Request) -> str:
    return urlsplit(request.url).hostname or ""
