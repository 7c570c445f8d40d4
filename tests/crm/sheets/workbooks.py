"""Workbooks made by hand, where no program would make what a test needs."""

from __future__ import annotations

import zipfile

CONTENT_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
)
WORKBOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="People" sheetId="1" r:id="r1"/></sheets></workbook>'
)
SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'


def xlsx(path, rows, *, sheet=SHEET, before="", extra=()):
    """Rows are the XML of a sheet's rows, whole or in pieces; `extra` are more parts by name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("xl/_rels/workbook.xml.rels", RELATIONS)
        archive.writestr("xl/workbook.xml", WORKBOOK)
        begin, end = sheet.split("{}")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            part.write((before + begin).encode())
            for piece in [rows] if isinstance(rows, str) else rows:
                part.write(piece.encode())
            part.write(end.encode())
        for name, content in extra:
            archive.writestr(name, content)
    return path


def inline(*texts):
    """One row of texts that stand in their cells."""
    return "<row>" + "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts) + "</row>"


def ods(path, rows):
    """A sheet of LibreOffice; each cell is a text, or the attributes and the text of another kind of cell."""

    def cell(value):
        attributes, text = value if isinstance(value, tuple) else ('office:value-type="string"', value)
        return (
            f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"
            if text
            else "<table:table-cell/>"
        )

    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr(
            "content.xml",
            '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
            ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
            ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
            f'<table:table table:name="Leute">{body}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return path
