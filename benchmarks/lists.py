"""contact_page_p95_ms, changelist_p95_ms, search_p95_ms, changelist_sales_p95_ms: how long pages take.

    python -m benchmarks.lists [--contacts 1000000] [--rounds 3]

The shop of `benchmarks.seeding` (ten events a person, one of them with 1 % of all) with names as people have
them, and with as many carts, deliveries, decisions, enrolments and leads as people: written by the database
from one row of each. CONTACTS in the environment is a smaller size, for a look whether it works. Times are of
the whole request in this process, on a quiet machine; nothing is sent over a wire. The database is kept.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from functools import partial
from random import Random  # noqa: TID251 - seeded
from typing import Any
from urllib.parse import urlencode

from benchmarks import crowded, effort, ground, results
from benchmarks.effort import Effort
from benchmarks.segments import percentile

LISTS = (
    *("crm_contact", "crm_order", "crm_lead", "crm_consentevent", "crm_suppression"),
    *("tracking_cart", "tracking_event", "tracking_inboundevent"),
    *("campaigns_delivery", "campaigns_decision", "campaigns_enrolment"),
)
DEEPEST = 200
PEOPLE = 40

type Taken = dict[str, Effort]


def lists(client: Any, rounds: int, typed: list[str]) -> Taken:
    """Every list that opens: its pages, each way to sort it, each filter with each of its answers; people by
    words.
    """
    from django.urls import reverse

    asked: set[str] = set()
    for name in LISTS:
        page = reverse(f"admin:{name}_changelist")
        if not _may_look(client, name):
            continue
        changes = crowded.shown(client, page)["cl"]
        asked |= {page, f"{page}?p=2", *(f"{page}?{query}" for query in _filters(changes))}
        if changes.paginator.num_pages >= DEEPEST:
            asked.add(f"{page}?p={DEEPEST}")
        for number, column in enumerate(changes.list_display):
            if column in (changes.sortable_by or ()):
                asked |= {f"{page}?o={number}", f"{page}?o=-{number}"}
    page = reverse("admin:crm_contact_changelist")
    asked |= {f"{page}?{urlencode({'q': words})}" for words in typed}
    return fetched(client, sorted(asked), rounds)


def _may_look(client: Any, name: str) -> bool:
    from django.contrib.auth.models import User

    app, _, model = name.partition("_")
    return bool(User.objects.get(pk=client.session["_auth_user_id"]).has_perm(f"{app}.view_{model}"))


def _filters(changes: Any) -> Iterator[str]:
    for spec in changes.filter_specs:
        offered = [*(getattr(spec, "lookup_choices", None) or [])]
        field = getattr(spec, "field", None)
        offered += [*(getattr(field, "flatchoices", None) or [])]
        name = spec.expected_parameters()[0]
        for key, *_label in offered[:20]:
            yield f"{name}={key}"
    if changes.opts.label_lower == "crm.contact":
        yield from ("country=DE", "country=PT", "source=form", "is_test__exact=1", "is_test__exact=0")


def pages(client: Any, rounds: int, dice: Random) -> tuple[Taken, Taken]:
    """The page of anybody and its next page, and of whoever has the most events."""
    from django.db import connection
    from django.urls import reverse

    with connection.cursor() as cursor:
        cursor.execute("SELECT contact_id FROM tracking_event GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
        [(busiest,)] = cursor.fetchall()
    asked: dict[bool, list[str]] = {False: [], True: []}
    for person in (*crowded.some(PEOPLE, dice), busiest):
        url = reverse("admin:crm_contact_change", args=[person])
        following = crowded.shown(client, url)["page"].next
        asked[person == busiest] += [
            url,
            *([f"{url}?{urlencode({'before': str(following)})}"] if following else []),
        ]
    return fetched(client, asked[False], rounds), fetched(client, asked[True], 3 * rounds)


def searches(client: Any, rounds: int, typed: list[str]) -> Taken:
    """The box at the top, as somebody types."""
    from django.urls import reverse

    box = reverse("admin:crm_contact_find")
    return fetched(client, [f"{box}?{urlencode({'s': words})}" for words in typed], rounds)


def fetched(client: Any, urls: Sequence[str], rounds: int) -> Taken:
    """What each request costs: the best of its rounds, since the others tell of other work on the machine."""
    taken: Taken = {}
    for _ in range(rounds):
        for url in urls:
            answer, cost = effort.of(partial(client.get, url))
            if answer.status_code != 200:
                raise RuntimeError(f"{url}: {answer.status_code}")
            taken[url] = min(cost, taken.get(url, cost), key=lambda one: one.wall)
    return taken


def told(what: str, taken: Taken) -> float:
    """Prints the figures of these requests and the slowest of them; gives milliseconds at 95 percent."""
    walls, cpus = ([getattr(one, name) * 1000 for one in taken.values()] for name in ("wall", "cpu"))
    p50, p95 = (percentile(walls, percent) for percent in (50, 95))
    print(
        f"{what}: {len(taken)} requests, p50 {p50:.0f} ms, p95 {p95:.0f} ms, longest {max(walls):.0f} ms;"
        f" of processor p95 {percentile(cpus, 95):.0f} ms"
    )
    for url, cost in sorted(taken.items(), key=lambda one: -one[1].wall)[:5]:
        print(f"    {cost}  {url}")
    return p95


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=int(os.environ.get("CONTACTS", 1_000_000)))
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    n, rounds, dice = given.contacts, given.rounds, Random(7)
    with ground.servers() as services:
        crowded.ground_of(services, n)
        client = crowded.colleague()
        client.get("/admin/")  # What is looked up once a process is looked up now.
        typed = list(crowded.typed(PEOPLE, dice))
        anybody, busiest = pages(client, rounds, dice)
        worst = max(told("page of anybody", anybody), told("page of the busiest", busiest))
        results.note("contact_page_p95_ms", worst, better="lower", floor=300, moonshot=100, n=n, digits=0)
        p95 = told("lists", lists(client, rounds, typed[:60]))
        results.note("changelist_p95_ms", p95, better="lower", floor=800, moonshot=300, n=n, digits=0)
        p95 = told("finding", searches(client, rounds, typed))
        results.note("search_p95_ms", p95, better="lower", floor=300, moonshot=100, n=n, digits=0)
        in_sales(n, rounds, typed)


def in_sales(n: int, rounds: int, typed: list[str]) -> None:
    """The same lists for somebody in sales, who sees their own people and nobody's, or their own alone."""
    from crm.models import Sight

    reached = []
    for people in (Sight.People.UNOWNED, Sight.People.OWN):
        client = crowded.in_sales(people)
        client.get("/admin/")
        reached.append(told(f"lists, sales see {people.label}", lists(client, rounds, typed[:60])))
        reached.append(told(f"finding, sales see {people.label}", searches(client, rounds, typed)))
    results.note(
        "changelist_sales_p95_ms", max(reached), better="lower", floor=800, moonshot=300, n=n, digits=0
    )


if __name__ == "__main__":
    main()
