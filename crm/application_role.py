"""The role of the application's processes, which may add consent events and wordings but never change them.

Whoever owns the tables migrates; everything else runs as `rekindle_app` where REKINDLE_DB_ROLE says so. The
role and its rights are seen to after every migrate. A database user who may not create roles keeps working as
the owner, and is told.
"""

from __future__ import annotations

import sys
from typing import Any

from django.apps import AppConfig
from django.db import ProgrammingError, connections, router, transaction
from psycopg import errors

from crm.models import ConsentEvent, ConsentText
from crm.seed import is_up_to_date

ROLE = "rekindle_app"
APPEND_ONLY = (ConsentEvent._meta.db_table, ConsentText._meta.db_table)

_CREATE = f"""
DO $$ BEGIN
    CREATE ROLE {ROLE} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
_GRANTS = f"""
GRANT USAGE ON SCHEMA public TO {ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE};
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {ROLE};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROLE};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {ROLE};
"""
# Who may not analyse a table is only warned: a large import would be planned by what was true before it.
# Before PostgreSQL 17 the owner alone may, and autovacuum comes later.
_UPKEEP = f"GRANT MAINTAIN ON ALL TABLES IN SCHEMA public TO {ROLE}"


def after_migrate(sender: AppConfig, using: str, plan: Any = (), **_rest: Any) -> None:
    if router.allow_migrate_model(using, ConsentEvent) and is_up_to_date(sender, using, plan):
        ensure(using)


def ensure(using: str) -> None:
    """Make the role and give it its rights, or tell why not. Repeating it changes nothing."""
    try:
        with transaction.atomic(using=using), connections[using].cursor() as cursor:
            _ensure(cursor)
    except ProgrammingError as error:
        if not isinstance(error.__cause__, errors.InsufficientPrivilege):
            raise
        sys.stderr.write(
            f"\n  NOTICE: the role {ROLE} was not set up: {str(error).strip()}."
            " Consent events are then append-only by convention, not by grants."
            f" Have an administrator run `CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO` this user, then run"
            " `manage.py migrate` again.\n"
        )


def _ensure(cursor: Any) -> None:
    cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [ROLE])
    if not cursor.fetchone()[0]:
        cursor.execute(_CREATE)
    # Being a member is what lets a process of the owner's own login step down to the role.
    cursor.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", [ROLE])
    if not cursor.fetchone()[0]:
        cursor.execute(f"GRANT {ROLE} TO CURRENT_USER")
    cursor.execute(_GRANTS)
    if cursor.db.pg_version >= 170_000:
        cursor.execute(_UPKEEP)
    for table in APPEND_ONLY:
        cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {ROLE}")
