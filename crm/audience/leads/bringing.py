"""People who are leads because somebody says so, many at a time: by a file, not by a rule.

A lead that came so is held at its stage as by a hand, until the rules say something new of it. It is marked
as loaded from history: it begins no flow, and nobody is told of it or handed it over.

Whoever brings leads says it in a temporary table of its transaction (`TOLD`) and finds in another (`WAS`)
what became of them, to take it back one day. Everything between happens in the database, in a fixed number of
queries however many they are.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection, transaction

from crm.audience.leads import answers, definitions, stages
from crm.audience.leads.definitions import Refused
from crm.models import LeadDefinition, LeadVersion, Stage
from crm.models.writing import key_at
from crm.people.stirring import stir_all

REASON = "Brought in by a file"
TOLD = "leads_told"
"""One row a person: contact_id, stage_id, owner_id, since (when they became a lead) and value (what is
expected of it); NULL says nothing. What else stands in it is its teller's."""
WAS = "leads_were"
"""One row a person: contact_id, and stage, owner and value as they were (old_stage, old_owner, old_value) and
became (new_stage, new_owner, new_value). Without a stage of before there was no lead."""

_NOW = "%(now)s::timestamptz"
_HOLD = """
    SELECT id FROM crm_lead
    WHERE definition_id = %(definition)s AND contact_id IN (SELECT contact_id FROM {told})
    ORDER BY contact_id FOR NO KEY UPDATE
"""
_PLAN = f"""
    CREATE TEMP TABLE leads_planned ON COMMIT DROP AS SELECT * FROM (
        SELECT contact_id, lead_id, lead_id IS NULL AS is_new, enters, enters OR is_moved AS moves,
            since, score,
            GREATEST(CASE WHEN enters THEN since WHEN is_moved THEN {_NOW} END, stage_since) AS at,
            CASE WHEN NOT enters THEN stage_id END AS old_stage,
            CASE WHEN enters THEN COALESCE(told_stage, %(first)s) WHEN is_moved THEN told_stage
                ELSE stage_id END AS new_stage,
            owner_id AS old_owner,
            CASE WHEN enters OR %(overwrites)s OR owner_id IS NULL THEN COALESCE(told_owner, owner_id)
                ELSE owner_id END AS new_owner,
            expected_value AS old_value,
            CASE WHEN enters OR %(overwrites)s OR expected_value IS NULL
                THEN COALESCE(told_value, expected_value) ELSE expected_value END AS new_value
        FROM (
            SELECT t.contact_id, t.stage_id AS told_stage, t.owner_id AS told_owner, t.value AS told_value,
                LEAST(COALESCE(t.since, {_NOW}), {_NOW}) AS since,
                l.id IS NULL OR l.ended_at IS NOT NULL AS enters,
                t.stage_id IS NOT NULL AND t.stage_id IS DISTINCT FROM l.stage_id
                    AND (%(overwrites)s OR l.stage_id IS NULL) AS is_moved,
                l.id AS lead_id, l.stage_id, l.stage_since, l.owner_id, l.expected_value,
                COALESCE(l.score, 0) AS score
            FROM {TOLD} AS t
            LEFT JOIN crm_lead AS l ON l.contact_id = t.contact_id AND l.definition_id = %(definition)s
        ) AS told
    ) AS planned
    WHERE moves OR (new_owner, new_value) IS DISTINCT FROM (old_owner, old_value)
    ORDER BY contact_id
"""  # noqa: S608 - our own columns
_MAKE = """
    INSERT INTO crm_lead (id, contact_id, definition_id, version_id, stage_id, stage_since, score, reasons,
        owner_id, expected_value, became_at)
    SELECT {key}, contact_id, %(definition)s, %(version)s, new_stage, at, 0, '[]', new_owner, new_value, since
    FROM leads_planned WHERE is_new
"""
_CHANGE = """
    UPDATE crm_lead AS l SET stage_id = p.new_stage, stage_since = p.at, owner_id = p.new_owner,
        expected_value = p.new_value, ended_at = NULL,
        version_id = CASE WHEN p.enters THEN %(version)s ELSE l.version_id END,
        became_at = CASE WHEN p.enters THEN p.since ELSE l.became_at END,
        rule_stage_id = CASE WHEN p.enters THEN NULL ELSE l.rule_stage_id END
    FROM leads_planned AS p WHERE l.id = p.lead_id AND l.contact_id = p.contact_id
"""
_SCORE = """
    INSERT INTO crm_scorechange (id, contact_id, definition_id, score, occurred_at, recorded_at, is_backfill)
    SELECT {key}, contact_id, %(definition)s, 0, %(now)s, %(now)s, false FROM leads_planned WHERE is_new
"""
_MOVE = """
    INSERT INTO crm_stagemove (id, contact_id, definition_id, from_stage_id, to_stage_id, by_rule, actor,
        score, reason, occurred_at, recorded_at, is_backfill)
    SELECT {key}, contact_id, %(definition)s, old_stage, new_stage, false, %(by)s, score, %(reason)s, at, at,
        true
    FROM leads_planned WHERE moves
"""
_GIVE = """
    INSERT INTO crm_contactchange (id, contact_id, field, old, new, actor, occurred_at, recorded_at,
        is_backfill)
    SELECT {key}, p.contact_id, 'lead_owner', to_jsonb(o.username), to_jsonb(n.username), %(by)s, %(now)s,
        %(now)s, false
    FROM leads_planned AS p
    LEFT JOIN {users} AS o ON o.id = p.old_owner LEFT JOIN {users} AS n ON n.id = p.new_owner
    WHERE NOT p.enters AND p.new_owner IS DISTINCT FROM p.old_owner
"""
_ANSWERED = """
    SELECT p.contact_id FROM leads_planned AS p JOIN crm_stage AS s ON s.id = p.old_stage
    WHERE p.moves AND s.meaning = %s
"""
_WERE = f"""
    CREATE TEMP TABLE {WAS} ON COMMIT DROP AS
    SELECT contact_id, old_stage, new_stage, CASE WHEN NOT enters THEN old_owner END AS old_owner, new_owner,
        CASE WHEN NOT enters THEN old_value END AS old_value,
        CASE WHEN NOT enters THEN new_value END AS new_value
    FROM leads_planned
"""  # noqa: S608 - our own columns


