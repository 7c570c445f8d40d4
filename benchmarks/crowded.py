"""The seeded shop with everything else its lists show: names that differ, a row a person of what follows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from random import Random  # noqa: TID251 - seeded
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg

from benchmarks import derived, ground, seeding
from benchmarks.crowd import NOW

if TYPE_CHECKING:
    from config.embedded.services import Services

SALES = "sam"
SYLLABLES = "an ber car da el fi gor han iva jun kat lo mar nor ol pe ra sil to ul vik wen xa yor zen son man"
_NUMBER = "('x' || substr(md5(id::text || %(salt)s), 1, 7))::bit(28)::int"
_SYLLABLE = f"(ARRAY{SYLLABLES.split()})[1 + {{number}} % 27]"


def ground_of(services: Services, contacts: int) -> None:
    """Django's connection on the kept database of that many people with crowded lists."""
    from django.core.management import call_command
    from django.db import connection

    marks = [seeding.mark(), derived.mark(), hashlib.sha256(Path(__file__).read_bytes()).hexdigest()]
    ground.seeded(services, contacts)
    plain, name = f"{ground.NAME}_{contacts}", f"rekindle_lists_{contacts}"
    connection.close()
    with psycopg.connect(ground.address(services, "postgres"), autocommit=True) as server:
        held = server.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
        is_there = bool(held and held[0] == " ".join(marks))
        if not is_there:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{plain}"')
        connection.settings_dict["NAME"] = name
        if not is_there:
            _crowd()
            server.execute(f"COMMENT ON DATABASE \"{name}\" IS '{' '.join(marks)}'")
        else:
            call_command("migrate", verbosity=0)


def colleague() -> Any:
    """A browser of somebody who may do everything."""
    from django.contrib.auth.models import User
    from django.test import Client

    boss = User.objects.filter(username="bench").first() or User.objects.create_superuser("bench")
    client = Client(SERVER_NAME="localhost")
    client.force_login(boss)
    return client


def in_sales(people: str) -> Any:
    """A browser of somebody in sales whose group sees these people."""
    from django.contrib.auth.models import User
    from django.test import Client

    from crm.models import Role, Sight

    sam, group = User.objects.get(username=SALES), Role.objects.get(key="sales").group
    sam.groups.add(group)
    Sight.objects.filter(group=group).update(people=people)
    client = Client(SERVER_NAME="localhost")
    client.force_login(sam)
    return client


def shown(client: Any, url: str) -> Any:
    """What a page is made of; not for measuring, since somebody looks on while it is rendered."""
    from django.test.utils import setup_test_environment, teardown_test_environment

    setup_test_environment()
    try:
        return client.get(url).context
    finally:
        teardown_test_environment()


def some(number: int, dice: Random) -> list[UUID]:
    """Anybody."""
    from crm.models import Contact

    return [_near(Contact.objects.values_list("pk", flat=True), dice) for _ in range(number)]


def typed(number: int, dice: Random) -> Iterator[str]:
    """What somebody types who looks for one of the people, letter by letter, and words that nobody has."""
    from crm.models import Contact

    names = Contact.objects.values_list("first_name", "last_name", "email", "phone")
    for _ in range(number):
        first, last, email, phone = _near(names, dice)
        yield from (last[:2], last[:3], last[:5], last, first[:4], last[1:5], last[-4:])
        yield from (f"{first} {last}", f"{last[:4]} {first[:3]}", email[:6], email)
        if phone:
            yield from (phone[-6:], f"0{phone[3:9]}")
    yield from ("mann", "son", "people", "test", "qqq", "xyzzy", "qu xq", "77 88 99", "@")


def _near(rows: Any, dice: Random) -> Any:
    """The first row from a random moment on: keys are made of time."""
    since = int((NOW.timestamp() - dice.random() * 1000 * 86_400) * 1000)
    return rows.filter(pk__gte=UUID(f"{since:012x}{'0' * 20}")).order_by("pk").first() or rows.first()


def _crowd() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for setting in seeding.LOADING:
            cursor.execute(f"SET {setting}")
        _name(cursor)
        for table, key, values in _rows_of_each():
            _spread(cursor, table, key, values)
        for setting in seeding.LOADING:
            cursor.execute(f"RESET {setting.split(' = ')[0]}")
        cursor.execute("VACUUM ANALYZE")


