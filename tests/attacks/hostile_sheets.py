"""Files made to take a server down, as one would upload them. Each is made in a moment; none is kept."""

from __future__ import annotations

import io
import zipfile

from tests.crm.sheets.workbooks import inline, ods, xlsx

PEOPLE = "Name,Email\nAnn,ann@x.de\nBob,bob@x.de\n"


def million_rows(path):
    """A quarter of a megabyte that says a million rows."""
    xlsx(path, (f"<row>{'<c><v>1</v></c>' * 3}</row>" * 10_000 for _ in range(100)))


def ten_gigabytes(path):
    """A part that declares ten gigabytes, of which there is nothing."""
    xlsx(path, inline("Name", "Email"))
    data = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
    for place in (info.header_offset + 22, data.rindex(b"xl/worksheets/sheet1.xml") - 22):
        data = data[:place] + (4_000_000_000).to_bytes(4, "little") + data[place + 4 :]
    path.write_bytes(data)


def laughs(path):
    """Entities within entities, a billion in all."""
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    xlsx(path, inline("Name", "&a9;"), before=f"<!DOCTYPE worksheet [{entities}]>")


def outside(path):
    """An entity that is a file of the server."""
    declared = '<!DOCTYPE worksheet [<!ENTITY told SYSTEM "file:///etc/passwd">]>'
    xlsx(path, inline("Name", "&told;"), before=declared)


def nested(path):
    """Archives in archives."""
    inner = b"0" * 10_000_000
    for depth in range(5):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{depth}.zip", inner)
        inner = packed.getvalue()
    path.write_bytes(inner)


def slipping(path):
    """Parts whose names lead out of the archive, beside a sheet that can be read."""
    xlsx(
        path,
        inline("Name", "Email") + inline("Ann", "ann@x.de"),
        extra=[("../../../../tmp/slipped.py", "print()"), ("/etc/slipped", "x")],
    )


def million_columns(path):
    path.write_text(",".join(f"c{n}" for n in range(1_000_000)) + "\n" + ",".join("1" * 1_000_000) + "\n")


def corners(path):
    """Two cells as far apart as a sheet allows."""
    xlsx(path, '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>')


def repeated(path):
    """A row of LibreOffice that stands a billion times, with a cell that does, too."""
    ods(
        path,
        [["Name", "Email"], [('table:number-columns-repeated="1000000000" office:value-type="string"', "x")]],
    )
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            row = b'<table:table-row table:number-rows-repeated="1000000000">'
            archive.writestr(name, content.replace(b"<table:table-row>", row))


def one_line(path):
    with path.open("w") as file:
        file.writelines("a,b,c," * 100_000 for _ in range(167))


def zeros(path):
    path.write_bytes(PEOPLE.replace("Ann", "A\0n\0n\0").encode() + b"\0" * 10_000)


def wide(path):
    path.write_bytes(PEOPLE.encode("utf-16"))


def wrong_name(path):
    """A spreadsheet that calls itself one of the old kind, and is text."""
    path.write_text(PEOPLE)


def web_page(path):
    path.write_text("\n<!DOCTYPE html><html><body><table><tr><td>Name</td></tr></table></body></html>")


def cut_off(path):
    xlsx(path, (inline("Name", "Email", str(n)) for n in range(20_000)))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def never_closed(path):
    """Every line opens a quotation mark and none closes one, whichever line one begins with."""
    path.write_text("Name,Email\n" + 'a"b,"""\n' * 2_000_000)


def many_texts(path):
    """Six million texts for cells to share: nothing is wrong with any of them."""
    texts = "".join(f"<si><t>{n:08d}</t></si>" for n in range(6_000_000))
    xlsx(path, inline("Name", "Email"), extra=[("xl/sharedStrings.xml", f"<sst>{texts}</sst>")])


FILES = {
    "million.xlsx": (million_rows, "more than can be read"),
    "declared.xlsx": (ten_gigabytes, "more than can be read|damaged"),
    "laughs.xlsx": (laughs, "document type"),
    "outside.xlsx": (outside, "document type"),
    "nested.zip": (nested, "Unpack it"),
    "slipping.xlsx": (slipping, 1),
    "columns.csv": (million_columns, "more than 1,000,000 letters"),
    "corners.xlsx": (corners, 1),
    "repeated.ods": (repeated, "damaged|too much memory|columns"),
    "line.csv": (one_line, "more than 1,000,000 letters"),
    "zeros.csv": (zeros, 2),
    "wide.csv": (wide, 2),
    "people.xls": (wrong_name, 2),
    "page.csv": (web_page, "web page"),
    "cut.xlsx": (cut_off, "damaged"),
    "quotes.csv": (never_closed, "quotation marks that do not match"),
}
"""By the name it is uploaded under: how it is made, and why it is refused or how many rows it has."""
