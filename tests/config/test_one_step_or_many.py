"""A database that was made step by step and one that was made at once are the same."""

import re
from contextlib import contextmanager

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from config.management.commands.migrate import WholeExecutor

pytestmark = [pytest.mark.proof, pytest.mark.django_db(transaction=True)]

# Where somebody may have stopped who began before there was one step for all.
HALF_WAY = [
    ("crm", "0026_saved_views"),
    ("tracking", "0004_rollups"),
    ("campaigns", "0012_ground_of_flows"),
]
MONTH = re.compile(r"_\d{4}_\d{2}$")
# Months have their indexes by their parent; what these are called there says nothing.
WHAT_IT_IS = r"""
SELECT 'column', attrelid::regclass::text, concat_ws(' ', attname, format_type(atttypid, atttypmod),
    attnotnull, attidentity, pg_get_expr(adbin, adrelid))
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = attrelid
LEFT JOIN pg_attrdef AS d ON d.adrelid = attrelid AND d.adnum = attnum
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'table', relname, concat_ws(' ', relkind, relispartition, reloptions, pg_get_partkeydef(oid),
    pg_get_expr(relpartbound, oid))
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S', 'v', 'm')
UNION ALL
SELECT 'index', tablename, CASE WHEN relispartition
    THEN regexp_replace(indexdef, 'INDEX \S+ ON', 'INDEX ON') ELSE indexdef END
FROM pg_indexes JOIN pg_class ON relname = indexname WHERE schemaname = 'public'
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, pg_get_triggerdef(t.oid)
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = tgrelid
WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'function', proname, pg_get_functiondef(p.oid)
FROM pg_proc AS p JOIN pg_language AS l ON l.oid = prolang
WHERE pronamespace = 'public'::regnamespace AND lanname IN ('sql', 'plpgsql')
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
UNION ALL
SELECT 'extension', extname, '' FROM pg_extension
"""


@contextmanager
def on(name):
    """The connection that all of Django means leads to this database of the same server."""
    here = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = here


@pytest.fixture
def empty():
    """The name of an empty database, gone afterwards."""
    name = "step_by_step"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield name
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def described():
    with connection.cursor() as cursor:
        cursor.execute(WHAT_IT_IS)
        return set(cursor.fetchall())


def test_whoever_stopped_half_way_before_gets_what_a_new_database_has(empty):
    with on(empty):
        before = WholeExecutor(connection)
        before.loader = MigrationLoader(connection, replace_migrations=False)
        before.migrate(HALF_WAY)
        now = WholeExecutor(connection)
        assert not set(now.recorder.applied_migrations()) & set(now.loader.replacements)
        now.migrate(now.loader.graph.leaf_nodes())
        assert set(now.recorder.applied_migrations()) >= set(now.loader.disk_migrations)
        old = described()
    tables = {name for _what, name, _how in old}
    # Other tests of this run may have made more months.
    new = {one for one in described() if one[1] in tables or not MONTH.search(one[1])}
    assert (sorted(new - old), sorted(old - new)) == ([], [])
    kinds = {kind for kind, _, _ in new}
    assert kinds == {"column", "table", "index", "constraint", "trigger", "function", "extension"}
