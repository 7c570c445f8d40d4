"""Somebody is always left who says who may do what, and nobody says it of themselves."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from crm.access import administering
from crm.kernel import clock
from crm.models import ExportLimit, Role
from tests import office

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now():
    with clock.frozen(office.NOW) as hand:
        yield hand


def of(key: str) -> Group:
    return Role.objects.get(key=key).group


@pytest.fixture
def kim() -> User:
    """The only administrator, and no superuser."""
    made = office.user("kim")
    made.groups.add(of("administrators"))
    return made


def saved(client: Client, user: User, **changes: Any) -> Any:
    """What the page of a colleague answers when it is saved with these changes."""
    said: dict[str, Any] = {
        "username": user.username,
        "is_active": "on" if user.is_active else "",
        "is_staff": "on" if user.is_staff else "",
        "is_superuser": "on" if user.is_superuser else "",
        "groups": [str(pk) for pk in user.groups.values_list("pk", flat=True)],
        "user_permissions": [],
        "date_joined_0": "2026-01-01",
        "date_joined_1": "10:00:00",
    }
    said |= changes
    sent = {name: value for name, value in said.items() if value != ""}
    return client.post(reverse("admin:auth_user_change", args=[user.pk]), sent)


def saved_group(client: Client, group: Group, permissions: list[Any], **changes: Any) -> Any:
    said: dict[str, Any] = {"name": group.name, "permissions": [str(one) for one in permissions]}
    said |= {"exportlimit-TOTAL_FORMS": "0", "exportlimit-INITIAL_FORMS": "0"}
    return client.post(reverse("admin:auth_group_change", args=[group.pk]), said | changes)


def errors(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    form = answer.context["adminform"].form
    return " ".join(one for said in form.errors.values() for one in said)


@pytest.mark.parametrize("change", [{"is_active": ""}, {"is_staff": ""}, {"groups": []}])
def test_the_last_administrator_is_not_stripped(kim, change):
    told = errors(saved(office.logged_in(kim), kim, **change))
    assert administering.LAST in told and "Make somebody else an administrator first" in told
    kim.refresh_from_db()
    assert kim.is_active and kim.is_staff and kim.groups.count() == 1


@pytest.mark.parametrize("change", [{"is_active": ""}, {"is_staff": ""}, {"groups": []}])
def test_one_of_two_administrators_is(kim, change):
    other = office.user("jo")
    other.groups.add(of("administrators"))
    assert saved(office.logged_in(kim), other, **change).status_code == 302
    # Now kim is the last, whoever asks.
    ada = office.user("ada", is_superuser=True)
    client = office.logged_in(ada)
    User.objects.filter(pk=ada.pk).update(is_active=True)
    assert saved(client, kim, **change).status_code == 302  # A superuser is left.


def test_a_superuser_who_is_the_last_is_kept_too():
    ada = office.user("ada", is_superuser=True)
    client = office.logged_in(ada)
    for change in ({"is_superuser": ""}, {"is_active": ""}):
        assert administering.LAST in errors(saved(client, ada, **change))
    # Who cannot log in does not count: no password, no way into the admin, not active.
    for name, more in (("a", {"is_active": False}), ("b", {"is_staff": False}), ("c", {"password": "!x"})):
        made = office.user(name, is_superuser=True)
        User.objects.filter(pk=made.pk).update(**more)
    assert administering.LAST in errors(saved(client, ada, is_active=""))


def test_the_last_administrator_is_not_deleted(kim):
    client, keys = office.logged_in(kim), [str(kim.pk)]
    page = client.post(reverse("admin:auth_user_delete", args=[kim.pk]), {"post": "yes"})
    assert administering.LAST in page.content.decode()
    chosen = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    page = client.post(reverse("admin:auth_user_changelist"), chosen)
    assert administering.LAST in page.content.decode()
    assert User.objects.filter(pk=kim.pk).exists()
    other = office.user("jo")
    assert client.post(reverse("admin:auth_user_delete", args=[other.pk]), {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=other.pk).exists()


def test_the_last_administrators_password_is_not_taken_away(kim):
    client = office.logged_in(kim)
    said = {"usable_password": "false", "unset-password": "1"}
    page = client.post(reverse("admin:auth_user_password_change", args=[kim.pk]), said)
    assert administering.LAST in page.content.decode()
    kim.refresh_from_db()
    assert kim.has_usable_password()


def test_the_group_of_the_last_administrator_stays_one(kim):
    client, group = office.logged_in(kim), of("administrators")
    kept = list(group.permissions.exclude(codename="change_user").values_list("pk", flat=True))
    assert administering.LAST in errors(saved_group(client, group, kept))
    page = client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    assert administering.LAST in page.content.decode()
    chosen = {"action": "delete_selected", "_selected_action": [str(group.pk)], "post": "yes"}
    page = client.post(reverse("admin:auth_group_changelist"), chosen)
    assert administering.LAST in page.content.decode()
    assert Group.objects.filter(pk=group.pk, permissions__codename="change_user").exists()
    assert (
        client.post(reverse("admin:auth_group_delete", args=[of("viewers").pk]), {"post": "yes"}).status_code
        == 302
    )


def test_nobody_gives_themselves_more(kim):
    office.user("ada", is_superuser=True)
    lena = office.user("lena", "auth.view_user", "auth.change_user", "auth.view_group", "auth.change_group")
    lena.groups.add(of("sales"))
    client = office.logged_in(lena)
    keeps = [str(pk) for pk in lena.user_permissions.values_list("pk", flat=True)]
    sales, admins = of("sales"), of("administrators")
    asked = {"groups": [str(sales.pk), str(admins.pk)], "user_permissions": keeps}
    told = errors(saved(client, lena, **asked))
    assert administering.OWN in told and "another administrator" in told
    more = Permission.objects.get(codename="handle_requests")
    asked = {"groups": [str(sales.pk)], "user_permissions": [*keeps, str(more.pk)]}
    assert administering.OWN in errors(saved(client, lena, **asked))
    # Nor by the group they are in, or what it may take away.
    has = list(sales.permissions.values_list("pk", flat=True))
    assert administering.OWN in errors(saved_group(client, sales, [*has, more.pk]))
    page = client.get(reverse("admin:auth_group_change", args=[sales.pk])).content.decode()
    assert administering.OWN_GROUP in page and 'name="_exportlimit-0-rows_a_day"' not in page
    limit = ExportLimit.objects.get(group=sales).rows_a_day
    assert limit == 200
    # Less is no harm, and of others they say it.
    assert saved(client, lena, groups=[], user_permissions=keeps).status_code == 302
    other = office.user("jo")
    assert saved(client, other, groups=[str(sales.pk)]).status_code == 302


def test_a_superuser_may_change_their_own():
    ada = office.user("ada", is_superuser=True)
    client, group = office.logged_in(ada), of("sales")
    assert saved(client, ada, groups=[str(group.pk)]).status_code == 302
    page = client.get(reverse("admin:auth_group_change", args=[group.pk])).content.decode()
    assert administering.OWN_GROUP not in page and "rows_a_day" in page
