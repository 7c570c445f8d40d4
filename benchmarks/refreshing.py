"""Segments refreshed by the product, beside the same written by hand: the effort of each, in turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.crowd import NOW
from benchmarks.effort import Effort, in_turns
from benchmarks.shapes import Shape, of

if TYPE_CHECKING:
    from crm.models import Segment

_DIFFERENCE = """
    WITH meant AS MATERIALIZED ({people}),
    moved AS MATERIALIZED (
        SELECT meant.id AS came, m.id AS stay FROM meant FULL JOIN (
            SELECT id, contact_id FROM crm_segmentmembership
            WHERE segment_id = %(segment)s AND left_at IS NULL
        ) m ON m.contact_id = meant.id
        WHERE meant.id IS NULL OR m.id IS NULL
    ), gone AS (
        UPDATE crm_segmentmembership m SET left_at = %(now)s FROM moved WHERE m.id = moved.stay
        RETURNING 1
    ), come AS (
        INSERT INTO crm_segmentmembership (id, contact_id, segment_id, entered_at)
        SELECT uuidv7(), came, %(segment)s, %(now)s FROM moved WHERE came IS NOT NULL
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM come), (SELECT count(*) FROM gone)
"""
_BOOKS = """
    WITH counted AS (
        SELECT count(*) AS size FROM crm_segmentmembership WHERE segment_id = %(segment)s AND left_at IS NULL
    ), noted AS (
        INSERT INTO crm_segmentsize (segment_id, at, size, entered, "left", seconds)
        SELECT %(segment)s, %(now)s, size, %(come)s, %(gone)s, 0 FROM counted
        ON CONFLICT (segment_id, at) DO UPDATE SET size = EXCLUDED.size
    )
    UPDATE crm_segment SET size = counted.size, problem = '', refreshed_at = %(now)s, refresh_seconds = 0
    FROM counted WHERE id = %(segment)s
"""
_FIFTH = """
    INSERT INTO crm_segmentmembership (id, contact_id, segment_id, entered_at)
    SELECT uuidv7(), id, %(segment)s, %(now)s
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM crm_contact) c
    WHERE (place %% 5 = 0 AND place > %(moved)s * 5) OR (place %% 5 = 1 AND place <= %(moved)s * 5)
"""
_ANEW = """
    INSERT INTO crm_segmentmembership (id, contact_id, segment_id, entered_at)
    SELECT uuidv7(), contact_id, %(segment)s, %(now)s
    FROM crm_segmentmembership WHERE segment_id = %(meant)s AND left_at IS NULL
