"""Shapes that several calls share."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from crm.kernel.endpoints import Body
from crm.people.identity import Known

MOST = 500

Money = Annotated[Decimal, Field(ge=0, le=Decimal("9999999999"))]
Quantity = Annotated[Decimal, Field(ge=0, le=Decimal("99999999"))]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{3}$", to_upper=True)]


# Generous: what is longer than its column is cut, what is longer than this is a mistake.
Word = Annotated[str, StringConstraints(max_length=12)]
Token = Annotated[str, StringConstraints(max_length=100)]
Code = Annotated[str, StringConstraints(max_length=254)]
Title = Annotated[str, StringConstraints(max_length=1000)]
Long = Annotated[str, StringConstraints(max_length=20_000)]


class Person(Body):
    """What the shop knows of a person; any of `email`, `phone`, `id` is enough to know them by."""

    id: Code = ""
    email: Code = ""
    phone: Code = ""
    first_name: Title = ""
    last_name: Title = ""
    language: Code = ""
    country: Word = ""
    time_zone: Code = ""

    def known(self) -> Known:
        return Known(
            email=self.email,
            phone=self.phone,
            external_id=self.id,
            first_name=self.first_name,
            last_name=self.last_name,
            language=self.language,
            country=self.country,
            time_zone=self.time_zone,
        )


class Recorded(BaseModel):
    """Your id of a thing, and ours."""

    id: str
    ours: UUID


class Answer(BaseModel):
    recorded: list[Recorded]


def listed(value: Any, name: str) -> Any:
    """One thing alone is a list of one."""
    return {name: [value]} if isinstance(value, dict) and name not in value else value
