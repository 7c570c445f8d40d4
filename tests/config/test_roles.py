"""Six groups to begin with: each opens the doors its work needs, and stays as an administrator changed it."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from config import kits, roles
from config.site import MENU
from crm.kernel.keeping import keeping
from crm.models import Role
from tests import office
from tests.office import world  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db

SALES_OPENS = {
    "admin:crm_lead_board": 200,
    "admin:crm_task_changelist": 200,
    "admin:crm_contact_changelist": 200,
    "admin:crm_handover_changelist": 200,
    "admin:crm_absence_add": 200,
    "admin:campaigns_delivery_changelist": 200,
    "admin:campaigns_campaign_changelist": 403,
    "admin:crm_segment_changelist": 403,
    "admin:crm_assignmentrule_add": 403,
    "admin:crm_desksettings_changelist": 403,
    "admin:auth_user_changelist": 403,
}
MARKETERS_OPEN = {
    "admin:campaigns_campaign_changelist": 200,
    "admin:campaigns_template_changelist": 200,
    "admin:crm_segment_add": 200,
    "admin:crm_leaddefinition_add": 200,
    "admin:crm_assignmentrule_add": 200,
    "admin:crm_handover_changelist": 200,
    "admin:crm_lead_board": 200,
    "admin:crm_serverkey_changelist": 403,
    "admin:campaigns_sender_add": 403,
    "admin:auth_group_changelist": 403,
}


def group(key: str) -> Group:
    return Role.objects.get(key=key).group


def test_every_permission_named_is_one_there_is_and_none_is_of_users_or_keys():
    there = {
        f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")
    }
    for kit in kits.KITS:
        named = set(kit.permissions())
        assert named - there == set()
        assert not {one for one in named if one.startswith("auth.") or "serverkey" in one}
    assert {kit.key for kit in kits.KITS if kit.everything} == {"administrators"}
    approving = {kit.key for kit in kits.KITS if "campaigns.approve_launch" in kit.permissions()}
    assert approving == {"marketing_leads"}


@pytest.mark.proof
@pytest.mark.parametrize("key", [kit.key for kit in kits.KITS])
def test_the_menu_shows_the_pages_a_colleague_may_open_and_no_others(world, key, rf):  # noqa: F811
    colleague = office.user("kim")
    colleague.groups.add(group(key))
    asked = rf.get("/admin/")
    asked.user = colleague
    shown = {item["link"] for part in admin.site.get_sidebar_list(asked) for item in part["items"]}
    client = office.logged_in(colleague)
    opens = {
        link
        for part in MENU
        for link in [str(item["link"]) for item in part["items"]]
        if client.get(link, follow=True).status_code == 200
    }
    assert shown == opens and len(shown) > 3


@pytest.mark.parametrize(("key", "opens"), [("sales", SALES_OPENS), ("marketers", MARKETERS_OPEN)])
def test_a_colleague_of_the_group_opens_the_pages_of_their_work_and_no_others(world, key, opens):  # noqa: F811
    colleague = office.user("kim")
    colleague.groups.add(group(key))
    client = office.logged_in(colleague)
    assert {url: client.get(reverse(url), follow=True).status_code for url in opens} == opens


def test_what_an_administrator_changes_stays_and_only_what_is_new_is_given(monkeypatch):
    sales = group("sales")
    gone = sales.permissions.get(codename="add_order")
    sales.permissions.remove(gone)
    sales.name = "Shop floor"
    sales.save()
    group("marketers").delete()
    more = kits.Kit("sales", "Sales", kits.SALES.may, ("crm.view_segment",))
    monkeypatch.setattr(roles, "KITS", (more, kits.MARKETERS))
    for _twice in range(2):
        roles.ensure()
    sales.refresh_from_db()
    assert sales.name == "Shop floor" and gone not in sales.permissions.all()
    assert sales.permissions.filter(codename="view_segment").exists()
    assert not Group.objects.filter(name="Marketers").exists()


def test_a_group_of_the_same_name_that_was_there_before_is_left_alone():
    Role.objects.all().delete()
    Group.objects.all().delete()
    own = Group.objects.create(name="Sales")
    roles.ensure()
    assert own.permissions.count() == 0 and group("sales").name == "Sales (Rekindle)"


def test_an_administrator_who_is_no_superuser_makes_nobody_one_and_touches_none(db):
    ada, sten = office.user("ada", is_superuser=True), office.user("sten")
    alex = office.user("alex")
    alex.groups.add(group("administrators"))
    client = office.logged_in(alex)
    told = {
        "username": "sten",
        "first_name": "Sten",
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
        "date_joined_0": "2026-11-01",
        "date_joined_1": "10:00:00",
    }
    assert client.post(reverse("admin:auth_user_change", args=[sten.pk]), told).status_code == 302
    sten.refresh_from_db()
    assert sten.first_name == "Sten" and not sten.is_superuser
    for name, posted in (
        ("auth_user_change", told | {"username": "ada", "is_active": ""}),
        ("auth_user_password_change", {"password1": "sesame-sesame", "password2": "sesame-sesame"}),
        ("auth_user_delete", {"post": "yes"}),
    ):
        assert client.post(reverse(f"admin:{name}", args=[ada.pk]), posted).status_code == 403, name
    chosen = {"action": "delete_selected", "_selected_action": [str(ada.pk), str(sten.pk)], "post": "yes"}
    assert client.post(reverse("admin:auth_user_changelist"), chosen).status_code == 403
    ada.refresh_from_db()
    assert ada.is_active and ada.check_password("secret")


def test_viewers_see_nothing_that_names_a_person():
    assert {one.model._meta.label_lower for one in keeping}.isdisjoint(kits.VIEWERS.may)
    assert set(kits.VIEWERS.may.values()) == {"v"} and not kits.VIEWERS.besides
