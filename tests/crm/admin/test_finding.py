"""The box at the top finds what this person may look at, and nothing else."""

from __future__ import annotations

from django.urls import reverse

from crm.models import Company
from tests import office


def found(client, typed: str) -> str:
    answer = client.get(reverse("admin:crm_contact_find"), {"s": typed})
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_box_finds_people_companies_and_pages_one_may_look_at(world, ada, vera, sten):
    Company.objects.create(name="<b>Anatol</b> & Sons")
    told = found(ada, "ana")
    assert office.MAIL in told and reverse("admin:crm_contact_change", args=[world.contact.pk]) in told
    assert "&lt;b&gt;Anatol&lt;/b&gt; &amp; Sons" in told and "<b>Anatol" not in told
    assert reverse("admin:campaigns_campaign_changelist") in found(ada, "CAMPAI")
    assert office.MAIL in found(vera, "ana")
    assert sten.get(reverse("admin:crm_contact_find"), {"s": "ana"}).status_code == 403
    seller = office.logged_in(office.user("seller", "crm.view_company"))
    assert "Anatol" in found(seller, "ana") and "campaign/" not in found(seller, "campai")
    for typed in ("ana", office.MAIL, "oliveira"):
        assert "crm/contact" not in found(seller, typed)
    assert ada.post(reverse("admin:crm_contact_find")).status_code == 405
    assert type(ada)().get(reverse("admin:crm_contact_find"), {"s": "ana"}).status_code == 302
    assert "Nobody and nothing" in found(ada, "qqqq") and "Nobody" not in found(ada, "")