"""


def run(sql: str, **given: Any) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def segments(*rules: Any) -> Iterator[list[Segment]]:
    """Segments of these rules, gone afterwards."""
    from crm.models import Segment

    made = [Segment(rule=rule) for rule in rules]
    for segment in made:
        segment.name = str(segment.pk)
        segment.save()
    try:
        yield made
    finally:
        empty(made)
        Segment.objects.filter(pk__in=[one.pk for one in made]).delete()


def empty(made: Sequence[Segment]) -> None:
    """Nobody has ever been in these segments."""
    ids = [one.pk for one in made]
    run("DELETE FROM crm_segmentmembership WHERE segment_id = ANY(%(ids)s)", ids=ids)
    run("VACUUM ANALYZE crm_segmentmembership")


def by_hand(segment: Segment, people: str) -> None:
    """The same difference and bookkeeping, as one would write it by hand."""
    from django.db import transaction

    given = {"segment": segment.pk, "now": NOW}
    with transaction.atomic():
        run("SELECT FROM crm_segment WHERE id = %(segment)s FOR NO KEY UPDATE", **given)
        [(come, gone)] = run(_DIFFERENCE.format(people=people), **given)
        run(_BOOKS, **given, come=come, gone=gone)


def inside(segment: Segment) -> set[Any]:
    found = run(
        "SELECT contact_id FROM crm_segmentmembership WHERE segment_id = %(segment)s AND left_at IS NULL",
        segment=segment.pk,
    )
    return {row[0] for row in found}


def refreshed(shape: Shape, rounds: int) -> tuple[list[Effort], list[Effort]]:
    """The effort of ours, by hand and by scanning: of a first fill, and where nothing has changed."""
    from crm.audience import segmentation

    with segments(*[shape.rule] * 3) as made:
        ours, hand, scan = made
        works = (
            lambda: segmentation.refresh(ours, NOW),
            lambda: by_hand(hand, shape.by_hand),
            lambda: by_hand(scan, shape.by_scan),
        )
        first = in_turns(rounds, *works, before=lambda: empty(made))
        for work in works:
            work()
        meant, *others = (inside(segment) for segment in made)
        if ours.problem or not meant or any(meant != other for other in others):
            raise RuntimeError(f"{shape.name}: {ours.problem or 'not the same people'}")
        run("VACUUM ANALYZE crm_segmentmembership")
        steady = in_turns(rounds, *works)
    print(f"{shape.name}: {len(meant)} people")
    for name, (us, by_sql, scanning) in (("first fill", first), ("nothing changed", steady)):
        print(
            f"  {name}: {us}; by hand {by_sql}: {us / by_sql:.2f}x; scanning {scanning}: {scanning / us:.1f}x"
        )
    return first, steady


def difference(people: int, rounds: int) -> tuple[Effort, Effort]:
    """The effort to bring a fifth of all people up to date, of whom one in twenty is new and as many have
    gone: by the product, and by deleting and inserting all.
    """
    from django.db import transaction

    from crm.audience import segmentation

    with segments({}) as (meant,):
        run(_FIFTH, segment=meant.pk, now=NOW, moved=0)
        rule = {"all": [of("crm.in_segment", segment=meant.pk)]}
        with segments(rule, rule) as (ours, hand):

            def before() -> None:
                empty([ours, hand])
                for segment in (ours, hand):
                    run(_FIFTH, segment=segment.pk, now=NOW, moved=people // 100)
                run("VACUUM ANALYZE crm_segmentmembership")

            def anew() -> None:
                with transaction.atomic():
                    run("SELECT FROM crm_segment WHERE id = %(segment)s FOR NO KEY UPDATE", segment=hand.pk)
                    run("DELETE FROM crm_segmentmembership WHERE segment_id = %(segment)s", segment=hand.pk)
                    run(_ANEW, segment=hand.pk, meant=meant.pk, now=NOW)
                    run(_BOOKS, segment=hand.pk, now=NOW, come=0, gone=0)

            works = (lambda: segmentation.refresh(ours, NOW), anew)
            taken = in_turns(rounds, *works, before=before)
            for work in works:
                work()
            if inside(ours) != inside(hand) or len(inside(ours)) != people // 5:
                raise RuntimeError("the difference is not what inserting all gives")
    print(f"{people // 5} members, {people // 100} join, as many leave: {taken[0]}; anew {taken[1]}")
    return taken[0], taken[1]


def swept(shape: Shape, rounds: int) -> tuple[Effort, Effort]:
    """The effort to keep a segment up where 1 % of all people were written about, and where all were."""
    from crm.audience import segmentation
    from crm.people import stirring

    with segments(shape.rule) as (ours,):
        segmentation.refresh(ours, NOW)
        some = [row[0] for row in run("SELECT id FROM crm_contact TABLESAMPLE BERNOULLI (1) REPEATABLE (7)")]

        def sweep() -> None:
            if segmentation.sweep(ours, NOW) is None:
                raise RuntimeError(f"{shape.name}: it cannot be swept")

        [few] = in_turns(rounds, sweep, before=lambda: stirring.stir(some))
        [everybody] = in_turns(rounds, lambda: segmentation.refresh(ours, NOW))
    print(
        f"  kept up where {len(some)} people changed: {few};"
        f" where all did: {everybody}: {everybody / few:.1f}x"
    )
    return few, everybody
