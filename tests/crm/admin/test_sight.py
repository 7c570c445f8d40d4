"""Addresses in lists: masked for whom the group says so, and not to be found out by sorting or by parts."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign
from crm.access import administering, seeing
from crm.audience import lists
from crm.kernel import clock, masking
from crm.models import Contact, Export, Lead, LeadDefinition, Notice, Role, Segment, Sight, Task
from crm.sheets.exporting import files
from crm.ticking import run_tick
from tests import office
from tests.office import world  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
NAMELESS = "zoe.quist@quiet-mail.example"
HIDDEN, ANAS = "z•••@q•••.example", "a•••@s•••.example"


@pytest.fixture(autouse=True)
def now():
    with clock.frozen(office.NOW) as hand:
        yield hand


@pytest.fixture
def zoe(world: Any) -> Contact:  # noqa: F811
    """Somebody who is called by her address, on every list there is."""
    made = office.person(NAMELESS, first_name="", last_name="", phone="+49301234567")
    office.lead(made, LeadDefinition.objects.get())
    Task.objects.create(contact=made, title="Write to her", created_at=office.NOW)
    office.order(made, world.product, number=7)
    cart = office.cart(made, world.product)
    office.delivery(world.campaign, made, cart, number=7)
    return made


def of(*keys: str) -> User:
    made = office.user("-".join(keys) or "nobody")
    made.groups.set(Role.objects.get(key=key).group for key in keys)
    return made


def told(client: Client, name: str, *args: Any, query: str = "") -> str:
    answer = client.get(f"{reverse(f'admin:{name}', args=args)}{query}")
    assert answer.status_code == 200, (name, answer.status_code)
    return answer.content.decode()


LISTS = (
    "crm_contact_changelist",
    "crm_lead_changelist",
    "crm_lead_board",
    "crm_task_changelist",
    "crm_order_changelist",
    "tracking_cart_changelist",
    "campaigns_delivery_changelist",
)


def test_lists_show_marketers_no_address_whole(zoe):
    marketer, sales = office.logged_in(of("marketers")), office.logged_in(of("sales"))
    for name in LISTS:
        page = told(marketer, name)
        assert HIDDEN in page and "quiet-mail" not in page and office.MAIL not in page, name
        assert NAMELESS in told(sales, name), name
    page = told(marketer, "crm_contact_changelist")
    assert ANAS in page and "zoe" not in page


def test_the_page_of_a_person_shows_marketers_their_addresses(zoe):
    page = told(office.logged_in(of("marketers")), "crm_contact_change", zoe.pk)
    assert page.count(NAMELESS) > 2 and "+49301234567" in page and HIDDEN not in page


def test_masked_everywhere_is_everywhere_and_has_no_timeline(zoe):
    viewer = of("viewers")
    group = viewer.groups.get()
    group.permissions.add(Permission.objects.get(codename="view_contact"))
    client = office.logged_in(viewer)
    assert HIDDEN in told(client, "crm_contact_changelist")
    page = told(client, "crm_contact_change", zoe.pk)
    assert HIDDEN in page and "+49•••••67" in page
    assert "quiet-mail" not in page and "1234567" not in page and "rk-timeline" not in page
    # Whoever may change people does not learn the address from the form either.
    group.permissions.add(Permission.objects.get(codename="change_contact"))
    page = told(office.logged_in(viewer), "crm_contact_change", zoe.pk)
    assert 'name="first_name"' in page and "quiet-mail" not in page and "1234567" not in page


def found(client: Client, words: str) -> str:
    return client.get(reverse("admin:crm_contact_find"), {"s": words}).content.decode()


def test_the_whole_address_finds_a_person_and_no_part_of_it_does(zoe):
    marketer, sales = office.logged_in(of("marketers")), office.logged_in(of("sales"))
    link = str(zoe.pk)
    for words in ("zoe", "quist", "quiet-mail", "zoe.quist@", "1234567", "+4930123"):
        assert link in found(sales, words), words
        assert link not in found(marketer, words), words
        assert link not in told(marketer, "crm_contact_changelist", query=f"?q={words}"), words
        people = marketer.get(reverse("admin:campaigns_template_people"), {"q": words}).json()["people"]
        assert people == [], words
    hit = found(marketer, NAMELESS)
    assert link in hit and HIDDEN in hit and "quist" not in hit.replace(f'value="{NAMELESS}"', "")
    assert link in told(marketer, "crm_contact_changelist", query=f"?q={NAMELESS}")
    assert link in found(marketer, "+49301234567")
    assert str(Contact.objects.get(last_name="Oliveira").pk) in found(marketer, "ana oliv")


def test_nobody_sorts_by_what_is_masked(zoe):
    marketer, sales = office.logged_in(of("marketers")), office.logged_in(of("sales"))
    address = reverse("admin:crm_contact_changelist")

    def order(client: Client, column: str, way: str = "") -> list[Any]:
        place = client.get(address).context["cl"].list_display.index(column)
        return [row.pk for row in client.get(f"{address}?o={way}{place}").context["cl"].result_list]

    assert order(sales, "address") == order(sales, "address", "-")[::-1]
    assert order(marketer, "masked_email") == order(marketer, "masked_email", "-")
    assert "address" not in marketer.get(address).context["cl"].list_display
    assert marketer.get(f"{address}?email__startswith=z").status_code in (302, 400)


def test_what_shows_some_of_many_masks_them_too(zoe):
    marketer = office.logged_in(of("marketers"))
    fixed = Segment.objects.create(name="Fair", kind=Segment.Kind.FIXED, created_at=office.NOW)
    lists.add(fixed, [zoe.pk], office.NOW)
    page = told(marketer, "crm_segment_change", fixed.pk)
    assert HIDDEN in page and "quiet-mail" not in page
    ana = Contact.objects.get(last_name="Oliveira")
    merge = told(marketer, "crm_contact_merge", ana.pk, query=f"?find={NAMELESS}")
    assert HIDDEN in merge and f">{NAMELESS}" not in merge
    asked = {"app_label": "crm", "model_name": "task", "field_name": "contact", "term": NAMELESS}
    answer = marketer.get(reverse("admin:autocomplete"), asked).json()
    assert [one["text"] for one in answer["results"]] == [HIDDEN]


def test_a_message_is_tried_as_somebody_without_their_address(zoe):
    marketer, template = office.logged_in(of("marketers")), reverse("admin:campaigns_template_people")
    [ana] = marketer.get(template, {"q": "ana"}).json()["people"]
    assert ana["email"] == str(Contact.objects.get(last_name="Oliveira").pk)
    following = marketer.get(template, {"after": ana["email"]}).json()["people"]
    assert following == [{"name": HIDDEN, "email": str(zoe.pk)}]
    campaign = reverse("admin:campaigns_campaign_try", args=[Campaign.objects.get().pk])
    # Of two who came in the same instant either is suggested.
    assert marketer.get(campaign).context["as"] in (ana["email"], str(zoe.pk))
    page = marketer.get(campaign, {"as": str(zoe.pk)})
    assert page.context["contact"] == zoe and "quiet-mail" not in page.content.decode()


def test_what_a_colleague_is_told_has_the_address_whole(zoe):
    marketer, lead = office.logged_in(of("marketers")), Lead.objects.get(contact=zoe)
    sales = of("sales")
    marketer.post(reverse("admin:crm_lead_assign", args=[lead.pk]), {"owner": sales.pk})
    lead.refresh_from_db()
    assert lead.owner == sales
    assert Notice.objects.get(user=sales).subject == f"{NAMELESS} is your lead now"


def test_a_file_of_a_list_has_addresses_whole(zoe):
    marketer = office.logged_in(of("marketers"))
    choose = reverse("admin:crm_export_of", args=["crm.contact"])
    said = {"columns": ["email", "person"], "format": "csv"}
    assert marketer.post(choose, said).status_code == 302
    run_tick("crm.exports", clock.now())
    file = files.path_of(Export.objects.get()).read_text()
    assert NAMELESS in file and office.MAIL in file and "•" not in file


@pytest.mark.parametrize(
    ("keys", "permissions", "sees"),
    [
        (["viewers"], [], "never"),
        (["marketers"], [], "lists"),
        (["viewers", "marketers"], [], "lists"),
        (["marketers", "sales"], [], "whole"),
        (["marketers"], ["crm.view_contact"], "whole"),
        (["sales"], [], "whole"),
        ([], ["crm.view_order"], "whole"),
    ],
)
def test_of_several_groups_the_widest_counts(keys, permissions, sees, django_assert_max_num_queries):
    colleague = office.user("kim", *permissions)
    colleague.groups.set(Role.objects.get(key=key).group for key in keys)
    with django_assert_max_num_queries(3):
        assert [seeing.addresses(colleague) for _ in range(3)] == [sees] * 3


def test_an_administrator_says_it_on_the_page_of_the_group(zoe):
    ada, sales = office.logged_in(of("administrators")), Role.objects.get(key="sales").group
    address = reverse("admin:auth_group_change", args=[sales.pk])
    page = ada.get(address)
    assert "masked in lists" in page.content.decode()
    assert administering.OWN_GROUP not in page.content.decode()
    limits, sights = (one.formset for one in page.context["inline_admin_formsets"])
    said = {"name": sales.name, "permissions": list(sales.permissions.values_list("pk", flat=True))}
    for forms, number in ((limits, 0), (sights, 1)):
        said |= {f"{forms.prefix}-TOTAL_FORMS": number, f"{forms.prefix}-INITIAL_FORMS": number}
    said |= {
        f"{sights.prefix}-0-group": sales.pk,
        f"{sights.prefix}-0-people": "everybody",
        f"{sights.prefix}-0-addresses": "lists",
    }
    assert ada.post(address, said).status_code == 302
    assert Sight.objects.get(group=sales).addresses == "lists"
    assert NAMELESS not in told(office.logged_in(of("sales")), "crm_contact_changelist")


@pytest.mark.parametrize(
    ("address", "hidden"),
    [
        (NAMELESS, HIDDEN),
        ("ana@mail.shop.example", "a•••@m•••.example"),
        ("x@localhost", "x•••@l•••"),
        ("+49301234567", "+49•••••67"),
        ("12345", "•••"),
        ("", ""),
    ],
)
def test_a_mask_leaves_the_first_letters_and_where_it_ends(address, hidden):
    with masking.reading(lambda: True):
        assert masking.told(address) == hidden
    with masking.reading(lambda: False):
        assert masking.told(address) == address
    assert masking.told(address) == address
