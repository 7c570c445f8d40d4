"""Messages speak of what their campaign is about: a product, an order, a visit."""

from decimal import Decimal

import pytest

from campaigns.messages import compiling, contexts, goods, kinds, rendering
from campaigns.messages.kinds import Asked, Missing, Recipient
from campaigns.models import Delivery
from crm.models import Contact, Order, OrderLine, Product, ShopSettings
from tests.campaigns import mailing
from tests.campaigns.flows.shopping import DAY, HOUR, MINUTE, lamp, looks, offers, signs_in, sold_out
from tests.campaigns.flows.stage import AT, buy, leave_cart
from tests.tracking.browsing import BORIS, MINE, OTHER, page, tell
from tracking.models import Visit
from tracking.visits import rollups

pytestmark = pytest.mark.django_db
EVERYTHING = frozenset({"*"})


@pytest.fixture
def ana():
    lamp(list_price=Decimal(120), image_url="https://shop.test/i/lamp.jpg")
    return signs_in()


def told(fact, contact, kind, subject_id, at=AT, names=EVERYTHING):
    one = Recipient(1, contact, contact.email, kind, subject_id, delivery=Delivery())
    found = kinds.facts.get(f"campaigns.{fact}").load(Asked([one], names, ShopSettings(currency="EUR"), at))
    return found[1], one.shown


def test_the_product_is_told_with_what_it_cost_when_they_last_looked(ana):
    looks(AT - 3 * DAY, "lamp")
    thing = lamp(AT - DAY, "83.00")
    product, shown = told("product", ana, "product", thing.pk)
    assert (product["name"], product["url"]) == ("Lamp", "https://shop.test/p/lamp")
    assert (product["price"], product["was"], product["percent"]) == (Decimal(83), Decimal(100), 17)
    assert product["image"] and shown == {thing.pk: thing.changed_at}
    looks(AT - HOUR, "lamp")
    assert told("product", ana, "product", thing.pk)[0]["was"] == Decimal(100), (
        "seen since, fell all the same"
    )


def test_nothing_was_dearer_for_whoever_never_looked_or_where_it_became_dearer(ana):
    boris = signs_in(email=BORIS, browser=OTHER)
    looks(AT - 3 * DAY, "lamp")
    thing = lamp(AT - DAY, "83.00")
    assert told("product", boris, "product", thing.pk)[0]["was"] is None
    lamp(AT - HOUR, "130.00")
    product, _ = told("product", ana, "product", thing.pk)
    assert (product["price"], product["was"], product["percent"]) == (Decimal(130), None, None)


def test_a_message_about_a_product_that_is_sold_out_or_gone_does_not_leave(ana):
    thing = lamp()
    sold_out(AT - DAY)
    assert told("product", ana, "product", thing.pk)[0].reason == "sold_out"
    key = thing.pk
    Product.objects.all().delete()
    assert told("product", ana, "product", key)[0].reason == "product_gone"
    assert told("product", ana, "", None)[0].reason == "no_product"


def test_a_cart_from_before_the_shop_told_of_its_goods_says_what_is_sold_out(ana):
    cart = leave_cart(ana, AT - DAY)
    cart.lines.update(external_id="lamp")
    assert _in_stock(cart) == [True]
    sold_out(AT - HOUR)
    assert _in_stock(cart) == [False]


def test_the_order_is_told_with_its_lines_and_not_when_it_was_undone(ana):
    order = buy(ana, AT, number="4711", total=Decimal("119.90"))
    thing = Product.objects.get()
    line = {"contact": ana, "order": order, "occurred_at": AT, "unit_price": Decimal("59.95")}
    OrderLine.objects.create(product=thing, name="Lamp", quantity=2, **line)
    OrderLine.objects.create(product=None, name="Old chair", **line)
    found, _ = told("order", ana, "order", order.pk)
    assert (found["number"], found["total"], found["item_count"]) == ("4711", Decimal("119.90"), 3)
    assert [(one["name"], one["quantity"], one["in_stock"]) for one in found["lines"]] == [
        ("Lamp", 2, True),
        ("Old chair", 1, False),
    ]
    assert found["lines"][0]["url"] == "https://shop.test/p/lamp" and found["lines"][1]["url"] is None
    Order.objects.update(status=Order.Status.REFUNDED)
    assert told("order", ana, "order", order.pk)[0].reason == "order_undone"
    Order.objects.all().delete()
    assert told("order", ana, "order", order.pk)[0].reason == "order_gone"
    assert told("order", ana, "cart", order.pk)[0].reason == "no_order"


def test_a_message_about_a_visit_shows_exactly_its_products_the_last_one_first(ana):
    for name in ("chair", "table", "rug", "sofa"):
        offers(name, AT - 90 * DAY)
    looks(AT - 2 * DAY, "sofa")
    looks(AT, "chair", "lamp", "chair", "table", "rug")
    signs_in(AT, browser=OTHER)
    looks(AT + MINUTE, "sofa", browser=OTHER)
    sold_out(AT + HOUR, "table")
    visit = Visit.objects.get(products=4)
    found, shown = told("viewed", ana, "visit", visit.pk, AT + 2 * HOUR)
    assert [one["name"] for one in found["products"]] == ["Rug", "Chair", "Lamp"]
    assert len(shown) == 3


