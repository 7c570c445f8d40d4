"""What an import is held against: COPY and an upsert written by hand, and django-import-export."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import effort
from benchmarks.effort import Effort

if TYPE_CHECKING:
    from crm.models import LeadDefinition


def by_hand(told: Any, definition: LeadDefinition | None = None) -> None:
    """COPY and upsert, as one would write it for this one file; of leads where there is a definition."""
    from django.db import connection, transaction

    from crm.kernel import tokens
    from crm.models.writing import key_at
    from crm.people.stirring import OWN

    key = key_at("statement_timestamp()")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE t (email text, first_name text, last_name text, country text, language text,"
            " shoe_size int, city text, hash bytea, stage text, owner text, value numeric, since timestamptz)"
            " ON COMMIT DROP"
        )
        with cursor.copy("COPY t FROM STDIN") as copy:
            for email, first, last, country, language, size, city, *lead in told:
                spelled, digest, _ = tokens.spelled_and_hashed("email", email)
                stage, owner, value, since = lead or [None] * 4
                person = (spelled, first, last, country, language, size or None, city or None, digest)
                copy.write_row((*person, stage, owner, value, since))
        cursor.execute("ANALYZE t")
        fields = "jsonb_strip_nulls(jsonb_build_object('shoe_size', t.shoe_size, 'city', t.city))"
        for name, value in (("country", "t.country"), ("language", "t.language"), ("fields", f"{fields}")):
            new = f"{value} || c.fields" if name == "fields" else value
            blank = "true" if name == "fields" else f"c.{name} = ''"
            cursor.execute(
                "INSERT INTO crm_contactchange (id, contact_id, field, old, new, actor, occurred_at,"
                f" recorded_at, is_backfill) SELECT {key}, c.id, '{name}', to_jsonb(c.{name}),"
                f" to_jsonb({new}), 'import', now(), now(), false FROM t JOIN crm_contactpoint AS p"
                " ON p.address_hash = t.hash AND p.channel = 'email' JOIN crm_contact AS c"
                f" ON c.id = p.contact_id WHERE {blank} AND c.{name} <> {new}"
            )
        cursor.execute(
            "UPDATE crm_contact AS c SET updated_at = now(), fields = " + fields + " || c.fields,"
            " first_name = COALESCE(NULLIF(c.first_name, ''), t.first_name),"
            " last_name = COALESCE(NULLIF(c.last_name, ''), t.last_name),"
            " country = COALESCE(NULLIF(c.country, ''), t.country),"
            " language = COALESCE(NULLIF(c.language, ''), t.language)"
            " FROM t JOIN crm_contactpoint AS p ON p.address_hash = t.hash AND p.channel = 'email'"
            " WHERE c.id = p.contact_id"
        )
        cursor.execute(
            "CREATE TEMP TABLE n ON COMMIT DROP AS"
            f" SELECT {key} AS id, t.* FROM t WHERE NOT EXISTS (SELECT FROM crm_contactpoint AS p"
            " WHERE p.address_hash = t.hash AND p.channel = 'email')"
        )
        cursor.execute(
            "INSERT INTO crm_contact (id, first_name, last_name, email, phone, language, country, time_zone,"
            " tags, fields, source, is_test, created_at, recorded_at, updated_at)"
            " SELECT id, first_name, last_name, email, '', language, country, '', '[]', "
            + fields.replace("t.", "n.")
            + ", 'import', false, now(), now(), now() FROM n"
        )
        cursor.execute(
            "INSERT INTO crm_contactpoint (id, contact_id, channel, address, address_hash, hash_key_id,"
            f" status, is_primary, created_at) SELECT {key}, id, 'email', email, hash, 1, 'ok', true, now()"
            " FROM n"
        )
        cursor.execute(
            "INSERT INTO crm_engagement (id, contact_id, order_count, spent, stirred)"
            f" SELECT {key}, p.contact_id, 0, 0, {OWN} FROM t JOIN crm_contactpoint AS p"
            " ON p.address_hash = t.hash AND p.channel = 'email'"
            " ON CONFLICT (contact_id) DO UPDATE SET stirred = EXCLUDED.stirred"
        )
        if definition:
            leads_by_hand(cursor, definition, key)


def leads_by_hand(cursor: Any, definition: LeadDefinition, key: str) -> None:
    """Everybody of the table becomes a lead, or has what was blank of theirs filled."""
    known = {"definition": definition.pk, "version": definition.versions.get().pk}
    cursor.execute(
        "CREATE TEMP TABLE l ON COMMIT DROP AS SELECT p.contact_id, s.id AS stage_id, u.id AS owner_id,"
        " t.value, t.since FROM t"
        " JOIN crm_contactpoint AS p ON p.address_hash = t.hash AND p.channel = 'email'"
        " JOIN crm_stage AS s ON s.definition_id = %(definition)s AND s.name = t.stage"
        " LEFT JOIN auth_user AS u ON u.username = t.owner",
        known,
    )
    cursor.execute(
        "INSERT INTO crm_lead AS here (id, contact_id, definition_id, version_id, stage_id, stage_since,"
        f" score, reasons, owner_id, expected_value, became_at) SELECT {key}, contact_id, %(definition)s,"
        " %(version)s, stage_id, since, 0, '[]', owner_id, value, since FROM l"
        " ON CONFLICT (contact_id, definition_id) DO UPDATE"
        " SET owner_id = COALESCE(here.owner_id, EXCLUDED.owner_id),"
        " expected_value = COALESCE(here.expected_value, EXCLUDED.expected_value)",
        known,
    )
    cursor.execute(
        "INSERT INTO crm_stagemove (id, contact_id, definition_id, to_stage_id, by_rule, actor, score,"
        f" reason, occurred_at, recorded_at, is_backfill) SELECT {key}, contact_id, %(definition)s, stage_id,"
        " false, 'import', 0, 'Brought in by a file', since, since, true FROM l",
        known,
    )
    cursor.execute(
        "INSERT INTO crm_scorechange (id, contact_id, definition_id, score, occurred_at, recorded_at,"
        f" is_backfill) SELECT {key}, contact_id, %(definition)s, 0, now(), now(), false FROM l",
        known,
    )


def library(path: Path, rows: int, definition: LeadDefinition | None, **how: Any) -> Effort:
    """So many rows of django-import-export's resources as they come, or as `how` says: people, then leads."""
    import tablib

    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        headers = next(lines)
        table = tablib.Dataset(*islice(lines, rows), headers=headers)

    def work() -> None:
        resources = [of_people(**how)]
        if definition:
            resources.append(of_leads(definition, **how))
        for resource in resources:
            result = resource().import_data(table, raise_errors=True)
            assert result.total_rows == rows

    return effort.of(work)[1]


