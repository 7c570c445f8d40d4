"""The storefront as one site: which page answers where, and what its pages may load."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from .frame import Frame, Links
from .people import People
from .product_api import ProductAPI
from .shelves import Shelves
from .till import Till
from .web import Response, Site, View, static


class Shop:
    """`site` is what a server serves."""

    def __init__(self, links: Links) -> None:
        frame = Frame(links)
        collect = _origin(links.collect_url)
        self.site = Site(
            f"default-src 'none'; script-src 'self' {collect}; connect-src 'self' {collect}; "
            f"style-src 'self'; img-src 'self' data: {collect}; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'",
            frame.missing,
        )
        api = ProductAPI(links.collect_url, links.web_url, links.server_key)
        for method, path, view in self._routes(Shelves(frame), Till(frame, api), People(frame)):
            self.site.route(method, path, view)

    def _routes(self, shelves: Shelves, till: Till, people: People) -> Iterator[tuple[str, str, View]]:
        yield "GET", "/", shelves.home
        yield "GET", "/c/{key}", shelves.category
        yield "GET", "/p/{key}", shelves.product
        yield "GET", "/cart", till.cart
        yield "POST", "/cart/add", till.add
        yield "POST", "/cart/set", till.set_quantity
        yield "GET", "/cart/restore", till.restore
        yield "POST", "/cart/restore", till.bring_back
        yield "GET", "/checkout", till.checkout
        yield "POST", "/checkout", till.buy
        yield "GET", "/thanks", till.thanks
        yield "POST", "/account", people.take_address
        yield "POST", "/identity", people.identity
        yield "POST", "/identity/told", people.identity_told
        yield "POST", "/forget", people.forget
        yield "GET", "/choices", people.choices
        yield "POST", "/choices", people.choose
        yield "GET", "/pictures/{name}", shelves.draw
        yield "GET", "/shop.css", static("shop.css", "text/css; charset=utf-8")
        yield "GET", "/shop.js", static("shop.js", "text/javascript; charset=utf-8")
        yield "GET", "/icon.svg", static("icon.svg", "image/svg+xml")
        yield "GET", "/mara.svg", static("mara.svg", "image/svg+xml")
        yield "GET", "/healthz", lambda request: Response("ok", kind="text/plain")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
