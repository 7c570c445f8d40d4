"""Everything that is kept of one person as one file, a ZIP: for machines (JSON) and to be read (a page)."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from datetime import datetime
from html import escape as _escape
from typing import IO, Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder

from crm.kernel.keeping import Person, in_order
from crm.models import Contact, DataRequest
from crm.people.persons import person
from crm.shop.settings import this_shop

_JSON = DjangoJSONEncoder(ensure_ascii=False).encode
_HEAD = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>{0}</title><style>{1}</style>'
    "<h1>What {2} keeps of {0}</h1><p>On {3}.</p>"
)
_AT_ONCE = 1024 * 1024
_IN_MEMORY = 5 * 1024 * 1024
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "dl{border-top:1px solid #bbb;padding:.5rem 0;margin:0;display:grid;grid-template-columns:12rem 1fr}"
    "dt{color:#555}dd{margin:0;overflow-wrap:anywhere}"
)


def export(contact_id: UUID, now: datetime, *, by: str, reference: str = "") -> IO[bytes]:
    """A ZIP with `person.json` and `person.html`, at its beginning, and a row that says it was made.

    Written table by table and row by row: the memory it needs does not grow with what is kept.
    """
    contact = Contact.objects.get(pk=contact_id, erased_at=None)
    who = person(contact_id)
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - handed on
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed,
        tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as page,
    ):
        with io.BufferedWriter(packed.open("person.json", "w", force_zip64=True), _AT_ONCE) as out:
            counts = _write(contact, who, now, out, page)
        page.seek(0)
        with packed.open("person.html", "w", force_zip64=True) as out:
            shutil.copyfileobj(page, out)
    DataRequest.objects.create(
        contact=contact,
        kind=DataRequest.Kind.EXPORT,
        reference=reference[:200],
        counts=counts,
        done_at=now,
        done_by=by[:150],
    )
    file.seek(0)
    return file


def _write(contact: Contact, who: Person, now: datetime, out: IO[bytes], page: IO[bytes]) -> dict[str, int]:
    """Both files at once, each row read once: one JSON object with a list of rows for each table, by its key;
    and a page. Returns how many rows of each table there were.
    """
    counts: dict[str, int] = {}
    shop = this_shop().name
    out.write(_bytes(f'{{"exported_at": {_JSON(now.isoformat())}, "shop": {_JSON(shop)}'))
    page.write(_bytes(_HEAD.format(_escape(str(contact)), _STYLE, _escape(shop or "the shop"), _read(now))))
    for kept in in_order():
        number = 0
        out.write(_bytes(f",\n{_JSON(kept.key)}: ["))
        for number, row in enumerate(kept.told(who), start=1):
            out.write(_bytes(f"{',' if number > 1 else ''}\n{_JSON(row)}"))
            page.write(_bytes((f"<h2>{_escape(kept.label)}</h2>" if number == 1 else "") + _entry(row)))
        out.write(b"]")
        if number:
            counts[kept.label] = number
    out.write(b"}\n")
    page.write(b"</html>")
    return counts


def _entry(row: dict[str, Any]) -> str:
    lines = [
        f"<dt>{column.replace('_', ' ')}</dt><dd>{_escape(_read(value))}</dd>"
        for column, value in row.items()
        if value not in (None, "", [], {})
    ]
    return f"<dl>{''.join(lines)}</dl>"


def _read(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%-d %B %Y, %H:%M %Z}"
    return _JSON(value) if isinstance(value, dict | list) else str(value)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
