"""What a colleague sees of recommendations: on a product, on a person, and on a page of their own."""

import pytest
from django.core.cache import cache

from campaigns.messages import recommending
from campaigns.models import ContentItem, RecommendationRun
from crm.kernel import clock
from crm.models import Product
from tests import office
from tests.campaigns import shelves
from tests.campaigns.shelves import AT, bought, crowd, looked, shelf

pytestmark = pytest.mark.django_db

PAGE = "/admin/campaigns/recommendationrun/"


@pytest.fixture
def shop():
    office.set_up_shop()
    things = shelf("deck needle amp")
    crowd(4, things["deck"], things["needle"])
    return things


def get(client, page, **query):
    with clock.frozen(AT):
        answer = client.get(page, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_products_page_says_what_goes_with_it_and_when_that_was_worked_out(ada, shop):
    page = f"/admin/crm/product/{shop['deck'].pk}/change/"
    assert "Not worked out yet." in get(ada, page)
    recommending.compute(AT)
    text = get(ada, page)
    assert "Bought together" in text and "4 times together" in text and ">needle</a>" in text
    assert "nobody looked at it and something else in one visit" in text and "Worked out" in text
    Product.objects.filter(name="needle").update(in_stock=False)
    assert "4 times together" not in get(ada, page)


def test_a_persons_page_says_what_we_would_show_and_why(ada, shop):
    recommending.compute(AT)
    ana = shelves.person("Ana")
    looked(ana, shop["amp"])
    bought(ana, shop["deck"], days_ago=9)
    assert "What we would show" in get(ada, f"/admin/crm/contact/{ana.pk}/change/")
    text = get(ada, f"/admin/crm/contact/{ana.pk}/panel/campaigns.would_show/")
    assert "Looked at and not bought" in text
    assert "bought together with deck, which they bought" in text


def test_the_page_lists_best_sellers_in_the_shop_and_in_a_category(ada, vera, shop):
    text = get(vera, PAGE)
    assert "Not worked out yet" in text and "None yet" in text and "Work it out now" not in text
    crowd(6, *shelf("lamp", "Lamps").values(), first=30)
    recommending.compute(AT)
    Product.objects.filter(name="amp").update(in_stock=False)
    text = get(ada, PAGE)
    assert text.index(">lamp</a>") < text.index(">deck</a>") and "sold out: not shown" in text
    assert ">deck</a>" not in get(ada, PAGE, category="Lamps")
    assert ">deck</a>" in get(ada, PAGE, category="No such thing")


def test_a_colleague_has_it_worked_out_and_sees_how_far_it_is(ada, vera, sten, shop, clean_broker):
    assert vera.post(f"{PAGE}now/").status_code == 403 and sten.get(f"{PAGE}progress/").status_code == 403
    for _twice in range(2):
        assert ada.post(f"{PAGE}now/").status_code == 302
    run = RecommendationRun.objects.get()
    assert (run.asked_by, run.started_at) == ("ada", None)
    assert "Waiting for a worker." in get(ada, f"{PAGE}progress/")
    cache.set(recommending.PROGRESS, ("What is bought together", 3, 12), 60)
    text = get(ada, PAGE)
    assert "What is bought together" in text and 'value="25"' in text and "Work it out now" not in text
    assert recommending.keep_up(AT) > 0
    with clock.frozen(AT):
        done = ada.get(f"{PAGE}progress/")
    assert done["HX-Refresh"] == "true" and "Work it out now" in done.content.decode()
    assert recommending.progress() is None


def test_a_run_that_failed_is_told_with_its_error(ada, shop, monkeypatch):
    monkeypatch.setattr(recommending.recommending_sql, "best", lambda whole: "SELECT 1/0")
    with pytest.raises(Exception, match="division"):
        recommending.compute(AT)
    text = get(ada, PAGE)
    assert "failed" in text and "division by zero" in text and "Work it out now" in text


def test_an_article_is_written_for_categories_of_the_catalogue(ada, shop):
    new = "/admin/campaigns/contentitem/add/"
    assert 'value="Speakers"' in get(ada, new)
    values = {
        "title": "Placing speakers",
        "url": "shop.example/journal/placing",
        "categories": ["Speakers"],
        "is_active": "on",
        "published_at_0": "2026-03-01",
        "published_at_1": "10:00",
    }
    answer = ada.post(new, values)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    item = ContentItem.objects.get()
    assert (item.url, item.categories, item.brands) == (
        "https://shop.example/journal/placing",
        ["Speakers"],
        [],
    )
    assert "Speakers" in get(ada, "/admin/campaigns/contentitem/")
    wrong = ada.post(new, values | {"url": "javascript:alert(1)", "categories": ["Toys"]})
    assert set(wrong.context["adminform"].form.errors) == {"url", "categories"}
