"""Pictures as people upload them, made here."""

from __future__ import annotations

import io
import struct
import zlib

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image


def photo(width: int = 1600, height: int = 1200, kind: str = "JPEG", **more) -> bytes:
    """A picture with something to see in it."""
    made = Image.linear_gradient("L").resize((width, height))
    return saved(Image.merge("RGB", (made, made.rotate(180), made)), kind, **more)


def saved(picture: Image.Image, kind: str, **more) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def upload(data: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def png_that_says(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises this size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 100_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def moving_gif(pictures: int, size: int = 64) -> bytes:
    frames = [Image.new("P", (size, size), number % 250) for number in range(pictures)]
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=20)
