"""The pictures a shop keeps for its messages: taken in, found again, put away."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Protocol

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import Q, QuerySet

from campaigns.images import decoding
from campaigns.images.decoding import Refused
from campaigns.models import Image

__all__ = ["MOST_AT_ONCE", "MOST_BYTES", "Refused", "name_of", "offered", "put_away", "put_back", "take"]

MOST_BYTES = 20 * 1024 * 1024
MOST_AT_ONCE = 30
_ADDRESS = re.compile(r"/i/([A-Za-z0-9_-]+)-\d+\.[a-z]+$")
_DRAWING = re.compile(rb"<svg\b|<!doctype\s+svg", re.IGNORECASE)


class Upload(Protocol):
    """A file as a form hands it over."""

    @property
    def name(self) -> str | None: ...

    @property
    def size(self) -> int | None: ...

    def read(self) -> bytes: ...


def take(upload: Upload, by: Any, now: datetime) -> tuple[Image, bool]:
    """The picture, and whether it is new: what is there already is not kept twice. Raises `Refused`."""
    if (upload.size or 0) > MOST_BYTES:
        raise Refused(f"It is larger than {MOST_BYTES // 1024**2} MB. Save it smaller.")
    data = upload.read()
    sha256 = hashlib.sha256(data).digest()
    known = Image.objects.filter(sha256=sha256).first()
    if known:
        put_back([known.pk])
        return known, False
    _refuse_drawings(data)
    picture = decoding.made(data)
    image = Image(
        token=secrets.token_hex(16),
        name=_name(upload.name or ""),
        extension=picture.extension,
        width=picture.width,
        height=picture.height,
        widths=list(picture.files),
        size=len(picture.files[picture.width]),
        sha256=sha256,
        uploaded_at=now,
        uploaded_by=by,
    )
    # Files first: a row whose file is missing would be a hole in somebody's message.
    for width, content in picture.files.items():
        default_storage.save(image.path(width), ContentFile(content))
    # Of two who upload the same at once, both get the one row.
    return Image.objects.get_or_create(sha256=sha256, defaults={name: getattr(image, name) for name in _KEPT})


_KEPT = (
    "token", "name", "extension", "width", "height", "widths", "size", "uploaded_at", "uploaded_by",
)  # fmt: skip


def offered(text: str = "") -> QuerySet[Image]:
    """Those to choose from, the newest first; with `text` those whose name or alternative text has it."""
    found = Image.objects.filter(hidden_at=None).order_by("-uploaded_at", "-pk")
    words = text.replace("\0", "").split()
    for word in words[:8]:
        found = found.filter(Q(name__icontains=word) | Q(alt__icontains=word))
    return found


def name_of(address: str) -> str:
    """What the picture with this address is called here; nothing where it is not one of ours."""
    found = _ADDRESS.search(address)
    image = Image.objects.filter(token=found[1]).first() if found else None
    return image.name if image else ""


def put_away(keys: Iterable[int], now: datetime) -> int:
    """No longer offered; where it is used it stays."""
    return Image.objects.filter(pk__in=list(keys), hidden_at=None).update(hidden_at=now)


def put_back(keys: Iterable[int]) -> int:
    return Image.objects.filter(pk__in=list(keys)).exclude(hidden_at=None).update(hidden_at=None)


def _refuse_drawings(data: bytes) -> None:
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<") and _DRAWING.search(start):
        raise Refused(
            "SVG is not taken: it may carry scripts, and hardly any mail program shows it. Save it as PNG."
        )


def _name(given: str) -> str:
    """The file's name without folders and ending, as words."""
    stem = PurePosixPath(given.replace("\\", "/")).stem
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in stem).split())
    return re.sub(r"[_]+", " ", words).strip()[:120] or "Picture"
