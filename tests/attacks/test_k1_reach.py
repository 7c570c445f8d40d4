"""K1: what a colleague asks of a person out of their reach: nothing of them is there, on no page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import reverse

from campaigns.models import Delivery
from crm.audience import lists
from crm.kernel import clock, people_rows
from crm.kernel.panels import panels
from crm.kernel.person_acts import person_acts
from crm.models import (
    Absence,
    Contact,
    HandOver,
    Lead,
    LeadDefinition,
    MergeProposal,
    Role,
    Segment,
    SegmentMembership,
    Sight,
    StageMove,
    Task,
)
from tests import office
from tests.crm.sheets.leaving import taken
from tracking.models import Event

pytestmark = pytest.mark.django_db
NOW = office.NOW
BO = "bo.hidden@shop-customers.example"
NAME = "Hiddenlund"
ROLES = ("viewers", "sales", "marketers", "marketing_leads", "privacy_officers", "administrators")


@pytest.fixture(autouse=True)
def now() -> Iterator[Any]:
    with clock.frozen(NOW) as hand:
        yield hand


@pytest.fixture
def bo(world: office.World) -> Contact:
    """Anna's: somebody with a row in every table that has a page."""
    anna = User.objects.get(username="anna")
    made = office.person(BO, first_name="Bo", last_name=NAME)
    Contact.objects.filter(pk=made.pk).update(owner=anna)
    of = LeadDefinition.objects.get()
    lead = office.lead(made, of, owner=anna)
    cart = office.cart(made, world.product)
    office.order(made, world.product, number=9)
    office.delivery(world.campaign, made, cart, number=9)
    Task.objects.create(contact=made, title=f"Call {NAME}", owner=anna, created_at=NOW)
    move = StageMove.objects.create(
        contact=made, definition=of, to_stage=lead.stage, occurred_at=NOW, recorded_at=NOW
    )
    HandOver.objects.create(contact=made, definition=of, move=move, owner=anna, occurred_at=NOW)
    Event.objects.create(contact=made, kind="page", occurred_at=NOW, recorded_at=NOW, actor="human")
    one, two = sorted([made, world.contact], key=lambda person: person.pk)
    MergeProposal.objects.create(one=one, other=two, why=["crm.name"])
    lists.add(Segment.objects.create(name="Fair", kind=Segment.Kind.FIXED, created_at=NOW), [made.pk], NOW)
    made.refresh_from_db()
    return made


def of(role: str, name: str = "kim") -> User:
    made = office.user(name)
    made.groups.add(Role.objects.get(key=role).group)
    return made


def narrowed(user: User, people: str) -> Client:
    """Who may do everything there is, but for the reach of their group."""
    group = user.groups.get()
    group.permissions.set(Permission.objects.exclude(content_type__app_label="auth"))
    Sight.objects.update_or_create(group=group, defaults={"people": people})
    return office.logged_in(user)


def answered(client: Client, address: str, post: Any = None) -> Any:
    """What is done is undone: each address is asked of the same shop."""
    with transaction.atomic():
        answer = client.get(address) if post is None else client.post(address, post)
        transaction.set_rollback(True)
    return answer