def _name(cursor: Any) -> None:
    """People with some thousand first names, some ten thousand family names, every third with a number."""
    parts = {
        "first_name": ("a", "b"),
        "last_name": ("c", "d", "e"),
    }
    said = {
        name: "initcap(" + " || ".join(
            _SYLLABLE.format(number=_NUMBER.replace("%(salt)s", f"'{salt}'")) for salt in salts
        ) + ")"
        for name, salts in parts.items()
    }  # fmt: skip
    number = _NUMBER.replace("%(salt)s", "'f'")
    phone = f"CASE WHEN {number} % 3 = 0 THEN '+49' || 1510000000 + {number} ELSE '' END"
    more = {"phone": phone, "owner_id": _owner()}
    sets = ", ".join(f"{name} = {value}" for name, value in (said | more).items())
    cursor.execute(f"UPDATE crm_contact SET {sets}")


def _owner() -> str:
    """Of a hundred people one has the sales person we look as, 49 have somebody else, 50 nobody."""
    from django.contrib.auth.models import User

    sam, other = (User.objects.create_user(name, is_staff=True) for name in (SALES, "other"))
    number = _NUMBER.replace("%(salt)s", "'o'")
    return f"CASE WHEN {number} % 100 = 0 THEN {sam.pk} WHEN {number} % 100 < 50 THEN {other.pk} END"


def _rows_of_each() -> Iterator[tuple[str, Any, dict[str, str]]]:
    """A row of each table by the product's own models, and what differs in the others."""
    from campaigns.models import Decision, Delivery, Enrolment
    from crm.models import Contact, Lead
    from tests import office
    from tracking.models import Cart, InboundEvent

    office.set_up_shop()
    person = Contact.objects.exclude(email="").order_by("pk")[0]
    office.sender()
    cart = office.cart(person, office.product(1))
    campaign = office.draft(NOW)
    sent = office.delivery(campaign, person, cart)
    lead = office.lead(person, office.definition())
    came = InboundEvent.objects.create(source="collect", body={"kind": "page"}, state="applied")
    at = {"contact_id": "p.id", "id": "gen_random_uuid()"}
    yield Cart._meta.db_table, cart.pk, at | {
        "token": "'t' || p.n", "opened_at": "p.at", "changed_at": "p.at", "recorded_at": "p.at",
        "state": "(ARRAY['open', 'bought', 'emptied', 'expired'])[1 + p.n % 4]",
    }  # fmt: skip
    yield Enrolment._meta.db_table, sent.enrolment_id, at | {
        "entry": "'e' || p.n", "entered_at": "p.at", "qualified_at": "p.at",
        "state": "(ARRAY['active', 'finished', 'left'])[1 + p.n % 3]",
    }  # fmt: skip
    yield Decision._meta.db_table, Decision.objects.get().pk, at | {
        "decided_at": "p.at",
        "verdict": "(ARRAY['entered', 'queued', 'skipped', 'suppressed', 'left', 'failed'])[1 + p.n % 6]",
    }  # fmt: skip
    yield Delivery._meta.db_table, sent.pk, {
        "id": "1000 + p.n", "public_id": "gen_random_uuid()", "dedupe_key": "'d' || p.n",
        "contact_id": "p.id",
        "created_at": "p.at", "due_at": "p.at", "finished_at": "p.at",
        "state": "(ARRAY['sent', 'sent', 'sent', 'sent', 'skipped', 'suppressed', 'failed'])[1 + p.n % 7]",
        "reason": "(ARRAY['', '', '', '', 'purchased', 'no_consent', 'hard_bounce'])[1 + p.n % 7]",
    }  # fmt: skip
    yield (
        Lead._meta.db_table,
        lead.pk,
        at | {"became_at": "p.at", "stage_since": "p.at", "score": "p.n % 100"},
    )
    yield InboundEvent._meta.db_table, came.pk, {"id": "1000 + p.n", "received_at": "p.at"}


def _spread(cursor: Any, table: str, key: Any, values: dict[str, str]) -> None:
    """A row a person like the one of this key, with other values."""
    cursor.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
                   " AND NOT attisdropped AND attgenerated = ''", [table])  # fmt: skip
    columns = [name for (name,) in cursor.fetchall()]
    chosen = ", ".join(values.get(name, f'like_it."{name}"') for name in columns).replace("%", "%%")
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM {table} like_it,"
        " (SELECT id, created_at AS at, row_number() OVER (ORDER BY id) AS n FROM crm_contact) p"
        " WHERE like_it.id = %s ON CONFLICT DO NOTHING",
        [key],
    )
