"""Contacts in and out of a spreadsheet. A row finds or makes a person; it never brings consent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.html import format_html
from import_export import fields, resources, results

from crm.models import Contact, OwnField
from crm.people import own_fields
from crm.sheets import people
from crm.sheets.people import TAKEN

SHOWN = 50
"""So many rows are shown before an import; all of them are looked at."""


class OwnFieldColumn(fields.Field):
    """One of the shop's own fields, typed as a person reads it."""

    def __init__(self, own: OwnField) -> None:
        super().__init__(attribute="fields", column_name=own.label, readonly=True)
        self.own = own

    def export(self, instance: Any, **kwargs: Any) -> Any:
        value = instance.fields.get(self.own.key)
        as_kept = value is not None and self.own.type in (OwnField.Type.NUMBER, OwnField.Type.DATE)
        return value if as_kept else own_fields.told(self.own, value)


class Result(results.Result):
    """What an import would do: all of it counted, the first rows of it shown."""

    unused: tuple[str, ...] = ()

    def valid_rows(self) -> list[Any]:
        return [row for row in super().valid_rows() if row.diff is not None]

    def append_invalid_row(self, number: int, row: Any, validation_error: Any) -> None:
        if len(self.invalid_rows) < SHOWN:
            super().append_invalid_row(number, row, validation_error)


class ContactResource(resources.ModelResource):
    """Who is known keeps what is known of them: a file fills what is blank and overwrites nothing.

    People are found by their address, whatever its spelling, or by what the outside calls them, and made
    through `crm.people.identity`, so that every address gets its contact point. The file is read, looked up
    and written as a whole: a fixed number of queries for each thousand rows.
    """

    class Meta:
        model = Contact
        fields = ("id", *TAKEN, "created_at")
        use_bulk = True  # No savepoint a row: nothing is written row by row.

    def __init__(
        self, now: datetime | None = None, identified_by: str = "", blanks: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.now = now
        self.identified_by, self.blanks = identified_by, blanks
        self.own = list(OwnField.objects.all())
        for own in self.own:
            self.fields[f"own_{own.key}"] = OwnFieldColumn(own)
        self.columns: people.Columns | None = None
        self.lines: list[people.Line] = []
        self.trouble = ""

    @classmethod
    def get_result_class(cls) -> type[Result]:
        return Result

    def get_import_fields(self) -> Any:
        return [field for field in super().get_import_fields() if self._may_come_in(field)]

    def get_user_visible_fields(self) -> Any:
        return [*super().get_user_visible_fields(), fields.Field(column_name=people.EXTERNAL_ID)]

    def get_diff_headers(self) -> list[str]:
        return self.columns.headings if self.columns else []

    def import_data(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            self.columns = people.understood(dataset.headers or [], self.own, self.identified_by)
        except people.WrongFile as wrong:
            self.trouble = str(wrong)
        return super().import_data(dataset, *args, **kwargs)

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        if self.columns is None:
            raise people.WrongFile(self.trouble)
        self.lines = people.read(dataset, dataset.headers, self.columns, self.blanks)
        people.recognise(self.lines, self._moment())

    def import_row(self, row: Any, instance_loader: Any, **kwargs: Any) -> Any:
        result = self.get_row_result_class()()
        if not self.lines:
            result.import_type = result.IMPORT_TYPE_SKIP
            return result
        line = self.lines[kwargs["row_number"] - 1]
        if line.wrong:
            result.import_type = result.IMPORT_TYPE_INVALID
            result.validation_error = ValidationError(line.wrong)
            return result
        result.import_type = (
            result.IMPORT_TYPE_NEW
            if line.is_new
            else result.IMPORT_TYPE_UPDATE
            if line.news
            else result.IMPORT_TYPE_SKIP
        )
        result.instance = line.contact
        if kwargs["row_number"] <= SHOWN:
            result.diff = self._cells(line)
        return result

    def after_import(self, dataset: Any, result: Any, **kwargs: Any) -> None:
        result.unused = self.columns.unused if self.columns else ()
        if not kwargs.get("dry_run"):
            user = kwargs.get("user")
            bringing = [line for line in self.lines if not line.wrong and (line.is_new or line.news)]
            people.write(bringing, self._moment(), actor=user.get_username() if user else people.SOURCE)

    def _moment(self) -> datetime:
        assert self.now is not None, "an import needs the moment it happens at"
        return self.now

    def _may_come_in(self, field: Any) -> bool:
        return isinstance(field, OwnFieldColumn) or field.attribute in TAKEN

    def _cells(self, line: people.Line) -> list[str]:
        """What the person will have in each column, marked where the row brought it."""
        assert self.columns is not None and line.contact is not None
        cells: list[str] = []
        for heading in self.columns.headings:
            own = self.columns.own.get(heading)
            if own is not None:
                text, name = own_fields.told(own, line.contact.fields.get(own.key)), f"own:{own.key}"
            elif heading == self.columns.identified_by:
                text, name = line.external_id, ""
            else:
                text, name = getattr(line.contact, heading), heading
            cells.append(format_html("<ins>{}</ins>" if name in line.news else "{}", text))
        return cells
