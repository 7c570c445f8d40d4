"""The storefront's shelves: the home page, categories, products and their pictures."""

from . import fragments
from .catalogue import BY_CATEGORY, BY_ID, CATEGORIES, CURRENCY, Category, Product
from .frame import Frame
from .pictures import picture
from .web import Request, Response, joined, page


class Shelves:
    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def home(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        sections = joined([fragments.category_section(each) for each in CATEGORIES])
        main = page("home.html", capture=self.frame.capture(visit), sections=sections)
        return self.frame.page(visit, "Home audio", main)

    def category(self, request: Request, key: str) -> Response:
        found = next((each for each in CATEGORIES if each.key == key), None)
        if found is None:
            return self.frame.missing(request)
        visit = self.frame.visits.of(request)
        main = page(
            "category.html",
            name=found.name,
            line=found.line,
            cards=fragments.cards(BY_CATEGORY[key]),
            capture=self.frame.capture(visit),
        )
        return self.frame.page(visit, found.name, main, current=key)

    def product(self, request: Request, key: str) -> Response:
        found = BY_ID.get(key)
        if found is None:
            return self.frame.missing(request)
        visit = self.frame.visits.of(request)
        category = next(each for each in CATEGORIES if each.key == found.category)
        visit.call("product", self._product_event(found, category))
        main = page(
            "product.html",
            id=found.id,
            name=found.name,
            brand=found.brand,
            line=found.line,
            picture=found.picture,
            price=fragments.price(found),
            category=category.key,
            category_name=category.name,
            points=joined([page("point.html", text=point) for point in found.points]),
            others=fragments.cards(fragments.companions(found)),
            capture=self.frame.capture(visit),
        )
        return self.frame.page(visit, found.name, main, current=category.key)

    def draw(self, request: Request, name: str) -> Response:
        drawn = picture(name.removesuffix(".svg"))
        if drawn is None:
            return self.frame.missing(request)
        return Response(drawn, kind="image/svg+xml", headers=[("Cache-Control", "public, max-age=86400")])

    def _product_event(self, product: Product, category: Category) -> dict[str, object]:
        return {
            "product_id": product.id,
            "sku": product.sku,
            "name": product.name,
            "brand": product.brand,
            "category": category.name,
            "price": str(product.price),
            "list_price": str(product.list_price or ""),
            "currency": CURRENCY,
            "url": self.frame.links.shop_url + product.path,
            "image": self.frame.links.shop_url + product.picture,
        }
