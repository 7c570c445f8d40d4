"""What is recommended: near to what this is about, never sold out, never just bought, and never nothing."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.messages import (
    content,
    editing,
    kinds,
    recommend,
    recommending,
    recommending_sql,
    rendering,
)
from campaigns.messages.kinds import Asked, Recipient
from campaigns.messages.recommend import SORTS, Wanted
from campaigns.models import BestSeller, ContentItem, Neighbour, RecommendationRun, Template
from crm.models import Contact, Product, ShopSettings
from crm.shop import bought as bought_kept
from tests import office
from tests.campaigns import mailing, shelves
from tests.campaigns.shelves import AT, bought, crowd, looked, names, person, product, shelf
from tracking.models import Event

pytestmark = pytest.mark.django_db


def shown(contact, sort, most=6, **more):
    wanted = Wanted(1, contact.pk, more.get("cart"))
    return recommend.picks([wanted], [sort], AT, most)[1][sort]


def work_out():
    run = recommending.compute(AT)
    assert run is not None and not run.error
    return run


def neighbours(thing, sort="together"):
    return names(found for found, _times in recommend.goes_with(thing.pk, sort))


def test_what_is_bought_together_is_near_and_what_everybody_buys_is_not():
    things = shelf("turntable fluid sleeves bag radio")
    crowd(6, things["turntable"], things["fluid"], things["bag"])
    crowd(4, things["turntable"], things["sleeves"], things["bag"], first=10)
    crowd(30, things["radio"], things["bag"], first=20)
    work_out()
    assert neighbours(things["turntable"]) == ["fluid", "sleeves", "bag"]
    assert neighbours(things["radio"]) == ["bag"]


def test_a_pair_seen_once_is_an_accident_and_a_cancelled_order_none():
    things = shelf("a b c d")
    crowd(1, things["a"], things["b"])
    for number in range(3):
        bought(person(f"X{number}"), things["c"], things["d"], status="cancelled")
    run = work_out()
    assert (run.links, Neighbour.objects.count()) == (0, 0)


def test_what_one_person_buys_one_after_the_other_goes_together_too():
    things = shelf("camera lens")
    for number in range(3):
        who = person(f"P{number}")
        bought(who, things["camera"], days_ago=100)
        bought(who, things["lens"], days_ago=20)
    work_out()
    assert neighbours(things["camera"]) == ["lens"] and neighbours(things["lens"]) == ["camera"]


def test_what_people_look_at_in_one_visit_is_similar():
    things = shelf("oak walnut pine bread")
    for number in range(4):
        looked(person(f"P{number}"), things["oak"], things["walnut"], days_ago=number + 1)
    for number in range(4, 6):
        looked(person(f"P{number}"), things["oak"], things["pine"], days_ago=number + 1)
    looked(person("Machine"), things["oak"], things["bread"], actor="machine")
    work_out()
    assert neighbours(things["oak"], "similar") == ["walnut", "pine"]
    ana = person("Ana")
    looked(ana, things["oak"])
    assert names(shown(ana, "similar", 2)) == ["walnut", "pine"]
    assert shown(ana, "similar")[0].because == "looked at together with oak, which they looked at"


def test_nothing_sold_out_withdrawn_or_without_a_page_is_ever_shown():
    things = shelf("a b c d e f")
    crowd(3, *things.values())
    work_out()
    ana = person("Ana")
    bought(ana, things["a"])
    Product.objects.filter(name="b").update(in_stock=False)
    Product.objects.filter(name="c").update(is_active=False)
    Product.objects.filter(name="d").update(url="")
    for sort in SORTS:
        assert not {"b", "c", "d"} & set(names(shown(ana, sort))), sort
    assert "b" not in neighbours(things["a"])
    work_out()
    assert set(names(seller.product for seller in BestSeller.objects.filter(category=""))) == {"a", "e", "f"}


def test_what_was_just_bought_is_not_shown_unless_it_is_used_up():
    things = shelf("player speaker cable")
    fluid = product("fluid", "Care", consumable=True, days_of_supply=30)
    crowd(3, *things.values(), fluid)
    work_out()
    ana = person("Ana")
    bought(ana, things["player"], things["speaker"], fluid, days_ago=40)
    for sort in SORTS:
        assert not {"player", "speaker"} & set(names(shown(ana, sort))), sort
    assert "cable" in names(shown(ana, "together")) and "fluid" in names(shown(ana, "together"))
    boris = person("Boris")
    bought(boris, things["speaker"], days_ago=120)
    bought(boris, things["player"], days_ago=1)
    assert "speaker" in names(shown(boris, "best"))
    bought(boris, things["cable"], days_ago=3, status="cancelled")
    assert "cable" in names(shown(boris, "best"))


def test_what_they_buy_most_stands_first_and_what_is_used_up_before_all():
    coffee = product("coffee", "Food", consumable=True, days_of_supply=30)
    filters = product("filters", "Food", consumable=True, days_of_supply=30)
    soap = product("soap", "Home", consumable=True, days_of_supply=400)
    lamp, vase = product("lamp", "Home"), product("vase", "Home")
    ana = person("Ana")
    for days in (250, 200, 150, 101):
        bought(ana, vase, coffee, days_ago=days)
    bought(ana, filters, days_ago=40)
    bought(ana, coffee, days_ago=10)
    bought(ana, soap, lamp, days_ago=95)
    picks = shown(ana, "favourites", 2)
    # The coffee lasts as long as it always did: sixty days, of which ten are gone; the soap lasts a year.
    assert names(picks) == ["filters", "vase"]
    assert picks[0].because == "bought once, last on 21 Jan 2026; by now it should be used up"
    assert picks[1].because == "bought 4 times, last on 21 Nov 2025"


def test_new_is_what_came_lately_in_their_brands_and_categories():
    shelf("old older", "Speakers")
    product("new-speaker", "Speakers", age=5, brand="Other")
    product("new-oriel", "Lamps", age=9)
    product("new-toy", "Toys", age=3, brand="Toyman")
    ana = person("Ana")
    looked(ana, Product.objects.get(name="old"))
    picks = shown(ana, "fresh", 2)
    assert set(names(picks)) == {"new-speaker", "new-oriel"}
    assert {pick.because for pick in picks} == {"new in Speakers", "new in Oriel"}


def test_the_first_day_of_a_catalogue_is_nothing_new():
    shelf("a b", age=2)
    ana = person("Ana")
    looked(ana, Product.objects.get(name="a"))
    assert {pick.because for pick in shown(ana, "fresh")} == {"new in the shop"}


def test_the_cart_the_message_is_about_comes_first_and_is_not_shown_itself():
    things = shelf("deck needle amp wire")
    crowd(5, things["deck"], things["needle"])
    crowd(5, things["amp"], things["wire"], first=10)
    work_out()
    ana = person("Ana")
    bought(ana, things["amp"], days_ago=20)
    cart = office.cart(ana, things["deck"], at=AT)
    picks = shown(ana, "together", cart=cart.pk)
    assert names(picks)[:2] == ["needle", "wire"] and "deck" not in names(picks)
    assert picks[0].because == "bought together with deck, which is in the cart"


def test_where_there_is_too_little_best_sellers_of_the_category_follow_then_of_the_shop():
    speakers, lamps = shelf("s1 s2 s3"), shelf("l1 l2", "Lamps", brand="Lux")
    crowd(3, speakers["s2"])
    crowd(9, lamps["l1"], first=10)
    work_out()
    ana = person("Ana")
    looked(ana, speakers["s1"])
    picks = shown(ana, "similar", 4)
    assert names(picks)[:3] == ["s2", "s3", "l1"]
    assert [pick.because for pick in picks[:3]] == ["sells best in Speakers"] * 2 + ["sells best in the shop"]


@pytest.mark.parametrize("sort", SORTS)
def test_nobody_gets_nothing_while_the_shop_has_anything_in_stock(sort):
    product("only")
    assert names(shown(person("Nobody"), sort)) == ["only"]
    work_out()
    assert names(shown(person("Nobody2"), sort)) == ["only"]
    Product.objects.update(in_stock=False)
    assert shown(person("Nobody3"), sort) == []


def test_a_whole_batch_is_answered_in_the_same_number_of_queries():
    things = shelf(" ".join(f"p{number}" for number in range(12)))
    crowd(3, *things.values())
    work_out()
    people = [person(f"Reader{number}") for number in range(20)]
    for who in people:
        looked(who, things["p0"], things["p1"])
    counts = []
    for some in (people[:1], people):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = recommend.picks([Wanted(key, who.pk) for key, who in enumerate(some)], SORTS, AT)
        assert all(len(found[key][sort]) == 6 for key in found for sort in SORTS)
        counts.append(len(queries))
    assert counts == [2, 2]


def test_ranges_of_products_make_the_same_as_all_at_once(monkeypatch):
    things = list(shelf(" ".join(f"p{number}" for number in range(15))).values())
    for number in range(20):
        bought(person(f"B{number}"), *things[number % 5 :: 3], days_ago=number)
    work_out()
    whole = list(Neighbour.objects.values_list("product", "sort", "place", "other", "times"))
    monkeypatch.setattr(recommending, "PAIRS_AT_ONCE", 7)
    monkeypatch.setattr(recommending, "_tell", lambda words, done, of: told.append(of))
    told: list[int] = []
    work_out()
    assert list(Neighbour.objects.values_list("product", "sort", "place", "other", "times")) == whole
    assert whole and max(told) > 5


def test_what_is_kept_of_buying_answers_as_the_orders_do(monkeypatch):
    """Both ways of reading what people bought: kept for each of them, or counted from their orders."""
    things = list(shelf("a b c d e f g")) + list(shelf("k l", "Care", consumable=True, days_of_supply=30))
    things = [Product.objects.get(name=name) for name in things]
    people = [person(f"P{number}") for number in range(9)]
    for number, who in enumerate(people):
        for again in range(number % 3 + 1):
            bought(who, *things[number % 4 :: again + 2], days_ago=7 + 31 * again + number)
        bought(who, things[number % 7], days_ago=2, status="cancelled")
        looked(who, things[-number % 9], days_ago=number + 1)
    told = []
    for whole in (True, False):
        monkeypatch.setattr(bought_kept, "are_whole", lambda whole=whole: whole)
        work_out()
        wanted = [Wanted(key, who.pk) for key, who in enumerate(people)]
        rows = [BestSeller.objects.values_list(), Neighbour.objects.values_list()]
        answers = recommend.picks(wanted, SORTS, AT), recommend.looked_at(wanted, AT)
        told.append((*map(list, rows), *answers, recommend.categories_of(wanted, AT)))
    assert told[0] == told[1] and all(told[0])


def test_whoever_bought_nearly_everything_still_gets_what_is_left():
    things = list(shelf(" ".join(f"p{number:02}" for number in range(40))).values())
    for number, thing in enumerate(things):
        crowd(2 + (40 - number) // 10, thing, first=number * 10)
    work_out()
    ana = person("Ana")
    bought(ana, *things[:36], days_ago=30)
    left = {f"p{number}" for number in range(36, 40)}
    for sort in SORTS:
        assert set(names(shown(ana, sort))) == left, sort


def test_a_buyer_of_everything_says_little_of_anything():
    things = shelf(" ".join(f"p{number:02}" for number in range(40)))
    crowd(2, things["p00"], things["p01"])
    crowd(3, *things.values(), first=10)
    work_out()
    assert neighbours(things["p00"])[0] == "p01"


def test_it_is_worked_out_at_night_and_when_somebody_asks():
    office.set_up_shop(time_zone="Europe/Amsterdam")
    things = shelf("a b")
    crowd(2, *things.values())
    assert recommending.keep_up(AT) == 2  # never before
    assert recommending.keep_up(AT + timedelta(hours=1)) == 0
    recommending.ask("ada", AT + timedelta(hours=2))
    recommending.ask("mia", AT + timedelta(hours=2))
    assert recommending.keep_up(AT + timedelta(hours=2)) == 2
    assert RecommendationRun.objects.get(asked_by="ada").finished_at == AT + timedelta(hours=2)
    night = AT.replace(hour=2, minute=30) + timedelta(days=1)  # half past three there
    assert recommending.keep_up(night - timedelta(hours=1)) == 0
    assert recommending.keep_up(night) == 2
    assert RecommendationRun.objects.count() == 3 and recommending.last_done().started_at == night


def test_a_run_that_fails_says_so_and_leaves_the_former_answers(monkeypatch):
    things = shelf("a b")
    crowd(2, *things.values())
    work_out()
    monkeypatch.setattr(recommending_sql, "best", lambda whole: "SELECT 1/0")
    with pytest.raises(Exception, match="division by zero"):
        recommending.compute(AT + timedelta(days=1))
    assert Neighbour.objects.count() == 2 and BestSeller.objects.exists()
    assert "division by zero" in RecommendationRun.objects.latest("pk").error
    assert recommending.last_done().started_at == AT


def test_viewed_is_what_they_looked_at_and_did_not_buy():
    things = shelf("a b c d")
    ana = person("Ana")
    looked(ana, things["a"], days_ago=40)
    looked(ana, things["b"], things["c"], things["d"], days_ago=3)
    bought(ana, things["c"], days_ago=2)
    Product.objects.filter(name="d").update(in_stock=False)
    assert names(recommend.looked_at([Wanted(1, ana.pk)], AT)[1]) == ["b"]
    looked(ana, things["a"], days_ago=2)
    assert names(recommend.looked_at([Wanted(1, ana.pk)], AT)[1]) == ["a", "b"]
    assert shelves.when(1) < AT


def message(*blocks):
    template = Template.objects.create(name="Picks")
    editing.save_version(
        template, subject="For you", preheader="", blocks=[*blocks, FOOTER], by=None, now=AT - shelves.DAY
    )
    return template


FOOTER = {"kind": "campaigns.footer", "params": {"because": "You agreed."}}


def block(kind, **params):
    return {"kind": f"campaigns.{kind}", "params": params}


def test_a_message_shows_what_is_recommended_and_remembers_which_products():
    things = shelf("deck needle amp")
    crowd(4, things["deck"], things["needle"])
    work_out()
    [delivery] = mailing.queue(
        1,
        template=message(
            block("recommendations", sort="together", title="Goes with it", number=1, look="grid"),
            block("viewed", title="You looked at", number=2, look="list"),
        ),
    )
    ana = Contact.objects.get(pk=delivery.contact_id)
    looked(ana, things["deck"], things["amp"])
    mail = rendering.prepare([delivery], AT)[delivery.pk]
    assert "Goes with it\n\nneedle: €10.00\nhttps://shop.test/p/needle" in mail.text
    assert mail.text.index("You looked at") < mail.text.index("amp:") < mail.text.index("deck:")
    assert set(delivery.products) == {thing.pk for thing in things.values()}
    assert "https://shop.test/p/needle" in mail.html or "/c/" in mail.html


def test_a_block_falls_away_for_somebody_of_whom_there_is_nothing_to_show():
    [delivery] = mailing.queue(
        1,
        template=message(
            block("viewed", title="You looked at", number=2, look="grid"),
            block("recommendations", sort="best", title="Best of all", number=2, look="grid"),
            block("reading", title="Worth reading", number=2),
        ),
    )
    mail = rendering.prepare([delivery], AT)[delivery.pk]
    for title in ("You looked at", "Best of all", "Worth reading"):
        assert title not in mail.text and title not in mail.html
    assert delivery.products is None and delivery.products_stamp is None


def test_only_what_templates_speak_of_is_asked(monkeypatch):
    shelf("a b")
    asked = []
    monkeypatch.setattr(recommend, "_ask", lambda names, *rest: asked.extend(names) or [])
    [delivery] = mailing.queue(
        1, template=message(block("recommendations", sort="fresh", title="New", number=2, look="list"))
    )
    rendering.prepare([delivery], AT)
    assert asked == ["fresh"]


def test_reading_is_for_what_they_look_at_then_for_everybody_and_never_for_somebody_else():
    def item(title, days, **more):
        return ContentItem.objects.create(
            title=title, url=f"https://shop.test/{title}", published_at=shelves.when(days), **more
        )

    item("for-all", 1)
    item("of-speakers", 9, categories=["Speakers"])
    item("of-oriel", 5, brands=["Oriel"])
    item("of-toys", 0.5, categories=["Toys"])
    item("tomorrow", -1)
    item("hidden", 2, is_active=False)
    ana = person("Ana")
    looked(ana, product("s1"))
    cares = recommend.categories_of([Wanted(1, ana.pk), Wanted(2, person("Boris").pk)], AT)
    items = content.published(AT)
    assert [one.title for one in content.for_somebody(items, cares[1])] == [
        "of-oriel",
        "of-speakers",
        "for-all",
    ]
    assert [one.title for one in content.for_somebody(items, cares[2])] == ["for-all"]
    opened(ana, "https://shop.test/of-oriel/?utm_source=mail")
    read = content.read_by([ana.pk], items, AT)
    assert [one.title for one in content.for_somebody(items, cares[1], read=read[ana.pk])] == [
        "of-speakers",
        "for-all",
    ]


def opened(contact, url):
    Event.objects.create(contact=contact, kind="page", url=url, occurred_at=shelves.when(3), recorded_at=AT)


def test_two_lists_of_one_message_do_not_show_one_product_twice():
    shelf("a b c d e f g h")
    ana = person("Ana")
    one = Recipient(1, ana, ana.email)
    names = frozenset({"fresh", "best"})
    told = kinds.facts.get("campaigns.recommend").load(Asked([one], names, ShopSettings(currency="EUR"), AT))[
        1
    ]
    fresh, best = ([thing["name"] for thing in told[sort]] for sort in ("fresh", "best"))
    assert len(fresh) == 6 and len(best) >= 4 and not set(fresh[:4]) & set(best)
