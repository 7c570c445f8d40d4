"""K1: which role opens which address of every page of the admin, against one table."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, SolarSchedule

from campaigns.models import ContentItem
from config import schedule
from crm.models import (
    Export,
    MergeProposal,
    Notice,
    OwnField,
    Role,
    SavedView,
)
from tests import office

pytestmark = [pytest.mark.django_db, pytest.mark.proof]

HOME = "/admin/"
ROLES = ("viewers", "sales", "marketers", "marketing_leads", "privacy_officers", "administrators")
# l the list opens, p the page of a row, h its history; a one is added, c changed, d deleted; e the list may
# leave as a file. In the order of ROLES. Where the shop of the test has no row, there is no page to open.
TABLE = """
auth.group                          -          -          -          -          -          lphacd
auth.user                           -          -          -          -          -          lphacd
campaigns.brandkit                  l          -          l          l          -          l
campaigns.campaign                  lph        -          lphace     lphace     lph        lphacde
campaigns.contentitem               lph        -          lphacde    lphacde    -          lphacde
campaigns.coupon                    -          -          lphe       lphe       -          lphe
campaigns.decision                  -          -          lphe       lphe       lph        lphe
campaigns.delivery                  -          lphe       lphe       lphe       lph        lphe
campaigns.enrolment                 -          -          -          lphe       lph        lphe
campaigns.frequencysettings         lph        -          lph        lph        -          lphc
campaigns.image                     l          -          le         le         -          le
campaigns.offer                     lph        -          lphace     lphace     -          lphace
campaigns.offersettings             -          -          lph        lph        -          lphc
campaigns.recommendationrun         l          -          l          l          -          l
campaigns.savedblock                l          -          lae        lae        -          lae
campaigns.sender                    -          -          lphe       lphe       -          lphacde
campaigns.survey                    lph        -          lphace     lphace     lph        lphacde
campaigns.template                  lph        -          lphace     lphace     -          lphacde
crm.absence                         -          lphace     lphace     lphace     -          lphacde
crm.assignmentrule                  -          lphe       lphacde    lphacde    -          lphacde
crm.company                         -          lphe       lphace     lphace     lph        lphacde
crm.consentevent                    -          -          lphe       lphe       lph        lphe
crm.consenttext                     -          -          -          -          lph        lphe
crm.contact                         -          lphce      lphace     lphace     lph        lphace
crm.desksettings                    -          -          lph        lph        -          lphc
crm.export                          -          l          l          lph        lph        lph
crm.handover                        -          le         le         le         l          le
crm.import                          -          -          lpha       lpha       lph        lpha
crm.lead                            -          lphe       lphe       lphe       lph        lphe
crm.leaddefinition                  lph        lphe       lphacde    lphacde    -          lphacde
crm.leadversion                     lph        -          lphcd      lphcd      -          lphcd
crm.mergeproposal                   -          -          lphe       lphe       lph        lphe
crm.notice                          -          -          -          -          -          lphe
crm.order                           -          lphe       lphe       lphe       lph        lphe
crm.ownfield                        -          -          lphace     lphace     lph        lphacde
crm.personrequest                   -          -          -          -          lpha       lpha
crm.product                         lph        lphe       lphe       lphe       -          lphacde
crm.purpose                         lph        -          lphe       lphe       lph        lphce
crm.risksettings                    lph        -          lphc       lphc       -          lphc
crm.savedview                       l          lph        lph        lph        lph        lph
crm.segment                         lph        -          lphacde    lphacde    -          lphacde
crm.serverkey                       -          -          -          -          -          lpha
crm.shopsettings                    -          -          lph        lph        lph        lphc
crm.status                          lph        -          lphace     lphace     -          lphacde
crm.suppression                     -          -          lphe       lphe       lph        lphe
crm.task                            -          lphace     lphace     lphace     lph        lphacde
django_celery_beat.clockedschedule  -          -          -          -          -          lphacde
django_celery_beat.crontabschedule  -          -          -          -          -          lphacde
django_celery_beat.intervalschedule -          -          -          -          -          lphacde
django_celery_beat.periodictask     -          -          -          -          -          lphacde
django_celery_beat.solarschedule    -          -          -          -          -          lphacde
tracking.cart                       -          lphe       lphe       lphe       lph        lphe
tracking.event                      -          -          -          le         l          le
tracking.inboundevent               -          -          -          -          -          lphe
"""


def rows() -> dict[str, tuple[str, ...]]:
    told = (line.split() for line in TABLE.strip().splitlines())
    return {model: tuple(letters) for model, *letters in told}


@pytest.fixture
def shop(world: office.World) -> office.World:
    """One of everything that has a page."""
    schedule.ensure()
    SolarSchedule.objects.create(event="sunset", latitude=50, longitude=8)
    ClockedSchedule.objects.create(clocked_time=office.NOW)
    CrontabSchedule.objects.create()
    anna, other = User.objects.get(username="anna"), office.person("bo@shop-customers.example")
    one, two = sorted([world.contact, other], key=lambda person: person.pk)
    made: dict[Any, dict[str, Any]] = {
        Export: {"table": "crm.contact", "title": "contacts", "made_by": anna, "made_by_name": "anna"},
        SavedView: {"table": "crm.contact", "name": "Mine", "made_by": anna, "is_shared": True},
        Notice: {
            "key": "n",
            "user": anna,
            "contact_id": one.pk,
            "subject": "A lead",
            "created_at": office.NOW,
        },
        MergeProposal: {"one": one, "other": two, "why": ["crm.name"]},
        ContentItem: {"title": "A guide", "url": "https://shop.example/guide"},
        OwnField: {"key": "hobby", "label": "Hobby"},
    }
    for model, values in made.items():
        model.objects.create(**values)
    return world


@pytest.fixture
def unsaid() -> Iterator[None]:
    """Hundreds of refusals, each written down with its trace, take a tenth of the time."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def opens(client: Client, name: str, *args: Any, post: dict[str, str] | None = None) -> bool:
    try:
        address = reverse(f"admin:{name}", args=args)
    except NoReverseMatch:
        return False
    # What a page does is undone: each address is asked of the same shop.
    with transaction.atomic():
        answer = client.get(address) if post is None else client.post(address, post)
        transaction.set_rollback(True)
    assert answer.status_code in (200, 302, 400, 403, 404, 405), (address, answer.status_code)
    assert "/login/" not in answer.headers.get("Location", ""), address
    # To the home page goes who asks for a row that is not there for them.
    return answer.status_code in (200, 400) or answer.headers.get("Location") not in (None, HOME)


