"""Companies that rows name: found by their name, however it is written large or small, or made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from crm.models import Company
from crm.people.companies import hold_names
from crm.sheets.importing.living import referred_to

_NAMED = """
    CREATE TEMP TABLE import_companies ON COMMIT DROP AS
    SELECT DISTINCT ON (b.spelled) b.spelled, b.name, k.id,
        CASE WHEN k.id IS NULL THEN b.number END AS made_by
    FROM (
        SELECT lower(told->>'company') AS spelled, told->>'company' AS name, number
        FROM import_batch WHERE told ? 'company'
    ) AS b
    LEFT JOIN crm_company AS k ON lower(k.name) = b.spelled
    ORDER BY b.spelled, b.number, k.id
"""
_KEYS = "UPDATE import_companies SET id = {key} WHERE made_by IS NOT NULL"
_MAKE = """
    INSERT INTO crm_company (id, name, domain, country, fields, created_at)
    SELECT id, name, '', '', '{}', %(now)s FROM import_companies WHERE made_by IS NOT NULL ORDER BY name
"""


def find_or_make(cursor: Any, values: Mapping[str, Any], key: str) -> None:
    """Have all companies that a batch of people names in `import_companies`, by their names in small letters;
    `made_by` is the row one was made for. Of several with one name, the oldest.
    """
    cursor.execute("SELECT EXISTS (SELECT FROM import_batch WHERE told ? 'company')")
    if cursor.fetchone()[0]:
        hold_names()
    cursor.execute(_NAMED)
    cursor.execute(_KEYS.format(key=key), values)
    if cursor.rowcount:
        cursor.execute(_MAKE, values)
    cursor.execute("ANALYZE import_companies")


def clear_up(made: Mapping[UUID, str]) -> None:
    """Delete companies that came with people, where nobody works for them and nobody told more of them."""
    here = set(
        Company.objects.filter(pk__in=made, domain="", city="", country="", fields={}).values_list(
            "pk", flat=True
        )
    )
    Company.objects.filter(pk__in=here - referred_to(Company, here, ())).delete()
