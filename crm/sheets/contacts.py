"""Contacts in and out of a spreadsheet. A row finds or makes a person; it never brings consent."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from import_export import resources

from crm.kernel import tokens
from crm.models import Channel, Contact, ContactPoint
from crm.people import identity

SOURCE = "import"
TAKEN = ("email", "phone", "first_name", "last_name", "language", "country", "time_zone", "source")


class ContactResource(resources.ModelResource):
    """Who is known keeps what is known of them: a file fills what is blank and overwrites nothing.

    People are found by their address, whatever its spelling, and made through `crm.people.identity`, so that
    every address gets its contact point.
    """

    class Meta:
        model = Contact
        fields = ("id", *TAKEN, "created_at")
        import_id_fields = ("email",)
        skip_unchanged = True

    def __init__(self, now: datetime | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.now = now

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        wrong: dict[str, str] = {}
        for column, channel in (("email", Channel.EMAIL), ("phone", Channel.SMS)):
            typed = _text(row, column)
            try:
                row[column] = tokens.normalise(channel, typed) if typed else ""
            except ValueError as error:
                wrong[column] = f"{typed}: {error}"
        if not wrong and not row["email"] and not row["phone"]:
            wrong["email"] = "A row needs an e-mail address or a telephone number."
        if wrong:
            raise ValidationError(wrong)

    def get_instance(self, instance_loader: Any, row: Any) -> Contact | None:
        return _owner(Channel.EMAIL, row["email"]) or _owner(Channel.SMS, row["phone"])

    def get_import_fields(self) -> Any:
        return [field for field in super().get_import_fields() if field.attribute in TAKEN]

    def import_field(self, field: Any, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        if instance._state.adding or not getattr(instance, field.attribute):
            super().import_field(field, instance, row, is_m2m, **kwargs)

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        assert self.now is not None, "an import needs the moment it happens at"
        known = identity.Known(
            email=instance.email,
            phone=instance.phone,
            first_name=instance.first_name,
            last_name=instance.last_name,
            language=instance.language,
            country=instance.country,
            time_zone=instance.time_zone,
            source=instance.source if is_create else "",
        )
        instance.pk = identity.resolve([known], self.now, source=SOURCE)[0]


def _text(row: Any, column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value).strip()


def _owner(channel: str, address: str) -> Contact | None:
    if not address:
        return None
    hashes = list(tokens.address_hashes(channel, address).values())
    point = ContactPoint.objects.filter(channel=channel, address_hash__in=hashes).first()
    pk: UUID | None = point.contact_id if point else None
    return Contact.objects.filter(pk=pk).first() if pk else None
