"""The storefront's cart and checkout, and the restore link that brings a left cart back."""

from crm.kernel import clock

from . import fragments
from .carts import Customer, Line
from .catalogue import BY_ID, CURRENCY, percent_of
from .frame import Frame, looks_like_address
from .product_api import ProductAPI
from .shop_orders import Order
from .visit import Visit, visitor_of
from .web import Request, Response, joined, page, redirect

HIDDEN_FROM_RESTORE = frozenset({"token"})


class Till:
    def __init__(self, frame: Frame, api: ProductAPI) -> None:
        self.frame = frame
        self.api = api

    def cart(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        if not visit.cart.quantities:
            return self.frame.page(visit, "Your cart", page("cart_empty.html"))
        main = page(
            "cart.html",
            lines=joined([fragments.cart_line(line) for line in visit.cart.lines]),
            totals=fragments.totals_list(visit.cart.totals()),
            capture=self.frame.capture(visit),
        )
        return self.frame.page(visit, "Your cart", main)

    def add(self, request: Request) -> Response:
        product_id = request.form.get("product", "")
        visit = self.frame.visits.of(request)
        already = visit.cart.quantities.get(product_id, 0)
        visit.cart.put(product_id, already + max(_whole(request.form.get("quantity"), 1), 1))
        return self._changed(visit)

    def set_quantity(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        visit.cart.put(request.form.get("product", ""), _whole(request.form.get("quantity"), 0))
        return self._changed(visit)

    def _changed(self, visit: Visit) -> Response:
        self.frame.shelf.keep(visit.cart)
        visit.call_next("cart", visit.cart.as_event(self.frame.links.shop_url))
        return visit.on(redirect("/cart"))

    # The restore link: a look changes nothing, the person's button brings the cart back

    def restore(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        _, items = self._restored(request.query.get("token", ""))
        lines = [Line(BY_ID[key], quantity) for key, quantity in items]
        if not lines:
            return self.frame.page(visit, "Your cart", page("restore_gone.html"))
        main = page(
            "restore.html", lines=fragments.brief_lines(lines), hidden=fragments.hidden_fields(request.query)
        )
        return self.frame.page(visit, "Your cart is still here", main)

    def bring_back(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        link = request.form.get("token", "")
        token, items = self._restored(link)
        kept = {name: value for name, value in request.form.items() if name not in HIDDEN_FROM_RESTORE}
        if items:
            visit.cart = self.frame.shelf.bring_back(token, items, visit.cart)
            visit.call_next("restore", {"token": link, "cart_token": visit.cart.token})
            visit.call_next("cart", visit.cart.as_event(self.frame.links.shop_url))
            visit.say("Welcome back. Everything is where you left it.")
        return visit.on(redirect("/cart", **kept))

    def _restored(self, token: str) -> tuple[str, list[tuple[str, int]]]:
        found = (self.api.restore(token) if token else None) or {}
        told = found.get("items")
        items = [
            (str(item.get("product_id")), max(_whole(item.get("quantity"), 1), 1))
            for item in (told if isinstance(told, list) else [])
            if isinstance(item, dict) and str(item.get("product_id")) in BY_ID
        ]
        return str(found.get("cart_token") or ""), items

    # Checkout

    def checkout(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        if not visit.cart.quantities:
            return visit.on(redirect("/cart"))
        visit.call(
            "checkout", {"token": visit.cart.token, "checkout_id": visit.cart.token, "currency": CURRENCY}
        )
        known = visit.customer or Customer("", "")
        totals = visit.cart.totals()
        main = page(
            "checkout.html",
            first_name=known.first_name,
            last_name=known.last_name,
            email=known.email,
            phone=known.phone,
            total=fragments.money(totals.total),
            totals=fragments.totals_list(totals),
            lines=fragments.brief_lines(visit.cart.lines),
        )
        return self.frame.page(visit, "Checkout", main)

    def buy(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        form = {name: value.strip() for name, value in request.form.items()}
        if not visit.cart.quantities:
            return visit.on(redirect("/cart"))
        if not looks_like_address(form.get("email", "")):
            visit.say("Please give an e-mail address.")
            return visit.on(redirect("/checkout"))
        customer = Customer(
            form["email"], form.get("first_name", ""), form.get("last_name", ""), form.get("phone", "")
        )
        coupon = form.get("coupon", "").upper()
        order = Order.of(
            visit.cart, customer, coupon if percent_of(coupon) else "", visitor_of(request), clock.now()
        )
        visit.sign_in(customer, {})
        self.api.send_order_soon(order.for_server(self.frame.links.shop_url))
        visit.call_next("order", order.for_script(self.frame.links.shop_url))
        visit.last_order = order
        self.frame.shelf.close(visit.cart)
        visit.cart = self.frame.shelf.cart("")
        return visit.on(redirect("/thanks"))

    def thanks(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        order = visit.last_order
        if order is None:
            return visit.on(redirect("/"))
        main = page(
            "thanks.html",
            first=order.lines[0].product.id,
            name=order.customer.first_name,
            number=order.number,
            total=fragments.money(order.totals.total),
            email=order.customer.email,
        )
        return self.frame.page(visit, "Thank you", main)


def _whole(value: object, otherwise: int) -> int:
    """A small whole number, however it was written."""
    text = str(value).strip().removesuffix(".0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else otherwise
