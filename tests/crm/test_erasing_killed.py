"""An erasure that was committed is on the list beside the database, whatever was killed when."""

import json
import os
import signal
import warnings
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from crm.kernel import clock
from crm.models import Contact, Erasure, Export
from crm.people import erased, erasing, identity
from crm.sheets.exporting import files
from crm.ticking import run_tick
from tests.office import MAIL, NOW, person, set_up_shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def place(settings, tmp_path):
    settings.REKINDLE_ERASED = tmp_path / "erased.jsonl"
    settings.REKINDLE_EXPORTS = tmp_path / "exports"
    set_up_shop()


def killed(work, *names):
    """Do it in a process of its own, which is killed as soon as it calls one of these."""
    connection.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            for module, name in names:
                setattr(module, name, lambda *_args, **_more: os.kill(os.getpid(), signal.SIGKILL))
            work()
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def on_the_list():
    return [json.loads(line)[1] for line in erased.path().read_text().splitlines()]


def comes_back():
    """As a backup from before brings them back."""
    known = identity.Known(email=MAIL, first_name="Ana")
    return identity.resolve([known], NOW - timedelta(days=30), source="shop")[0]


def erased_again(pk):
    with clock.frozen(NOW):
        call_command("erased")
    return Contact.objects.get(pk=pk).erased_at is not None


def test_killed_between_the_commit_and_the_list():
    pk = person().pk
    export = Export.objects.create(
        table="crm.contact",
        title="contacts",
        status="done",
        made_by_name="x",
        expires_at=NOW.replace(year=2027),
    )
    with files.create(files.path_of(export)) as file:
        file.write(b"Ana")
    killed(lambda: erasing.erase(pk, NOW, by="paula"), (erased, "keep_up"))
    assert Contact.objects.get(pk=pk).erased_at == NOW
    assert not erased.path().exists() and files.path_of(export).exists()
    for _twice in range(2):
        run_tick("crm.erased", NOW)
        run_tick("crm.tidy", NOW)
    assert on_the_list() == ["email"] and Erasure.objects.get().noted_at == NOW
    assert not files.path_of(export).exists()
    assert erased_again(comes_back())


def test_killed_before_the_commit_nobody_is_erased_and_nobody_on_the_list():
    pk = person().pk
    killed(lambda: erasing.erase(pk, NOW, by="paula"), (erasing, "_blank"))
    run_tick("crm.erased", NOW)
    assert Contact.objects.get(pk=pk).erased_at is None and not erased.path().exists()


def test_killed_in_the_middle_of_the_list():
    pk = person().pk
    killed(lambda: erasing.erase(pk, NOW, by="paula"), (erased.os, "fsync"))
    # Half a line of it reached the disk.
    whole = erased.path().read_bytes()
    erased.path().write_bytes(whole[:20])
    run_tick("crm.erased", NOW)
    assert erased.path().read_bytes() == whole[:20] + b"\n" + whole
    assert erased_again(comes_back())


def test_a_list_that_cannot_be_written_stops_no_erasure_and_is_written_later(tmp_path):
    pk = person().pk
    (tmp_path / "erased.jsonl").mkdir()
    erasing.erase(pk, NOW, by="paula")
    assert Contact.objects.get(pk=pk).erased_at == NOW
    with pytest.raises(OSError):
        run_tick("crm.erased", NOW)
    (tmp_path / "erased.jsonl").rmdir()
    run_tick("crm.erased", NOW)
    assert on_the_list() == ["email"]


def test_an_export_under_way_begins_anew():
    pk = person().pk
    export = Export.objects.create(
        table="crm.contact", title="contacts", status="running", made_by_name="x", done=1, total=2
    )
    erasing.erase(pk, NOW, by="paula")
    export.refresh_from_db()
    assert export.status == Export.Status.WAITING
