"""The pages of offers: made, brought codes for, held to the guard; what stands beside a person."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from campaigns.models import Coupon, Offer, OfferSettings
from campaigns.offers import codes, reserving
from campaigns.offers.judging import Verdict
from campaigns.offers.reserving import Wanted
from tests import office

TYPED = {
    "name": "Autumn",
    "kind": "percent",
    "value": "15",
    "on": "everything",
    "place": "messages",
    "codes": "single",
    "code_source": "",
    "keep_ready": "0",
    "is_active": "on",
    "rung": "2",
    "follows_ladder": "on",
    "listed-TOTAL_FORMS": "0",
    "listed-INITIAL_FORMS": "0",
}


def page(offer):
    return reverse("admin:campaigns_offer_change", args=[offer.pk])


def text(answer):
    return answer.content.decode()


def test_an_offer_is_made_and_its_page_says_what_the_guard_thinks(world, ada):
    assert ada.post(reverse("admin:campaigns_offer_add"), TYPED).status_code == 302
    autumn = Offer.objects.get(name="Autumn")
    assert (autumn.value, autumn.codes, autumn.is_private) == (Decimal(15), "single", True)
    assert "The site gives nothing as good now" in text(ada.get(page(autumn)))
    office.offer("Site", 2, place="site", value=Decimal(20))
    assert "No better than “Site”" in text(ada.get(page(autumn)))


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"value": ""}, "value", "How much is off?"),
        ({"value": "0"}, "value", "more than 0"),
        ({"value": "101"}, "value", "more than 100 percent"),
        ({"kind": "gift"}, "gift", "What is given?"),
        ({"on": "category"}, "category", "On which category?"),
        ({"on": "brand"}, "brand", "On which brand?"),
        ({"codes": "shared"}, "shared_code", "Which code is it?"),
        ({"codes": "shared", "shared_code": "code-0001"}, "shared_code", "own already"),
        ({"codes": "shared", "shared_code": "everyone"}, "shared_code", "has this code already"),
        (
            {
                "starts_at_0": "2026-03-02",
                "starts_at_1": "10:00",
                "ends_at_0": "2026-03-02",
                "ends_at_1": "10:00",
            },
            "ends_at",
            "end after it begins",
        ),
        (
            {"code_source": "campaigns.made_here", "code_source--campaigns-made_here-begins": "no!"},
            None,
            "Up to twelve",
        ),
        (
            {"code_source": "campaigns.from_shop", "code_source--campaigns-from_shop-url": "http://10.0.0.1"},
            None,
            "cannot be asked",
        ),
        ({"code_source": "campaigns.from_shop"}, None, "required"),
    ],
)
def test_a_mistake_is_named_beside_its_field(world, ada, typed, field, says):
    office.offer("All", 9, codes="shared", shared_code="EVERYONE")
    answer = ada.post(reverse("admin:campaigns_offer_add"), TYPED | typed)
    assert answer.status_code == 200 and not Offer.objects.filter(name="Autumn").exists()
    errors = answer.context["adminform"].form.errors
    assert says in str(errors[field] if field else errors)


def test_where_codes_come_from_is_kept_with_what_was_typed(world, ada):
    typed = {"code_source": "campaigns.made_here", "code_source--campaigns-made_here-begins": "FALL"}
    ada.post(reverse("admin:campaigns_offer_add"), TYPED | typed)
    autumn = Offer.objects.get(name="Autumn")
    assert (autumn.code_source, autumn.code_params) == ("campaigns.made_here", {"begins": "FALL"})


def test_codes_are_pasted_and_brought_by_file_with_a_report(world, ada):
    spring = Offer.objects.get(name="Spring")
    url = reverse("admin:campaigns_offer_bring", args=[spring.pk])
    answer = ada.post(url, {"text": "ABCD-1\nCODE-0001\nx\n"})
    assert "1 new code" in text(answer) and "1 known already, 1 refused" in text(answer)
    file = SimpleUploadedFile("codes.csv", "code;expires\nEFGH-1;2030-01-01\n".encode("utf-16"), "text/csv")
    assert "1 new code" in text(ada.post(url, {"file": file}))
    assert "Paste some codes, or choose a file." in text(ada.post(url, {}))
    assert spring.coupons.count() == 3


def test_codes_are_made_and_counted_on_the_page(world, ada):
    spring = Offer.objects.get(name="Spring")
    make = reverse("admin:campaigns_offer_make", args=[spring.pk])
    ada.post(make, {"number": "40"})
    ada.post(make, {"number": "-1"})
    ada.post(make, {"number": "many"})
    assert spring.coupons.count() == 41
    assert "<dt>free</dt><dd>41</dd>" in text(ada.get(page(spring)))


def test_the_list_for_the_shop_holds_the_codes_that_may_still_be_used(world, ada, vera):
    spring = Offer.objects.get(name="Spring")
    url = reverse("admin:campaigns_offer_codes", args=[spring.pk])
    used = Coupon.objects.create(offer=spring, code="USED-1", created_at=office.NOW, state="used")
    Coupon.objects.create(offer=spring, code="SHORT-1", created_at=office.NOW, expires_at=office.NOW)
    assert f'href="{url}"' in text(ada.get(page(spring)))
    answer = vera.get(url)
    assert answer["Content-Disposition"] == 'attachment; filename="codes-spring.csv"'
    told = b"".join(answer.streaming_content).decode()
    assert told == f"code,expires\r\nCODE-0001,\r\nSHORT-1,{office.NOW.isoformat()}\r\n"
    assert used.code not in told and codes.bring(spring, told, office.NOW).known == 1
    office.offer("All", 9, codes="shared", shared_code="EVERYONE")
    everybodys = Offer.objects.get(name="All")
    assert ada.get(reverse("admin:campaigns_offer_codes", args=[everybodys.pk])).status_code == 404
    looks_at_offers = office.logged_in(office.user("otto", "campaigns.view_offer"))
    assert looks_at_offers.get(url).status_code == 403 and url not in text(looks_at_offers.get(page(spring)))


def given(spring, contact, at=office.NOW):
    wanted = [Wanted(contact.pk, office.Delivery.objects.get().public_id, Verdict())]
    [coupon] = reserving.reserve(spring, wanted, at).values()
    return coupon


def test_what_an_offer_brought_stands_on_its_page(world, ada):
    spring = Offer.objects.get(name="Spring")
    coupon = given(spring, world.contact)
    Coupon.objects.filter(pk=coupon.pk).update(state="used", used_at=office.NOW, order_id=world.order.pk)
    shown = text(ada.get(page(spring)))
    assert "<dt>used</dt><dd>1</dd>" in shown and "249.00 EUR" in shown


def test_a_persons_page_shows_their_coupons_and_when_they_were_given(world, ada):
    given(Offer.objects.get(name="Spring"), world.contact)
    shown = text(ada.get(reverse("admin:crm_contact_change", args=[world.contact.pk])))
    assert "CODE-0001" in shown and "Coupon of “Spring”: reserved" in shown


def test_an_offer_that_was_given_is_taken_out_and_never_deleted(world, ada):
    spring, fresh = Offer.objects.get(name="Spring"), office.offer("Fresh", 7)
    fresh.coupons.all().delete()
    assert (
        ada.post(reverse("admin:campaigns_offer_delete", args=[spring.pk]), {"post": "yes"}).status_code
        == 403
    )
    assert (
        ada.post(reverse("admin:campaigns_offer_delete", args=[fresh.pk]), {"post": "yes"}).status_code == 302
    )


def test_each_change_makes_messages_that_have_not_left_be_made_anew(world, ada):
    spring = Offer.objects.get(name="Spring")
    before = OfferSettings.objects.get().version
    ada.post(page(spring), TYPED | {"name": "Spring", "ends_at_0": "2026-12-24", "ends_at_1": "12:00"})
    assert OfferSettings.objects.get().version == before + 1
    numbers = {
        "margin_floor": "20",
        "deepest_without_cost": "10",
        "full_price_days": "30",
        "quiet_days": "60",
    }
    more = {"ladder_days": "365", "hunter_percent": "50", "hunter_orders": "2"}
    answer = ada.post(reverse("admin:campaigns_offersettings_change", args=[1]), numbers | more)
    assert answer.status_code == 302
    rules = OfferSettings.objects.get()
    assert (rules.margin_floor, rules.quiet_days, rules.version) == (Decimal(20), 60, before + 2)


def test_the_list_says_what_is_on(world, ada):
    office.offer("Later", 2, starts_at=office.NOW + timedelta(days=3650))
    office.offer("Gone", 3, ends_at=office.NOW - timedelta(days=400))
    office.offer("Out", 4, is_active=False)
    shown = text(ada.get(reverse("admin:campaigns_offer_changelist")))
    assert all(words in shown for words in ("on now", "planned", "over", "taken out", "10 % off"))
