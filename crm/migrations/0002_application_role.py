"""A role for the application's processes, which may add consent events and wordings but never change them.

The owner of the tables migrates; everything else runs as `rekindle_app` where REKINDLE_DB_ROLE says so.
A database user who may not create roles keeps working as the owner, and is told.
"""

import sys

from django.db import ProgrammingError, migrations, transaction
from psycopg import errors

ROLE = "rekindle_app"
APPEND_ONLY = ("crm_consentevent", "crm_consenttext")

CREATE = f"""
DO $$ BEGIN
    CREATE ROLE {ROLE} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""

# Being the owner's own member is what lets a process of the same login step down to the role.
GRANTS = f"""
GRANT USAGE ON SCHEMA public TO {ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE};
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {ROLE};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROLE};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {ROLE};
"""


def grant(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        try:
            with transaction.atomic(using=schema_editor.connection.alias):
                _grant(cursor)
        except ProgrammingError as error:
            if not isinstance(error.__cause__, errors.InsufficientPrivilege):
                raise
            print(
                f"\n  NOTICE: the role {ROLE} was not set up: {str(error).strip()}."
                " Consent events are then append-only by convention, not by grants."
                f" Have an administrator run `CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO` this user, then run"
                " `manage.py migrate crm 0001_initial --fake` and `manage.py migrate crm`.",
                file=sys.stderr,
            )


def _grant(cursor):
    cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [ROLE])
    if not cursor.fetchone()[0]:
        cursor.execute(CREATE)
    cursor.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", [ROLE])
    if not cursor.fetchone()[0]:
        cursor.execute(f"GRANT {ROLE} TO CURRENT_USER")
    cursor.execute(GRANTS)
    for table in APPEND_ONLY:
        cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {ROLE}")


def revoke(apps, schema_editor):
    """The role belongs to the server and may serve other databases: only its rights here are taken back."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [ROLE])
        if cursor.fetchone()[0]:
            cursor.execute(f"DROP OWNED BY {ROLE}")


class Migration(migrations.Migration):
    dependencies = [("crm", "0001_initial")]

    operations = [migrations.RunPython(grant, revoke)]