def changes(client: Client, model: Any, name: str, row: Any) -> bool:
    """Some pages answer what is sent to them by being shown once more, also to whoever may only look."""
    request = RequestFactory().get("/")
    request.user = User.objects.get(pk=client.session["_auth_user_id"])
    page = admin.site.get_model_admin(model)
    return opens(client, name, row.pk, post={"_save": "1"}) and page.has_change_permission(request, row)


def letters(client: Client, model: Any) -> str:
    """What somebody may do on the pages of a model, by its addresses."""
    label = f"{model._meta.app_label}_{model._meta.model_name}"
    row = model._default_manager.order_by("pk").last()
    found = "l" if opens(client, f"{label}_changelist") else ""
    if row is not None:
        found += "p" if opens(client, f"{label}_change", row.pk) else ""
        found += "h" if opens(client, f"{label}_history", row.pk) else ""
    found += "a" if opens(client, f"{label}_add") else ""
    if row is not None:
        found += "c" if changes(client, model, f"{label}_change", row) else ""
        found += "d" if opens(client, f"{label}_delete", row.pk) else ""
    found += "e" if opens(client, "crm_export_of", model._meta.label_lower) else ""
    return found or "-"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.usefixtures("unsaid")
def test_k1_each_role_opens_what_the_table_says_and_nothing_else(shop: office.World, role: str) -> None:
    colleague = office.user("kim")
    colleague.groups.add(Role.objects.get(key=role).group)
    client = office.logged_in(colleague)
    found = {model._meta.label_lower: letters(client, model) for model in admin.site._registry}
    place = ROLES.index(role)
    told = {model: row[place] for model, row in rows().items()}
    assert found == told
