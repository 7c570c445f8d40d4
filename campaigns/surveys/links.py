"""The links of a survey's answers, one a message and answer. They never run out.

A token names a message and an answer and nothing that says whose message it is. Opening one changes nothing.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from crm.kernel import tokens

_MESSAGE, _CHOICE = 16, 8


class Tapped(NamedTuple):
    """What a link says: which message it stood in, and which answer it is."""

    public_id: UUID
    choice_id: int


def answer_url(public_id: UUID, choice_id: int) -> str:
    """By GET a page with this answer chosen; only its button answers."""
    token = tokens.sign(tokens.Purpose.SURVEY, public_id.bytes + choice_id.to_bytes(_CHOICE, "big"))
    return f"{settings.REKINDLE_PUBLIC_URL}/s/{token}"


def read(token: str) -> Tapped | None:
    """What a token says, or nothing where it is not ours or was made for another page."""
    payload = tokens.read(tokens.Purpose.SURVEY, token)
    if payload is None or len(payload) != _MESSAGE + _CHOICE:
        return None
    choice_id = int.from_bytes(payload[_MESSAGE:], "big")
    return Tapped(UUID(bytes=payload[:_MESSAGE]), choice_id) if choice_id < 2**63 else None
