"""In which encoding a text file is written, found by reading all of it once."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from crm.sheets.formats import Unreadable, letters

_PIECE = 1 << 20
_ODD_LINES = 2000
_MOSTLY = 20
_ODD_BYTES = 300
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LABELS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with its mark",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252 (Western European)",
    "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp1257": "Windows-1257 (Baltic)",
    "cp850": "DOS 850 (Western European)",
    "cp852": "DOS 852 (Central European)",
    "cp866": "DOS 866 (Cyrillic)",
    "mac_roman": "Mac (Western European)",
    "iso8859_2": "ISO 8859-2 (Central European)",
    "koi8_r": "KOI8-R (Cyrillic)",
    "cp932": "Shift-JIS (Japanese)",
    "euc_jp": "EUC-JP (Japanese)",
    "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "cp949": "Korean (949)",
}


def label(encoding: str) -> str:
    """What people call it."""
    return "UTF-8" if encoding == "utf-8-sig" else LABELS.get(encoding, encoding.upper())


def checked(encoding: str) -> str:
    """The encoding a person named. Raises Unreadable where there is none of this name."""
    if encoding in LABELS:
        return encoding
    try:
        found = codecs.lookup(encoding)
        b"".decode(found.name)
    except (LookupError, ValueError, TypeError):
        raise Unreadable(f"No encoding is called “{encoding}”. Leave it to be found out.") from None
    return found.name


def errors(encoding: str) -> str:
    """How letters that cannot be are read, so that they can be told from those that were typed."""
    return "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"


def sniffed(path: str, notes: list[str]) -> str:
    """The encoding of a file; says in `notes` what was odd."""
    with open(path, "rb") as file:
        start = file.read(4096)
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            return encoding
    if wide := _without_a_mark(start):
        return wide
    good, odd = _judged(path)
    if not odd or good > _MOSTLY * len(odd):
        return "utf-8"
    found = letters.guessed(odd)
    notes.append(f"Letters were read as {label(found)}. If any look wrong, choose another encoding.")
    return found


def _without_a_mark(start: bytes) -> str:
    """UTF-16 that does not say so: every other byte is zero."""
    even, uneven = start[0::2].count(0), start[1::2].count(0)
    half = len(start) // 2
    if half > 8 and uneven > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if half > 8 and even > 0.4 * half and uneven < 0.05 * half:
        return "utf-16-be"
    return ""


def _judged(path: str) -> tuple[int, list[bytes]]:
    """How many lines with other letters than English ones are UTF-8, and the first of those that are not."""
    good, odd = 0, list[bytes]()
    for block in _blocks(path):
        if block.isascii():
            continue
        try:
            block.decode()
        except UnicodeDecodeError:
            for line in re.split(rb"[\r\n]+", block):
                if not line.isascii():
                    if _is_utf8(line):
                        good += 1
                    elif len(odd) < _ODD_LINES:
                        odd.append(line[:_ODD_BYTES])
        else:
            good += 1
    return good, odd


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _blocks(path: str) -> Iterator[bytes]:
    """The file in pieces that end with a line or at least with a letter."""
    kept = b""
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            block = kept + piece + file.readline(_PIECE)
            # A letter of UTF-8 has four bytes at most, and begins with one that is above 0xBF.
            kept = b""
            if not block.endswith(b"\n"):
                start = next((back for back in range(1, 5) if block[-back] >= 0xC0), 0)
                if start:
                    block, kept = block[:-start], block[-start:]
            yield block
    if kept:
        yield kept
