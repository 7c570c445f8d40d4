"""How much leaves through whom: so many rows a day, so many of one list, as the administrator says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse

from crm.kernel import clock
from crm.kernel.work import Budget
from crm.models import Export, ExportLimit, Product, Role
from crm.sheets.exporting import files, running
from crm.ticking import run_tick
from tests import office
from tests.crm.sheets.leaving import asked

pytestmark = pytest.mark.django_db
NOW = office.NOW
CHOOSE = ("admin:crm_export_of", ["crm.product"])


@pytest.fixture(autouse=True)
def now():
    with clock.frozen(NOW) as hand:
        yield hand


@pytest.fixture(autouse=True)
def shop(now):
    office.set_up_shop()
    Product.objects.bulk_create(
        Product(external_id=f"n-{one}", name=f"Thing {one}", brand="A" if one < 150 else "B", created_at=NOW)
        for one in range(210)
    )


def of(*keys: str) -> User:
    """A colleague of these groups."""
    made = office.user("-".join(keys))
    made.groups.set(Role.objects.get(key=key).group for key in keys)
    return made


def limit(key: str) -> ExportLimit:
    return ExportLimit.objects.get(group=Role.objects.get(key=key).group)


def refused(client, query: str = "") -> str:
    """What is said instead of making the file."""
    address = f"{reverse(CHOOSE[0], args=CHOOSE[1])}?{query}"
    answer = client.post(address, {"columns": ["name"], "format": "csv"})
    assert answer.status_code == 200
    return " ".join(answer.context["form"].non_field_errors())


def made(export: Export) -> Export:
    run_tick("crm.exports", clock.now())
    export.refresh_from_db()
    return export


def test_sales_takes_two_hundred_rows_a_day_of_all_lists_together(now):
    sales = office.logged_in(of("sales"))
    page = sales.get(reverse(CHOOSE[0], args=CHOOSE[1])).content.decode()
    assert "Sales may take away up to 200 rows of all lists in 24 hours, of which 0 are taken." in page
    told = refused(sales)
    assert "too long for you: Sales may take away up to 200 rows" in told
    assert "ask Marketers, Marketing leads or an administrator" in told
    assert made(asked(sales, "crm.product", "brand=A")).rows == 150
    # What is left of the day is less than the next list, whichever it is.
    assert "of which 150 are taken" in refused(sales, "brand=B")
    assert made(asked(sales, "crm.product", "brand=B&q=n-15")).status == Export.Status.DONE
    now.advance(timedelta(hours=24, seconds=1))
    assert made(asked(sales, "crm.product", "brand=B")).rows == 60


def test_two_lists_asked_for_at_once_are_no_way_around_it():
    sales = office.logged_in(of("sales"))
    for _twice in range(2):
        asked(sales, "crm.product", "brand=A")
    run_tick("crm.exports", NOW)
    states = sorted(Export.objects.values_list("status", flat=True))
    assert states == [Export.Status.DONE, Export.Status.FAILED]
    failed = Export.objects.get(status=Export.Status.FAILED)
    assert "of which 150 are taken" in failed.problem and not files.path_of(failed, "rows").exists()


def test_an_administrator_changes_the_limit_on_the_page_of_the_group_and_it_holds_for_the_next_batch(
    monkeypatch,
):
    monkeypatch.setattr(running, "BATCH", 100)
    marketer = office.logged_in(of("marketers"))
    assert limit("marketers").rows == 5000
    export = asked(marketer, "crm.product")
    for _begun_and_one_batch in range(2):
        running.work(export.pk, NOW, Budget(0))
    export.refresh_from_db()
    assert (export.status, export.done) == (Export.Status.RUNNING, 100)
    ada = office.logged_in(office.user("ada", is_superuser=True))
    group = Role.objects.get(key="marketers").group
    page = ada.get(reverse("admin:auth_group_change", args=[group.pk]))
    forms, others = (one.formset for one in page.context["inline_admin_formsets"])
    typed = {
        "name": group.name,
        "permissions": list(group.permissions.values_list("pk", flat=True)),
        f"{others.prefix}-TOTAL_FORMS": "0",
        f"{others.prefix}-INITIAL_FORMS": "0",
        f"{forms.prefix}-TOTAL_FORMS": "1",
        f"{forms.prefix}-INITIAL_FORMS": "1",
        f"{forms.prefix}-0-group": str(group.pk),
        f"{forms.prefix}-0-rows": "209",
        f"{forms.prefix}-0-rows_a_day": "",
    }
    assert ada.post(reverse("admin:auth_group_change", args=[group.pk]), typed).status_code == 302
    export = made(export)
    assert export.status == Export.Status.FAILED
    assert "Marketers may take away up to 209 rows of one list." in export.problem
    assert not files.path_of(export, "rows").exists()
    assert "ask Marketing leads or an administrator" in refused(marketer)
    limit("marketers").delete()
    assert made(asked(marketer, "crm.product")).rows == 210


@pytest.mark.parametrize(
    ("how", "may"),
    [
        (("sales",), False),
        (("sales", "marketers"), True),
        (("sales", "of their own"), True),
        (("sales", "directly"), True),
        (("sales", "that does not export"), False),
    ],
)
def test_the_widest_of_the_groups_that_let_somebody_export_counts(how, may):
    user, right = of("sales"), Permission.objects.get(codename="export_contacts")
    if how[-1] == "marketers":
        user.groups.add(Role.objects.get(key="marketers").group)
    elif how[-1] == "directly":
        user.user_permissions.add(right)
    elif len(how) == 2:
        own = Group.objects.create(name=how[-1])
        own.permissions.set([right] if how[-1] == "of their own" else [])
        user.groups.add(own)
    client = office.logged_in(user)
    if may:
        assert made(asked(client, "crm.product")).rows == 210
    else:
        assert "Sales may take away" in refused(client)


def test_a_limit_is_given_once_and_stays_as_it_was_changed():
    from config import roles

    changed, group = limit("sales"), Role.objects.get(key="marketers").group
    changed.rows_a_day = 50
    changed.save()
    limit("marketers").delete()
    roles.ensure()
    assert limit("sales").rows_a_day == 50
    assert not ExportLimit.objects.filter(group=group).exists()
