"""A picture decoded and made anew, in a process of its own with little memory and little time.

Decoders are native code and pictures come from anywhere: what crashes or devours there leaves the web server
as it was. Out come plain JPEG and PNG files of the widths mail needs, with nothing of the old file in them
but what could be seen.
"""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

WIDTHS = (1200, 600, 300)
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
MOST_PIXELS = 25_000_000
LONGEST_SIDE = 10_000
_TALLEST = 4000
_HEAVY_PNG = 400_000
_MEMORY = 1 << 30
_CPU_SECONDS = 10
_SECONDS = 20
_ROOT = Path(__file__).resolve().parents[2]


class Refused(ValueError):
    """This cannot become a picture; says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Made:
    """A picture ready to be kept: its files by width, the widest first."""

    extension: str
    width: int
    height: int
    files: dict[int, bytes]


def made(upload: bytes) -> Made:
    """The picture of these bytes. Raises `Refused`."""
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "campaigns.images.decoding"],
            input=upload,
            capture_output=True,
            timeout=_SECONDS,
            cwd=_ROOT,
            check=True,
        )
        head, _, files = ended.stdout.partition(b"\n")
        told = json.loads(head)
        if "refused" in told:
            raise Refused(str(told["refused"]))
        return _read(told, files)
    except (subprocess.SubprocessError, KeyError, TypeError, json.JSONDecodeError):
        raise Refused("It takes too much memory or time to open. Save it smaller and try again.") from None


def _read(told: dict[str, Any], files: bytes) -> Made:
    found, at = {}, 0
    for width, size in told["files"]:
        found[int(width)] = files[at : at + size]
        at += size
    return Made(str(told["extension"]), int(told["width"]), int(told["height"]), found)


def remade(upload: bytes) -> Made:
    """The same without the walls: opens only the four formats, looks at the size before it decodes."""
    try:
        with Image.open(io.BytesIO(upload), formats=FORMATS) as opened:
            _measured(*opened.size)
            kind = opened.format
            # Of a photograph only what is needed is decoded; of what moves, the first picture.
            opened.draft("RGB", (WIDTHS[0] * 2, WIDTHS[0] * 2))
            opened.load()
            picture = _upright(opened)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(_too_large("It")) from None
    except UnidentifiedImageError:
        raise Refused("It is not a JPEG, PNG, GIF or WebP picture, whatever its name says.") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused("It is damaged or cut off. Save it once more in a graphics program.") from None
    picture = _plain(picture)
    widest = _fitted(picture, WIDTHS[0])
    extension = _extension(widest, kind)
    widths = sorted({min(width, widest.width) for width in WIDTHS}, reverse=True)
    files = {width: _encoded(_fitted(widest, width), extension) for width in widths}
    return Made(extension, widest.width, widest.height, files)


def _measured(width: int, height: int) -> None:
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise Refused(_too_large(f"{width:,} × {height:,}"))
    if min(width, height) < 1:
        raise Refused("It has no size.")


def _too_large(what: str) -> str:
    return (
        f"{what} is more than {MOST_PIXELS // 1_000_000} million pixels or a side over {LONGEST_SIDE:,}. "
        f"Messages show at most {WIDTHS[0]:,} across: save it smaller."
    )


def _upright(opened: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(opened) or opened.copy()
    except (OSError, SyntaxError, ValueError, KeyError, TypeError):
        return opened.copy()


def _plain(picture: Image.Image) -> Image.Image:
    """Red, green, blue and, where something can be seen through it, that; nothing that was written beside."""
    see_through = picture.has_transparency_data
    plain = picture.convert("RGBA" if see_through else "RGB")
    if see_through and plain.getchannel("A").getextrema()[0] == 255:
        plain = plain.convert("RGB")
    plain.info = {}
    return plain


def _fitted(picture: Image.Image, width: int) -> Image.Image:
    share = min(1.0, width / picture.width, _TALLEST / picture.height)
    if share == 1.0:
        return picture
    size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _extension(picture: Image.Image, kind: str | None) -> str:
    """What can be seen through stays PNG; so does what was drawn, unless that is heavy."""
    if picture.mode == "RGBA":
        return "png"
    drawn = kind in ("PNG", "GIF")
    return "png" if drawn and len(_encoded(picture, "png")) <= _HEAVY_PNG else "jpg"


def _encoded(picture: Image.Image, extension: str) -> bytes:
    out = io.BytesIO()
    if extension == "png":
        picture.save(out, "PNG", optimize=True)
    else:
        picture.save(out, "JPEG", quality=84, optimize=True, progressive=True)
    return out.getvalue()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    out = sys.stdout.buffer
    try:
        found = remade(sys.stdin.buffer.read())
    except Refused as refused:
        out.write(json.dumps({"refused": str(refused)}).encode() + b"\n")
        return
    sizes = [[width, len(data)] for width, data in found.files.items()]
    told = {
        "extension": found.extension,
        "width": found.width,
        "height": found.height,
        "files": sizes,
    }
    out.write(json.dumps(told).encode() + b"\n" + b"".join(found.files.values()))


if __name__ == "__main__":
    main()