def doors(bo: Contact, user: User) -> list[tuple[str, Any]]:
    """Every page and act there is about one person, and what is sent to it."""
    found: list[tuple[str, Any]] = []
    asked = RequestFactory().get("/")
    asked.user = user
    url = lambda name, *args: reverse(f"admin:{name}", args=args)  # noqa: E731
    for model in admin.site._registry:
        if not people_rows.columns(model):
            continue
        rows = model._default_manager
        row = bo if model is Contact else rows.filter(**_of(model, bo)).first()
        if row is None:
            continue
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        found += [(url(f"{label}_{page}", row.pk), None) for page in ("change", "history")]
        # Who may not do it to anybody is told so, whoever it is.
        page = admin.site.get_model_admin(model)
        if page.has_change_permission(asked, None) and model is not Delivery:
            found.append((url(f"{label}_change", row.pk), {"_save": "1"}))
        if page.has_delete_permission(asked, None):
            found.append((url(f"{label}_delete", row.pk), None))
    lead, task = Lead.objects.get(contact=bo), Task.objects.get(contact=bo)
    delivery = Delivery.objects.get(contact_id=bo.pk)
    found += [(url("crm_contact_panel", bo.pk, card.key), None) for card in panels if card.later]
    found += [(url("crm_contact_act", bo.pk, act.key), sent) for act in person_acts for sent in (None, {})]
    found += [
        (url("crm_contact_resume", bo.pk), {}),
        (url("crm_contact_merge", bo.pk), None),
        (url("crm_contact_merge", bo.pk), {"with": str(bo.pk)}),
        (url("crm_contact_unmerge", bo.pk, str(bo.pk)), {}),
        (url("crm_contact_data", bo.pk), None),
        (url("crm_contact_data", bo.pk), {"reference": "x"}),
        (url("crm_contact_erase", bo.pk), {"name": str(bo), "password": "secret"}),
        (url("crm_lead_move", lead.pk), {"stage": str(lead.stage_id)}),
        (url("crm_lead_assign", lead.pk), {"owner": ""}),
        (url("crm_lead_expect", lead.pk), {"value": "9"}),
        (url("crm_task_done", task.pk), {}),
        (url("crm_task_answer", task.pk), {"do": "accept"}),
        (url("crm_status_hand"), {"contact": str(bo.pk), "status": str(bo.pk), "do": "grant"}),
        (url("campaigns_delivery_as_sent", delivery.pk), None),
        (url("campaigns_delivery_settle", delivery.pk), {"to": "failed"}),
    ]
    return found


def _of(model: Any, bo: Contact) -> dict[str, Any]:
    return {people_rows.columns(model)[0]: bo.pk} if model is not MergeProposal else {}


def lists_of_people() -> list[str]:
    models = [model for model in admin.site._registry if people_rows.columns(model)]
    return [f"{model._meta.app_label}_{model._meta.model_name}_changelist" for model in models]


def shown(client: Client, name: str, query: str = "", *args: Any) -> str:
    answer = client.get(f"{reverse(f'admin:{name}', args=args)}{query}", follow=True)
    return answer.content.decode() if answer.status_code == 200 else ""


@pytest.mark.parametrize("people", ["unowned", "own"])
def test_k1_no_page_of_a_person_out_of_reach_is_there(bo: Contact, people: str) -> None:
    kim = of("sales")
    client = narrowed(kim, people)
    found = doors(bo, User.objects.get(pk=kim.pk))
    assert len(found) > 40
    for address, sent in found:
        assert answered(client, address, sent).status_code == 404, (address, sent)
    bo.refresh_from_db()
    assert bo.erased_at is None


@pytest.mark.parametrize("people", ["unowned", "own"])
def test_k1_no_list_search_count_or_file_holds_them(bo: Contact, people: str) -> None:
    client = narrowed(of("sales"), people)
    for name in lists_of_people():
        page = shown(client, name)
        assert NAME not in page and BO not in page and str(bo.pk) not in page, name
    for name, query in (
        ("crm_contact_changelist", f"?q={BO}"),
        ("crm_contact_find", f"?s={BO}"),
        ("crm_contact_find", "?s=hidden"),
        ("crm_lead_board", ""),
        ("crm_risksettings_changelist", ""),
        ("campaigns_template_people", "?q=bo"),
        ("crm_segment_why", f"?person={BO}"),
        ("autocomplete", f"?app_label=crm&model_name=task&field_name=contact&term={BO}"),
    ):
        page = shown(client, name, query)
        assert page and NAME not in page and str(bo.pk) not in page, (name, query)
    fixed = Segment.objects.get(name="Fair")
    assert NAME not in shown(client, "crm_segment_change", "", fixed.pk)
    assert NAME not in taken(client, "crm.contact").decode()
    counted = client.get(reverse("admin:crm_contact_changelist")).context["cl"].result_count
    assert counted == (1 if people == "unowned" else 0)


