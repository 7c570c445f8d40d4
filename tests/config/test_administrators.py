"""The first administrator's password is generated, shown, kept as a hash only, and renewable."""

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import CommandError, call_command
from django.test import Client

from config import administrators

pytestmark = pytest.mark.django_db


def test_the_first_start_shows_a_password_that_works() -> None:
    password = administrators.first_password()
    assert Client().login(username=administrators.FIRST, password=password)
    person = get_user_model().objects.get()
    assert person.is_superuser and password not in person.password


def test_until_somebody_has_logged_in_every_start_shows_a_new_one() -> None:
    first = administrators.first_password()
    second = administrators.first_password()
    assert first != second
    assert authenticate(username=administrators.FIRST, password=first) is None
    assert Client().login(username=administrators.FIRST, password=second)
    assert administrators.first_password() == ""


def test_where_people_work_already_nobody_is_added() -> None:
    get_user_model().objects.create_superuser("dana", password="of her own")
    assert administrators.first_password() == ""
    assert not get_user_model().objects.filter(username=administrators.FIRST).exists()


def test_a_lost_password_is_renewed_by_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    administrators.first_password()
    call_command("admin_password")
    password = capsys.readouterr().out.split()[-1]
    assert Client().login(username=administrators.FIRST, password=password)
    with pytest.raises(CommandError, match="nobody called eve"):
        call_command("admin_password", "eve")
