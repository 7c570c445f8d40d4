"""Numbers of a workbook as a person sees them: dates, times, and figures without what a computer adds."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from crm.sheets.formats import packed

Show = Callable[[str], str] | None
_EPOCH = datetime(1899, 12, 30)
_EPOCH_1904 = datetime(1904, 1, 1)
_LAST_DAY = 2_958_465
_LEAP_DAY_THAT_WAS_NONE = 60
_WHOLE = 10**21
_BUILT_IN_MOMENTS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_NOT_SAID = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|general', re.IGNORECASE)


def plain(text: str) -> str:
    """A number without “.0” and without the digits a computer cannot help writing."""
    text = text.strip()
    if text.isdigit():
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    if number.is_integer() and abs(number) < _WHOLE:
        return str(int(number))
    return f"{number:.15g}"


def moment(text: str, epoch: datetime = _EPOCH) -> str:
    """A day of Excel in ISO: the date, the time, or both, to the second."""
    try:
        days = float(text)
    except ValueError:
        return text
    if not 0 <= days <= _LAST_DAY:
        return plain(text)
    if epoch is _EPOCH and 1 <= days < _LEAP_DAY_THAT_WAS_NONE:
        days += 1
    at = epoch + timedelta(seconds=round(days * 86_400))
    return told(at, only_time=days < 1)


def told(at: datetime, *, only_time: bool = False) -> str:
    if only_time:
        return f"{at:%H:%M:%S}"
    return at.isoformat(sep=" ") if (at.hour, at.minute, at.second) != (0, 0, 0) else at.date().isoformat()


def styles(archive: zipfile.ZipFile, part: str, starts_1904: bool) -> list[Show]:
    """For each style of cell how its numbers are shown; None is as they are."""
    codes: dict[str, str] = {}
    found: list[Show] = []
    inside = False
    show_moment = partial(moment, epoch=_EPOCH_1904) if starts_1904 else moment

    def element(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        if name == "numFmt":
            codes.setdefault(attributes.get("numFmtId", ""), attributes.get("formatCode", ""))
        elif name in ("cellXfs", "cellStyles", "dxfs"):
            inside = name == "cellXfs"
        elif name == "xf" and inside:
            number = attributes.get("numFmtId", "0")
            found.append(
                _shown(codes.get(number) or ("d" if _int(number) in _BUILT_IN_MOMENTS else ""), show_moment)
            )

    packed.elements(archive, part, element)
    return found


def _shown(code: str, show_moment: Callable[[str], str]) -> Show:
    said = _NOT_SAID.sub("", code.split(";")[0])
    if re.search(r"[dyhs]|mmm", said, re.IGNORECASE):
        return show_moment
    # Postcodes and article numbers that begin with a zero.
    if re.fullmatch("0{2,}", said):
        return lambda text: plain(text).zfill(len(said))
    return None


def _int(text: str) -> int:
    return int(text) if text.isdigit() else 0