def test_a_visit_that_was_counted_anew_is_still_found_by_its_old_key(ana):
    looks(AT, "lamp")
    key = Visit.objects.latest("started_at").pk
    rollups.recount([ana.pk])
    assert not Visit.objects.filter(pk=key).exists()
    offers("chair", AT - 9 * DAY)
    looks(AT - MINUTE, "chair", late=HOUR)
    found, _ = told("viewed", ana, "visit", key, AT + HOUR)
    assert [one["name"] for one in found["products"]] == ["Lamp", "Chair"]


def test_where_the_visit_is_not_known_it_is_what_they_looked_at_lately(ana):
    looks(AT - DAY, "lamp")
    found, _ = told("viewed", ana, "visit", type(MINE)(int=5), AT)
    assert [one["name"] for one in found["products"]] == ["Lamp"]


def test_a_visit_of_pages_alone_shows_no_products(ana):
    looks(AT - DAY, "lamp")
    tell(page(AT, "/journal"), page(AT + MINUTE, "/about"))
    found, _ = told("viewed", ana, "visit", Visit.objects.get(pages=2).pk, AT + HOUR)
    assert found["products"] == []


def test_a_template_says_what_is_back_and_a_preview_shows_the_example(ana):
    template = mailing.template("Back")
    version = template.current
    version.text = version.html = (
        "{{ product.name }} is back. {{ product.was | default: 0 }} Order {{ order.number }}"
    )
    version.save()
    assert "Fjord 40 bookshelf speakers is back." in rendering.preview(version, ana, AT).text
    assert "Order 4711" in rendering.preview(version, None, AT).text
    looks(AT - HOUR, "lamp")
    buy(ana, AT - DAY, number="R-7")
    version.text = version.html = "{{ product.name }}"
    version.save()
    assert rendering.preview(version, ana, AT).text == "Lamp"
    version.text = version.html = "Order {{ order.number }}"
    version.save()
    assert rendering.preview(version, ana, AT).text == "Order R-7"
    shapes = kinds.shapes()
    assert rendering.problems("{{ product.name }} {{ order.lines[0].name }}", "subject", shapes) == []
    assert (
        "product.was may be missing" in rendering.problems("{{ product.was }}", "subject", shapes)[0].message
    )


def test_a_loop_over_products_or_orders_is_the_templates_own_business(ana):
    loop = "{% for product in viewed.products %}{{ product.name }}{% endfor %}"
    own = compiling.compiled(loop + "{% assign order = cart %}{{ order.total }}", "").used
    assert kinds.named(own) == {"campaigns.viewed": {"products"}}
    both = kinds.named(compiling.compiled(loop + "{{ product.name }}", "").used)
    assert set(both) == {"campaigns.viewed", "campaigns.product"}


def test_a_test_to_ourselves_shows_the_example_where_there_is_no_product(ana):
    one = Recipient(1, ana, ana.email, "", None, delivery=Delivery(origin=Delivery.Origin.TEST))
    asked = Asked([one], EVERYTHING, ShopSettings(), AT)
    assert kinds.facts.get("campaigns.product").load(asked)[1]["name"] == "Fjord 40 bookshelf speakers"
    assert kinds.facts.get("campaigns.order").load(asked)[1]["number"] == "4711"


def test_a_whole_batch_costs_the_same_queries(ana, django_assert_num_queries):
    thing = lamp(AT - DAY, "80.00")
    people = [signs_in(email=f"more{n}@example.com", browser=type(MINE)(int=n + 1)) for n in range(6)]
    for number in range(6):
        looks(AT - 3 * DAY, "lamp", browser=type(MINE)(int=number + 1))
    about = {
        "product": lambda who: thing.pk,
        "order": lambda who: buy(who, AT).pk,
        "visit": lambda who: Visit.objects.filter(contact=who, products=1).get().pk,
    }
    for kind, used, number in (
        ("product", "product.*", 4),
        ("order", "order.*", 2),
        ("visit", "viewed.*", 3),
    ):
        some = [
            Recipient(place, who, who.email, kind, about[kind](who), delivery=Delivery())
            for place, who in enumerate(people)
        ]
        for batch in (some[:1], some):
            with django_assert_num_queries(number):
                found = contexts.with_facts(batch, {key: {used} for key in range(6)}, ShopSettings(), AT)
            assert not any(isinstance(one, Missing) for one in found.values())
    assert Contact.objects.count() == 7


def _in_stock(cart):
    lines = list(cart.lines.all())
    assert [line.product_id for line in lines] == [None], "as it was told"
    told = contexts.cart_data(cart, lines, ShopSettings(currency="EUR"), goods.of_lines(lines))
    return [line["in_stock"] for line in told["lines"]]
