"""Links to the shop say which campaign, step and message they stood in, and never who got it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.delivery.mime import Mail
from campaigns.messages import contexts, marking, rendering
from campaigns.messages.marking import Marks, marked, with_marks
from campaigns.models import BrandKit, Delivery
from crm.models import Channel, ConsentState, Purpose, ShopSettings
from tests.campaigns import mailing
from tests.campaigns.mailing import AT
from tracking.models import Link

MARKS = Marks((("utm_source", "rekindle"), ("utm_campaign", "left-carts")), frozenset({"shop.test"}))


@pytest.mark.parametrize(
    "before, after",
    [
        ("https://shop.test", "https://shop.test?utm_source=rekindle&utm_campaign=left-carts"),
        ("https://shop.test/p?a=1&b=2", "https://shop.test/p?a=1&b=2&utm_source=rekindle&utm_campaign=left-carts"),
        ("https://shop.test/p?", "https://shop.test/p?utm_source=rekindle&utm_campaign=left-carts"),
        ("https://shop.test/p?a=1&", "https://shop.test/p?a=1&utm_source=rekindle&utm_campaign=left-carts"),
        ("https://shop.test/p#size", "https://shop.test/p?utm_source=rekindle&utm_campaign=left-carts#size"),
        ("http://SHOP.test:80/p", "http://SHOP.test:80/p?utm_source=rekindle&utm_campaign=left-carts"),
        ("https://shop.test/p?utm_source=partner", "https://shop.test/p?utm_source=partner&utm_campaign=left-carts"),
        ("https://shop.test/p?UTM_Source=x&utm_campaign=", "https://shop.test/p?UTM_Source=x&utm_campaign="),
        ("https://shop.test/é?q=%20ü", "https://shop.test/é?q=%20ü&utm_source=rekindle&utm_campaign=left-carts"),
    ],
)  # fmt: skip
def test_what_is_missing_is_added_and_what_is_there_stays(before, after):
    assert with_marks(before, MARKS) == after


@pytest.mark.parametrize(
    "url",
    ["https://other.test/p", "https://shop.test.evil.test/", "https://shop.test@evil.test/", "https://shop.test:81/",
     "https://evil.test/?https://shop.test", "https://shop.test\\@evil.test/", "https://notshop.test/",
     "http://[::1", "https://sub.shop.test/", "mailto:mira@shop.test", "https:///p", "http://m.localhost:8000/u/x",
     "http://t.localhost:8001/k/x", "https://shop.test:abc/"],
)  # fmt: skip
def test_nothing_but_the_shops_own_sites_is_marked(url):
    everything = Marks(MARKS.pairs, frozenset({"shop.test", "m.localhost:8000", "t.localhost:8001"}))
    assert with_marks(url, everything) == url


def test_html_and_text_are_marked_alike_and_the_rest_is_untouched():
    html = (
        '<a class="b" href="https://shop.test/p?a=1&amp;b=2"><img src="https://shop.test/i.jpg"></a>'
        '<a href="https://elsewhere.test/">x</a> https://shop.test/shown'
    )
    text = "Look (https://shop.test/p?a=1&b=2). Or https://elsewhere.test/."
    marks = "utm_source=rekindle&{}utm_campaign=left-carts"
    shown, plain = marked(html, text, MARKS)
    assert shown == html.replace("b=2", "b=2&amp;" + marks.format("amp;"))
    assert plain == text.replace("b=2", "b=2&" + marks.format(""))


@pytest.mark.proof
@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=200)
def test_whatever_stands_in_an_address_is_only_added_to(path, query):
    url = f"https://shop.test/{path}?{query}"
    more = with_marks(url, MARKS)
    before, _, fragment = url.partition("#")
    assert more.startswith(before.rstrip("?")) and more.endswith(fragment)
    assert with_marks(more, MARKS) == more


def made(delivery: Delivery) -> Mail:
    mail = rendering.prepare([delivery], AT)[delivery.pk]
    assert isinstance(mail, Mail), mail
    return mail


@pytest.fixture
def shop(db) -> ShopSettings:
    return ShopSettings.objects.update_or_create(
        pk=1,
        defaults={
            "name": "Hearth & Horn", "postal_address": "Nygade 4", "url": "https://shop.test/",
            "cart_restore_url": "https://shop.test/cart/restore",
        },
    )[0]  # fmt: skip


@pytest.fixture
def delivery(shop) -> Delivery:
    (queued,) = mailing.queue(1, with_carts=True, variant="With alternatives")
    return queued


WANTED = "utm_source=rekindle&utm_medium=email&utm_campaign=left-carts&utm_content=send-with-alternatives"


def test_every_link_to_the_shop_is_marked_where_nothing_is_counted(delivery):
    mail = made(delivery)
    assert f"https://shop.test/p/Person1?{WANTED}".replace("&", "&amp;") in mail.html
    assert f"https://shop.test/p/Person1?{WANTED}" in mail.text
    restore = re.search(r"https://shop\.test/cart/restore\?token=[^\s\"&]+&(\S+)", mail.text)
    assert restore and restore[1] == WANTED
    for url in re.findall(r"https?://m\.localhost[^\s\"<]+", mail.html + mail.text):
        assert "utm_" not in url
    assert "utm_" not in mail.list_unsubscribe_url


def test_marks_come_before_the_count_of_clicks(delivery):
    for key in (contexts.CLICKS, contexts.OPENS):
        ConsentState.objects.create(
            address_hash=delivery.address_hash, channel=Channel.EMAIL, may_send=True, since=AT,
            purpose=Purpose.objects.get_or_create(key=key, defaults={"name": key, "kind": "tracking"})[0],
        )  # fmt: skip
    mail = made(delivery)
    assert "utm_" not in mail.html and "utm_" not in mail.text
    assert Link.objects.filter(url=f"https://shop.test/p/Person1?{WANTED}").exists()
    assert not Link.objects.exclude(url__contains="utm_").filter(url__startswith="https://shop.test").exists()


@pytest.mark.parametrize("counted", [False, True])
def test_as_it_was_sent_stays_the_same_whatever_is_changed_later(delivery, shop, counted):
    shop.tracking_needs_consent = not counted
    shop.save()
    mail = made(delivery)
    delivery.save()
    BrandKit.objects.create(source="another", adds_parameters=False)
    delivery.campaign.name = "Renamed"
    delivery.campaign.save()
    shop.url, shop.cart_restore_url = "https://moved.test/", ""
    shop.save()
    again = rendering.as_sent(Delivery.objects.get(pk=delivery.pk))
    assert again and again.is_exact
    assert (again.html, again.text) == (mail.html, mail.text)


def test_nobody_is_named(delivery):
    mail = made(delivery)
    said = set(re.findall(r"utm_\w+=([^&\s\"]+)", mail.text))
    assert said == {"rekindle", "email", "left-carts", "send-with-alternatives"}


def test_the_kit_says_what_stands_there_or_switches_it_off(delivery):
    kit = BrandKit.objects.create(
        source="news", medium="", campaign="{campaign}.2026", content="{variant}_{step}"
    )
    assert (
        "?utm_source=news&utm_campaign=left-carts.2026&utm_content=with-alternatives_send"
        in made(delivery).text
    )
    kit.adds_parameters = False
    kit.save()
    assert "utm_" not in made(delivery).text


@pytest.mark.parametrize(
    "name, slug", [("Ärger & Söhne!", "arger-sohne"), ("Корзина", None), ("  ", None), ("x" * 300, "x" * 100)]
)
def test_any_name_makes_a_parameter(delivery, name, slug):
    delivery.campaign.name = name
    marks = marking._pairs(BrandKit(), name, delivery.campaign_id, "send", "")
    assert dict(marks)["utm_campaign"] == (slug or f"campaign-{delivery.campaign_id}")
    assert dict(marks)["utm_content"] == "send"


def test_a_message_of_no_campaign_is_not_marked(delivery):
    delivery.campaign = None
    assert "utm_" not in made(delivery).text


def test_deliveries_kept_before_there_were_marks_are_shown_as_they_were(delivery):
    context = contexts.build([delivery], {}, AT)[delivery.pk]
    old = contexts.packed(contexts.replace(context, marks=marking.NONE))
    assert contexts.unpacked(old)[3] == marking.NONE


def test_a_batch_costs_two_queries_more_however_many(shop, django_assert_max_num_queries):
    queued = mailing.queue(12, with_carts=True)
    kit = BrandKit()
    with django_assert_max_num_queries(1):
        assert len(marking.marks_of(queued, kit, shop)) == 12
    assert marking.marks_of(queued, BrandKit(adds_parameters=False), shop) == {}
