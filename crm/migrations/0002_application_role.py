"""A role for the application's processes, which may add consent events and wordings but never change them.

The owner of the tables migrates; everything else runs as `rekindle_app` where REKINDLE_DB_ROLE says so.
A database user who may not create roles keeps working as the owner, and is told.
"""

import sys

from django.db import migrations

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
        cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [ROLE])
        exists = cursor.fetchone()[0]
        cursor.execute("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
        if not exists and not cursor.fetchone()[0]:
            print(
                f"\n  NOTICE: this database user may not create roles, so the role {ROLE} was not made."
                " Consent events are then append-only by convention, not by grants."
                " Have an administrator create the role, grant it to this user and run"
                " `manage.py migrate crm 0001_initial --fake` and `manage.py migrate crm` again.",
                file=sys.stderr,
            )
            return
        if not exists:
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
