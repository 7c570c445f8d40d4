"""People changed by rows, many at a time: what they are and become stands side by side in `import_changes`, a
temporary table of the transaction, and what differs is stored, with the history of what rules use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.models.writing import key_at
from crm.sheets.persons.judging import FILLED

NOW = "%(now)s::timestamptz"
COLUMNS = (*FILLED, "fields", "tags", "email", "phone", "company_id")

_COMPARED = """
    CREATE TEMP TABLE import_changes ON COMMIT DROP AS
    SELECT c.id, c.recorded_at, {kept}, {old}, {new} FROM {source}
"""
DIFFERS = (
    f"({', '.join(f'n.new_{name}' for name in COLUMNS)})"
    f" IS DISTINCT FROM ({', '.join(f'n.old_{name}' for name in COLUMNS)})"
)
_UPDATE = f"""
    UPDATE crm_contact AS c
    SET {", ".join(f"{name} = n.new_{name}" for name in COLUMNS)}, updated_at = {NOW}
    FROM import_changes AS n WHERE n.id = c.id AND {DIFFERS}
"""  # noqa: S608 - our own columns
# Nobody can ask of the time before a person was known: who is new as of now gets no row of history.
_HISTORY = f"""
    INSERT INTO crm_contactchange (id, contact_id, field, old, new, actor, occurred_at, recorded_at,
        is_backfill)
    SELECT {{key}}, n.id, one.field, one.old, one.new, left(%(actor)s, 120), %(now)s, %(now)s, false
    FROM import_changes AS n CROSS JOIN LATERAL (VALUES
        ('language', to_jsonb(old_language), to_jsonb(new_language)),
        ('country', to_jsonb(old_country), to_jsonb(new_country)),
        ('time_zone', to_jsonb(old_time_zone), to_jsonb(new_time_zone)),
        ('fields', old_fields, new_fields), ('tags', old_tags, new_tags),
        ('company', to_jsonb(COALESCE(old_company_id::text, '')),
            to_jsonb(COALESCE(new_company_id::text, '')))
    ) AS one (field, old, new)
    WHERE one.old <> one.new AND n.recorded_at <> {NOW}
"""  # noqa: S608 - our own columns


def compare(
    cursor: Any, source: str, becomes: Mapping[str, str], kept: str, values: Mapping[str, Any]
) -> int:
    """Have `import_changes`: of each person (`c`) of a source their columns as they are and as they become,
    in SQL, and what else is `kept`. Returns how many they are.
    """
    old = ", ".join(f"c.{name} AS old_{name}" for name in COLUMNS)
    new = ", ".join(f"{becomes[name]} AS new_{name}" for name in COLUMNS)
    cursor.execute(_COMPARED.format(kept=kept, old=old, new=new, source=source), values)
    return int(cursor.rowcount)


def store(cursor: Any, values: Mapping[str, Any]) -> None:
    """Let everybody become what they become, `now` and by the `actor` of these values."""
    cursor.execute(_UPDATE, values)
    if cursor.rowcount:
        cursor.execute(_HISTORY.format(key=key_at(NOW)), values)
