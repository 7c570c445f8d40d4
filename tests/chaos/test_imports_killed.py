"""An import that is killed goes on where it was: nobody twice, nobody missing, whatever the moment."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from contextlib import nullcontext
from datetime import timedelta
from random import Random  # noqa: TID251 - seeded
from time import monotonic
from typing import Any

import pytest
from django.db import connection

from crm.kernel.work import Budget
from crm.models import Contact, ContactChange, ContactPoint, Import, ImportRow, OutsideId
from crm.sheets.importing import acts, running, staging
from tests.crm.sheets.bringing import drop, sheet
from tests.office import NOW, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]
DAY = timedelta(days=1)
type Fuse = tuple[int, float]
HEADER = ["email", "external_id", "first_name", "country", "tags"]


def rows(number: int) -> list[list[str]]:
    """Of ten rows one is refused, one is of another's person; of a hundred one is known in part, one all."""
    found = []
    for one in range(number):
        address = f"p{one - 3 if one % 10 == 7 else one}@shop-customers.example"
        if one % 10 == 9:
            address = "no address"
        outside, tags = (str(one), "vip" if one % 3 else "") if one % 100 != 50 else ("", "")
        found.append([address, outside, f"Name {one}", ("DE", "")[one % 2], tags])
    return found


def known(number: int) -> None:
    for one in range(0, number, 100):
        person(f"p{one}@shop-customers.example", agreed=False, now=NOW - DAY, first_name="", country="")
    for one in range(50, number, 100):
        told = {"first_name": f"Name {one}", "country": "DE"}
        person(f"p{one}@shop-customers.example", agreed=False, now=NOW - DAY, **told)


def at_work(fuse: Fuse | None) -> bool:
    """The job in a process of its own, killed so many statements and seconds after its begin. Returns whether
    it came to its end.
    """
    connection.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            with connection.execute_wrapper(Burning(*fuse)) if fuse else nullcontext():
                running.keep_up(NOW, Budget(600))
            os._exit(0)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), f"the job ended with {code}"
    return code == 0


class Burning:
    """Counts statements; at the last one a clock begins that kills the process, in it or after it."""

    def __init__(self, statements: int, seconds: float) -> None:
        self.left, self.seconds = statements, seconds

    def __call__(self, execute: Any, *statement: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            threading.Timer(self.seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return execute(*statement)


def through(run: Import, checked: list[Fuse], brought: list[Fuse]) -> list[int]:
    """Check and bring it in, killed again and again. Returns how often in each of the two."""
    kills = []
    for act, fuses in ((acts.check, checked), (acts.begin, brought)):
        act(run, NOW)
        kills.append(0)
        while not at_work(fuses[kills[-1]] if kills[-1] < len(fuses) else None):
            kills[-1] += 1
        run.refresh_from_db()
    assert run.status == Import.Status.DONE, run.problem
    return kills


def everything():
    contacts = Contact.objects.order_by("email").values_list(
        "email", "first_name", "country", "tags", "source"
    )
    points = ContactPoint.objects.order_by("address").values_list("address", "contact__email", "is_primary")
    history = ContactChange.objects.order_by("contact__email", "field").values_list(
        "contact__email", "field", "old", "new"
    )
    log = ImportRow.objects.order_by("number").values_list("number", "verdict", "reason")
    return [list(found) for found in (contacts, points, history, log)], OutsideId.objects.count()


def killed_and_clean(number: int, kills: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((running, "BATCH"), (staging, "CHUNK")):
        monkeypatch.setattr(module, name, max(number // 20, 20))
    data, random = sheet(HEADER, *rows(number)), Random(seed)
    known(number)
    run = drop(data)
    began = monotonic()
    through(run, [], [])
    took = monotonic() - began
    numbers = [run.made, run.updated, run.unchanged, run.refused]
    expected = everything()
    assert run.refused == number // 10 and run.made > number / 2
    # The log has every row by its number, and why it was refused or is another one's.
    log = expected[0][-1]
    assert [row for row, _, _ in log] == list(range(2, number + 2))
    assert all(reason for _, verdict, reason in log if verdict == "refused")
    assert {verdict for _, verdict, _ in log} == {"new", "changed", "unchanged", "refused"}

    for model in (Import, ImportRow, OutsideId, Contact):
        model.objects.all().delete()
    known(number)
    run = drop(data)
    # A check has far fewer statements than the coming in: its clocks begin sooner.
    lengths = [10] * (kills * 2 // 5), [60] * (kills - kills * 2 // 5)
    fuses = [[(random.randrange(3, most), random.uniform(0, 0.02)) for most in some] for some in lengths]
    happened = through(run, *fuses)
    assert happened == [len(some) for some in fuses]
    assert [run.made, run.updated, run.unchanged, run.refused] == numbers
    assert everything() == expected

    again = drop(data)
    through(again, [], [])
    assert (again.new, again.changed, again.made, again.updated) == (0, 0, 0, 0)
    checked, brought = happened
    print(
        f"{number:,} rows, killed {checked} times in the check and {brought} coming in, {took:.1f} s without"
    )


@pytest.mark.proof
def test_a_killed_import_ends_as_one_that_was_not(monkeypatch):
    killed_and_clean(400, 4, 20261, monkeypatch)


@pytest.mark.chaos
def test_twenty_thousand_rows_and_ten_kills(monkeypatch):
    killed_and_clean(20_000, 10, 20262, monkeypatch)
