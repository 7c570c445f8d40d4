"""L2: what cannot be taken back needs a password typed in the last ten minutes; guessing at it is limited."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.urls import reverse

from crm.access import fresh, passwords
from crm.kernel import clock
from crm.models import Contact, DataRequest, Export, PasswordTries, Product, ServerKey
from crm.sheets.exporting.limits import PASSWORD_ABOVE
from crm.ticking import run_tick
from tests import office
from tests.crm.sheets.leaving import asked

NOW = office.NOW
HELD = "Type your own password"


@pytest.fixture(autouse=True)
def now(settings, tmp_path):
    settings.REKINDLE_ERASED = tmp_path / "erased.jsonl"
    with clock.frozen(NOW) as hand:
        yield hand


@pytest.fixture
def ada(now, db):
    """As everywhere, but logged in at this hour."""
    return office.logged_in(office.user("ada", is_superuser=True))


def stale(client: Client) -> Client:
    session = client.session
    del session["password_at"]
    session.save()
    return client


def url(name: str, *args: object) -> str:
    return reverse(f"admin:{name}", args=args)


def everything() -> tuple[object, ...]:
    return (
        list(User.objects.order_by("pk").values_list("username", "password", "is_superuser")),
        list(Group.objects.order_by("pk").values_list("name")),
        ServerKey.objects.filter(revoked_at=None).count(),
        DataRequest.objects.count(),
        Export.objects.count(),
        Contact.objects.filter(erased_at=None).count(),
    )


def test_no_door_of_these_opens_without_a_fresh_password(world, ada):
    stale(ada)
    sten, group, key = office.user("sten"), Group.objects.first(), ServerKey.objects.first()
    before = everything()
    chosen = {"_selected_action": [str(key.pk)], "action": "revoke"}
    for path, told in (
        (url("auth_user_add"), {"username": "eve", "password1": "longer-than-most", "_save": "1"}),
        (url("auth_user_change", sten.pk), {"username": "sten", "is_superuser": "on", "_save": "1"}),
        (url("auth_user_delete", sten.pk), {"post": "yes"}),
        (url("auth_user_password_change", sten.pk), {"password1": "x", "password2": "x"}),
        (url("auth_user_changelist"), {"action": "delete_selected", "_selected_action": [str(sten.pk)]}),
        (url("auth_group_add"), {"name": "Eves", "_save": "1"}),
        (url("auth_group_change", group.pk), {"name": "Eves", "_save": "1"}),
        (url("auth_group_delete", group.pk), {"post": "yes"}),
        (url("crm_serverkey_add"), {"name": "Mine", "_save": "1"}),
        (url("crm_serverkey_changelist"), chosen),
        (url("crm_serverkey_signing_key"), {}),
        (url("crm_serverkey_webhook_key"), {}),
        (url("crm_contact_data", world.contact.pk), {"reference": "Letter"}),
        # Erasing asks for the password on its own page, each time.
        (url("crm_contact_erase", world.contact.pk), {"name": str(world.contact), "password": "guess"}),
    ):
        page = ada.post(path, told).content.decode()
        assert HELD in page or "This is not your password" in page, path
        assert "signing key of the shop" not in page and "key that webhooks" not in page
    assert everything() == before
    # Looking needs none.
    assert HELD not in ada.get(url("auth_user_change", sten.pk)).content.decode()


def test_what_was_being_sent_is_sent_on_and_no_other_password_stands_in_the_page(world, ada):
    stale(ada)
    sten = office.user("sten")
    told = {"username": "sten", "first_name": "Sten <b>", "is_active": "on", "password1": "sesame-sesame"}
    told |= {"last_login_0": "", "date_joined_0": "2026-11-01", "date_joined_1": "10:00:00", "_save": "Save"}
    page = ada.post(url("auth_user_change", sten.pk), told)
    text = page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert "Sten &lt;b&gt;" in text and "sesame" not in text
    along = dict(page.context["along"]) | {fresh.FIELD: "secret", fresh.ASKED: page.context["asked"]}
    wrong = ada.post(url("auth_user_change", sten.pk), along | {fresh.FIELD: "guess"})
    assert wrong.status_code == 400 and "4 more tries" in wrong.content.decode()
    assert dict(wrong.context["along"]).items() >= {"first_name": "Sten <b>"}.items()
    answer = ada.post(url("auth_user_change", sten.pk), along)
    assert answer.status_code == 302
    sten.refresh_from_db()
    assert sten.first_name == "Sten <b>"


def test_a_page_that_was_opened_is_opened_and_not_sent(world, ada, now):
    stale(ada)
    page = ada.get(url("auth_group_add"))
    assert HELD in page.content.decode() and page.context["asked"] == "GET"
    typed = {fresh.FIELD: "secret", fresh.ASKED: "GET"}
    answer = ada.post(url("auth_group_add"), typed)
    assert (answer.status_code, answer["Location"]) == (302, url("auth_group_add"))
    assert HELD not in ada.get(url("auth_group_add")).content.decode()
    # It holds for ten minutes, for every door; pressed twice it still sends nothing.
    assert ada.post(url("auth_user_add"), typed)["Location"] == url("auth_user_add")
    now.advance(fresh.HOLDS)
    assert HELD not in ada.get(url("auth_user_add")).content.decode()
    now.advance(timedelta(seconds=1))
    assert HELD in ada.get(url("auth_user_add")).content.decode()


def test_logging_in_counts_and_a_password_is_fresh_for_one_browser_alone(db, now):
    office.user("ada", is_superuser=True)
    here, there = Client(), Client()
    for client in (here, there):
        client.post(reverse("admin:login"), {"username": "ada", "password": "secret"})
    assert HELD not in here.get(url("auth_user_add")).content.decode()
    now.advance(timedelta(minutes=11))
    here.post(url("auth_user_add"), {fresh.FIELD: "secret", fresh.ASKED: "GET"})
    assert HELD not in here.get(url("auth_user_add")).content.decode()
    assert HELD in there.get(url("auth_user_add")).content.decode()


def test_wrong_passwords_are_counted_together_wherever_they_are_typed(world, ada, now):
    stale(ada)
    erase = url("crm_contact_erase", world.contact.pk)
    guess = {"name": str(world.contact), "password": "guess"}
    assert [ada.post(erase, guess).status_code for _ in range(2)] == [400, 400]
    confirm = {fresh.FIELD: "guess", fresh.ASKED: "GET"}
    assert [ada.post(url("auth_user_add"), confirm).status_code for _ in range(2)] == [400, 400]
    own = {"old_password": "guess", "new_password1": "sesame-sesame", "new_password2": "sesame-sesame"}
    assert "No more tries" in ada.post(url("password_change"), own).content.decode()
    # From now on the right one is no better, in any browser of theirs, until the quarter of an hour is over.
    other = stale(office.logged_in(User.objects.get(username="ada")))
    for client in (ada, other):
        page = client.post(erase, guess | {"password": "secret"})
        assert page.status_code == 429 and "Try again after 13:15" in page.content.decode()
        assert client.post(url("auth_user_add"), confirm | {fresh.FIELD: "secret"}).status_code == 429
    assert "Too many" in ada.post(url("password_change"), own | {"old_password": "secret"}).content.decode()
    # Nobody else is held up, and looking at people goes on.
    eve = office.user("eve")
    passwords.check(eve, "secret", NOW)
    assert ada.get(url("crm_contact_change", world.contact.pk)).status_code == 200
    now.advance(passwords.STRETCH)
    assert ada.post(erase, guess | {"password": "secret"}).status_code == 302
    assert Contact.objects.get(pk=world.contact.pk).erased_at and not PasswordTries.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_guesses_at_once_are_as_many_guesses():
    ada = office.user("ada")

    def guess(number: int) -> type[Exception]:
        try:
            passwords.check(ada, f"guess {number}", NOW)
        except passwords.Wrong as wrong:
            return type(wrong)
        finally:
            connection.close()
        raise AssertionError

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(guess, range(24)))
    assert said.count(passwords.Wrong) == passwords.MOST
    assert said.count(passwords.TooOften) == 24 - passwords.MOST


def products(number: int) -> None:
    Product.objects.bulk_create(
        Product(external_id=f"n-{one}", name=f"Thing {one}", price=Decimal(1), created_at=NOW, updated_at=NOW)
        for one in range(number)
    )


def test_more_than_a_thousand_rows_leave_after_a_password_alone(db, ada, now):
    office.set_up_shop()
    stale(ada)
    products(PASSWORD_ABOVE)
    small = asked(ada, "crm.product")
    run_tick("crm.exports", NOW)
    small.refresh_from_db()
    assert (small.status, small.rows) == (Export.Status.DONE, PASSWORD_ABOVE)

    # One more, and it is asked for; what grew over it meanwhile does not leave either.
    grown = asked(ada, "crm.product")
    Product.objects.create(external_id="one-more", name="More", created_at=NOW, updated_at=NOW)
    run_tick("crm.exports", NOW)
    grown.refresh_from_db()
    assert grown.status == Export.Status.FAILED and "your password" in grown.problem
    choose = url("crm_export_of", "crm.product")
    told = {"columns": ["name"], "format": "csv"}
    page = ada.post(choose, told)
    assert HELD in page.content.decode() and Export.objects.count() == 2
    along = dict(page.context["along"]) | {fresh.FIELD: "secret", fresh.ASKED: "POST"}
    assert ada.post(choose, along).status_code == 302
    run_tick("crm.exports", NOW)
    large = Export.objects.latest("pk")
    assert (large.rows, large.columns) == (PASSWORD_ABOVE + 1, ["name"])

    # Its file is fetched with one, too; first confirmed, then fetched.
    stale(ada)
    file, its_page = url("crm_export_file", large.pk), url("crm_export_change", large.pk)
    assert HELD in ada.post(file).content.decode()
    assert ada.post(file, {fresh.FIELD: "secret", fresh.ASKED: "POST"})["Location"] == its_page
    assert ada.post(file).streaming