def version_of(definition: LeadDefinition) -> LeadVersion:
    """The wording that counts. Raises Refused where there is none yet."""
    version = definitions.published(definition)
    if version is None:
        raise Refused([f"No wording of “{definition}” is published: nobody can be a lead of it yet."])
    return version


@transaction.atomic
def bring(definition: LeadDefinition, now: datetime, by: str, *, overwrites: bool) -> None:
    """Make the people of `TOLD` leads, at the first stage where nothing is told of one. Who is a lead already
    keeps stage, owner and expected value, unless they have none or `overwrites`. `WAS` has afterwards what
    became of whom something changed for.
    """
    values = _values(definition, now, by) | {"reason": REASON, "overwrites": overwrites}
    values["version"] = version_of(definition).pk
    values["first"] = stages.stage_of(definition.pk, Stage.Meaning.LEAD).pk
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {TOLD}")
        cursor.execute(_HOLD.format(told=TOLD), values)
        cursor.execute(_PLAN, values)
        cursor.execute("ANALYZE leads_planned")
        for statement in (_MAKE, _CHANGE, _SCORE, _MOVE, _GIVE):
            cursor.execute(_written(statement), values)
        cursor.execute(_ANSWERED, [Stage.Meaning.SALES_READY])
        answers.close([contact_id for (contact_id,) in cursor.fetchall()], definition.pk, now, by)
        stir_all("leads_planned")
        cursor.execute(_WERE)
        cursor.execute(f"ANALYZE {WAS}")
        cursor.execute("DROP TABLE leads_planned")


# Whoever was moved since by somebody or by a rule lives on: later moves than the one that brought them here.
_PLAN_BACK = f"""
    CREATE TEMP TABLE leads_planned ON COMMIT DROP AS
    SELECT w.contact_id, l.id AS lead_id, l.score, w.old_stage IS NULL AND m.last IS NULL AS goes,
        false AS enters, w.old_stage IS DISTINCT FROM w.new_stage AS moves,
        GREATEST({_NOW}, l.stage_since) AS at, l.stage_id AS old_stage, w.old_stage AS new_stage,
        l.owner_id AS old_owner,
        CASE WHEN w.old_stage IS NOT NULL AND l.owner_id = w.new_owner THEN w.old_owner ELSE l.owner_id END
            AS new_owner,
        CASE WHEN w.old_stage IS NOT NULL AND l.expected_value IS NOT DISTINCT FROM w.new_value
            THEN w.old_value ELSE l.expected_value END AS value
    FROM {WAS} AS w
    JOIN crm_lead AS l ON l.contact_id = w.contact_id AND l.definition_id = %(definition)s
    CROSS JOIN LATERAL (
        SELECT max(occurred_at) AS last FROM crm_stagemove AS s
        WHERE s.contact_id = w.contact_id AND s.definition_id = %(definition)s
            AND NOT (s.is_backfill AND s.reason = %(brought)s)
    ) AS m
    WHERE l.ended_at IS NULL AND l.stage_id = w.new_stage AND (m.last IS NULL OR m.last <= l.stage_since)
    ORDER BY contact_id
"""  # noqa: S608 - our own columns
_FORGET = """
    DELETE FROM {table} AS f USING leads_planned AS p
    WHERE p.goes AND f.contact_id = p.contact_id AND f.definition_id = %(definition)s
"""
_CHANGE_BACK = """
    UPDATE crm_lead AS l SET owner_id = p.new_owner, expected_value = p.value,
        stage_id = COALESCE(p.new_stage, l.stage_id),
        stage_since = CASE WHEN p.moves THEN p.at ELSE l.stage_since END,
        ended_at = CASE WHEN p.moves AND p.new_stage IS NULL THEN p.at END
    FROM leads_planned AS p WHERE l.id = p.lead_id AND l.contact_id = p.contact_id
"""


@transaction.atomic
def take_back(definition: LeadDefinition, now: datetime, by: str) -> None:
    """Make leads what they were by `WAS`, where nobody and no rule moved them since; others live on."""
    values = _values(definition, now, by) | {"brought": REASON, "reason": "Undone"}
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {WAS}")
        cursor.execute(_HOLD.format(told=WAS), values)
        cursor.execute(_PLAN_BACK, values)
        cursor.execute("ANALYZE leads_planned")
        for table in ("crm_stagemove", "crm_scorechange", "crm_lead"):
            cursor.execute(_FORGET.format(table=table), values)
        cursor.execute("DELETE FROM leads_planned WHERE goes")
        for statement in (_CHANGE_BACK, _MOVE, _GIVE):
            cursor.execute(_written(statement), values)
        stir_all(WAS)
        cursor.execute("DROP TABLE leads_planned")


def _values(definition: LeadDefinition, now: datetime, by: str) -> dict[str, Any]:
    """What every statement is told. The definition is held: its refresh takes turns with us."""
    LeadDefinition.objects.select_for_update(no_key=True).get(pk=definition.pk)
    return {"definition": definition.pk, "now": now, "by": by[:120]}


def _written(statement: str) -> str:
    return statement.format(key=key_at(_NOW), users=get_user_model()._meta.db_table)
