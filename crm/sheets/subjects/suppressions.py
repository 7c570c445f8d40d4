"""Suppression lists: addresses that nobody may write to."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django import forms
from django.db import connection, transaction

from crm.kernel import tokens
from crm.models import Channel, Import, ImportRow, Suppression
from crm.models.writing import key_at
from crm.people.permitted import after_a_word
from crm.sheets.matching import Target
from crm.sheets.persons import cells
from crm.sheets.reading import Look
from crm.sheets.subjects import Applied, Reader, Subject, Undone, subjects

_NOW = "%(now)s::timestamptz"
# A row is new where it stops an address, and is the first of the file to say so.
_JUDGE = """
    UPDATE crm_importrow AS r SET object_id = {key}, verdict = CASE WHEN d.place = 1 AND (
        (r.email_hash IS NOT NULL AND NOT EXISTS (SELECT FROM crm_suppression AS s
            WHERE s.address_hash = r.email_hash AND s.channel = 'email' AND s.purpose_id IS NULL))
        OR (r.phone_hash IS NOT NULL AND NOT EXISTS (SELECT FROM crm_suppression AS s
            WHERE s.address_hash = r.phone_hash AND s.channel = 'sms' AND s.purpose_id IS NULL)))
        THEN 'new' ELSE 'unchanged' END
    FROM (
        SELECT number, row_number() OVER (PARTITION BY email_hash, phone_hash ORDER BY number) AS place
        FROM crm_importrow WHERE run_id = %(run)s AND verdict IS DISTINCT FROM 'refused'
    ) AS d
    WHERE r.run_id = %(run)s AND r.number = d.number
"""
_STOP = """
    WITH told AS (
        SELECT number, email_hash AS hash, 'email' AS channel FROM crm_importrow
        WHERE run_id = %(run)s AND number > %(after)s AND number <= %(upto)s AND verdict = 'new'
            AND email_hash IS NOT NULL
        UNION ALL
        SELECT number, phone_hash, 'sms' FROM crm_importrow
        WHERE run_id = %(run)s AND number > %(after)s AND number <= %(upto)s AND verdict = 'new'
            AND phone_hash IS NOT NULL
    ), made AS (
        INSERT INTO crm_suppression (id, address_hash, hash_key_id, channel, reason, since)
        SELECT {key}, hash, %(key_id)s, channel, 'imported', %(now)s
        FROM (SELECT DISTINCT hash, channel FROM told) AS one ORDER BY hash, channel
        ON CONFLICT DO NOTHING
        RETURNING address_hash, channel
    ), noted AS (
        SELECT t.number, jsonb_agg(encode(t.hash, 'hex')) AS stops
        FROM told AS t JOIN made AS m ON m.address_hash = t.hash AND m.channel = t.channel GROUP BY t.number
    )
    UPDATE crm_importrow AS r SET before = jsonb_build_object('at', {now}, 'stops', n.stops)
    FROM noted AS n WHERE r.run_id = %(run)s AND r.number = n.number
    RETURNING n.stops
"""


@subjects.register
class Suppressions(Subject):
    """A row is an address that nobody writes marketing to any more, whoever has it, now or later. What is
    stopped already stays as it is, with its own reason.
    """

    key = "crm.suppressions"
    label = "Suppression list"
    many = "addresses"
    permission = "crm.view_suppression"
    undo_says = "Addresses that this import stopped are free again, unless they were stopped for more since."

    class Params(forms.Form):
        region = forms.RegexField(
            r"^[A-Za-z]{2}$",
            label="Country of telephone numbers",
            required=False,
            help_text="Two letters such as DE, for numbers without a country code.",
        )

    def targets(self) -> list[Target]:
        return [Target("email", "E-mail address", "email"), Target("phone", "Telephone number", "phone")]

    def missing(self, targets: set[str]) -> str:
        if targets & {"email", "phone"}:
            return ""
        return (
            "No column says which addresses. Choose the column of the e-mail addresses or telephone numbers."
        )

    def reader(self, run: Import) -> Reader:
        headings = Look.from_json(run.look).headings
        columns = cells.columns(run.mapping, headings, "", run.options.get("region", ""))
        return lambda rows: cells.read(rows, columns)

    def judge(self, run: Import, now: datetime) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_JUDGE.format(key=key_at(_NOW)), {"run": run.pk, "now": now})

    def apply(self, run: Import, after: int, upto: int, now: datetime) -> Applied:
        values: dict[str, Any] = {"run": run.pk, "after": after, "upto": upto, "now": now}
        values["key_id"] = tokens.current_address_key()
        with connection.cursor() as cursor:
            cursor.execute(_STOP.format(key=key_at(_NOW), now=_NOW), values)
            stopped = [stops for (stops,) in cursor.fetchall()]
        after_a_word({bytes.fromhex(one) for stops in stopped for one in _listed(stops)})
        return Applied(made=len(stopped))

    def undo(self, run: Import, after: int, upto: int, now: datetime) -> Undone:
        rows = ImportRow.objects.filter(run=run, number__gt=after, number__lte=upto, before__isnull=False)
        hashes: set[bytes] = set()
        moments: set[str] = set()
        for before in rows.values_list("before", flat=True):
            hashes |= {bytes.fromhex(one) for one in (before or {})["stops"]}
            moments.add((before or {})["at"])
        gone, _ = Suppression.objects.filter(
            address_hash__in=hashes,
            channel__in=[Channel.EMAIL, Channel.SMS],
            purpose=None,
            reason=Suppression.Reason.IMPORTED,
            source_event=None,
            since__in=moments,
        ).delete()
        after_a_word(hashes)
        rows.update(before=None)
        return Undone(gone, len(hashes) - gone)


def _listed(stops: object) -> list[str]:
    """A list of texts that came back from the database, as JSON or read already."""
    return json.loads(stops) if isinstance(stops, str) else stops  # type: ignore[return-value]