def of_people(**how: Any) -> Any:
    from import_export import resources

    from crm.models import Contact

    meta = {"model": Contact, "import_id_fields": ("email",)}
    fields = ("email", "first_name", "last_name", "country", "language")
    return type(
        "People", (resources.ModelResource,), {"Meta": type("Meta", (), meta | {"fields": fields} | how)}
    )


def of_leads(definition: LeadDefinition, **how: Any) -> Any:
    from django.contrib.auth import get_user_model
    from import_export import fields, resources, widgets

    from crm.models import Contact, Lead

    version = definition.versions.get()
    # Few stages and colleagues are looked up once in bulk mode; people would be all of them.
    found_by: Any = widgets.CachedForeignKeyWidget if how else widgets.ForeignKeyWidget
    its_own = {"get_queryset": lambda self, value, row, **more: definition.stages.all()}
    stages: Any = type("Stages", (found_by,), its_own)
    columns = {
        "contact": ("contact", "email", widgets.ForeignKeyWidget(Contact, "email")),
        "stage": ("stage", "stage", stages(definition.stages.model, "name")),
        "owner": ("owner", "owner", found_by(get_user_model(), "username")),
        "expected_value": ("expected_value", "expected_value", widgets.DecimalWidget()),
        "became_at": ("became_at", "a_lead_since", widgets.DateTimeWidget("%Y-%m-%d")),
    }

    def before_save(self: Any, instance: Any, row: Any, **more: Any) -> None:
        instance.definition, instance.version = definition, version
        instance.stage_since = instance.became_at

    meta = {"model": Lead, "import_id_fields": ("contact",), "fields": tuple(columns)} | how
    body: dict[str, Any] = {name: fields.Field(*told) for name, told in columns.items()}
    body |= {"Meta": type("Meta", (), meta), "before_save_instance": before_save}
    return type("Leads", (resources.ModelResource,), body)


def in_bulk(path: Path, rows: int, definition: LeadDefinition | None) -> Effort:
    """The same with everything turned on that its manual has for speed."""
    from import_export.instance_loaders import CachedInstanceLoader

    return library(
        path,
        rows,
        definition,
        use_bulk=True,
        batch_size=1000,
        skip_diff=True,
        skip_html_diff=True,
        instance_loader_class=CachedInstanceLoader,
    )