def test_k1_an_action_or_a_form_does_not_take_them_in(bo: Contact) -> None:
    client = narrowed(of("sales"), "unowned")
    fixed = Segment.objects.create(name="Mine", kind=Segment.Kind.FIXED, created_at=NOW)
    rows = {
        "crm_contact": bo.pk,
        "crm_lead": Lead.objects.get(contact=bo).pk,
        "crm_task": Task.objects.get(contact=bo).pk,
    }
    for label, pk in rows.items():
        for action in ("add_to_list", "take_over", "finish", "delete_selected"):
            sent = {"action": action, "_selected_action": [str(pk)], "list": str(fixed.pk), "post": "yes"}
            client.post(reverse(f"admin:{label}_changelist"), sent)
    assert not SegmentMembership.objects.filter(segment=fixed).exists()
    assert Lead.objects.get(contact=bo).owner.username == "anna"
    assert Task.objects.get(contact=bo).done_at is None
    mine = {"title": "Mine now", "owner": str(User.objects.get(username="kim").pk)}
    ana = Contact.objects.get(last_name="Oliveira")
    for person, status in ((bo, 200), (ana, 302)):
        made = client.post(reverse("admin:crm_task_add"), mine | {"contact": str(person.pk)})
        assert made.status_code == status, person
    assert Task.objects.get(title="Mine now").contact == ana


@pytest.mark.parametrize("role", ROLES)
def test_k1_each_role_sees_whom_it_should(bo: Contact, role: str) -> None:
    client = office.logged_in(of(role))
    page = answered(client, reverse("admin:crm_contact_change", args=[bo.pk])).status_code
    wanted = {"viewers": (302, 403), "sales": (404,)}.get(role, (200,))
    assert page in wanted, page
    sees = NAME in shown(client, "crm_contact_changelist")
    assert sees == (role not in ("viewers", "sales"))
    # Whoever is nobody's is anybody's to take over.
    ana = Contact.objects.get(last_name="Oliveira")
    page = answered(client, reverse("admin:crm_contact_change", args=[ana.pk])).status_code
    assert page in ((302, 403) if role == "viewers" else (200,))


def test_k1_their_own_are_those_they_have_something_to_do_with(bo: Contact) -> None:
    kim, anna = of("sales"), User.objects.get(username="anna")
    Sight.objects.filter(group=kim.groups.get()).update(people="own")
    page = reverse("admin:crm_contact_change", args=[bo.pk])

    def status() -> int:
        return answered(office.logged_in(kim), page).status_code

    assert status() == 404
    for rows, mine, over in (
        (Contact.objects.filter(pk=bo.pk), {"owner": kim}, {"owner": anna}),
        (Lead.objects.filter(contact=bo), {"owner": kim}, {"ended_at": NOW}),
        (HandOver.objects.filter(contact=bo), {"owner": kim}, {"answer": "passed"}),
        (Task.objects.filter(contact=bo), {"owner": kim}, {"done_at": NOW}),
    ):
        rows.update(**mine)
        assert status() == 200, mine
        rows.update(**over)
        assert status() == 404, over
    away = Absence.objects.create(user=anna, from_day=NOW.date(), to_day=NOW.date(), stand_in=kim)
    assert status() == 200
    Absence.objects.filter(pk=away.pk).update(
        to_day=NOW.date() - timedelta(days=1), from_day=NOW.date() - timedelta(days=2)
    )
    assert status() == 404


def test_k1_of_several_groups_the_widest_reach_counts(bo: Contact) -> None:
    page = reverse("admin:crm_contact_change", args=[bo.pk])
    both = of("sales")
    both.groups.add(Role.objects.get(key="marketers").group)
    assert answered(office.logged_in(both), page).status_code == 200
    viewing = of("sales", "jo")
    viewing.groups.add(Role.objects.get(key="viewers").group)
    assert answered(office.logged_in(viewing), page).status_code == 404
    direct = office.user("di", "crm.view_contact")
    direct.groups.add(Role.objects.get(key="sales").group)
    assert answered(office.logged_in(direct), page).status_code == 200
    assert answered(office.logged_in(office.user("su", is_superuser=True)), page).status_code == 200


def test_k1_who_gives_a_person_away_is_led_back_to_the_board(bo: Contact) -> None:
    kim, anna = of("sales"), User.objects.get(username="anna")
    anna.is_staff = True
    anna.save()
    Lead.objects.filter(contact=bo).update(owner=kim)
    lead = Lead.objects.get(contact=bo)
    client = office.logged_in(kim)
    gone = client.post(
        reverse("admin:crm_lead_assign", args=[lead.pk]), {"owner": str(anna.pk), "from": "contact"}
    )
    assert gone.headers["Location"] == reverse("admin:crm_lead_board")
    assert client.get(gone.headers["Location"]).status_code == 200
