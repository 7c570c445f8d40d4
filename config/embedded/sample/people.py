"""What visitors tell the storefront about themselves: an address, and what they allow."""

import json

from crm.kernel import clock

from . import wordings
from .carts import Customer
from .frame import Frame, back, looks_like_address
from .visit import Visit, visitor_of
from .web import Request, Response, page, redirect


class People:
    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def take_address(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        email = request.form.get("email", "").strip()
        if not looks_like_address(email):
            visit.say("Please give an e-mail address.")
            return visit.on(redirect(back(request)))
        if request.form.get("tracking") == "yes":
            self._allow(visit)
        shown = {"cart_recovery": wordings.REMINDER_WORDING, "newsletter": wordings.NEWSLETTER_WORDING}
        ticked = {purpose: shown[purpose] for purpose in shown if request.form.get(purpose) == "yes"}
        visit.sign_in(Customer(email, request.form.get("first_name", "").strip()), ticked)
        visit.say("Thank you. Your cart is kept.")
        return visit.on(redirect(back(request)))

    def identity(self, request: Request) -> Response:
        """The signed identity of this browser's customer, for the page to tell with the script."""
        visit = self.frame.visits.of(request)
        visitor_id = visitor_of(request)
        if not visit.tracking or not visitor_id:
            return Response("", 204)
        told = visit.tell_identity(visitor_id, self.frame.links.server_key, clock.now())
        return visit.on(Response(json.dumps(told), kind="application/json") if told else Response("", 204))

    def identity_told(self, request: Request) -> Response:
        """A page has handed the identity to the script."""
        visit = self.frame.visits.of(request)
        visit.identity_told(request.form.get("sign_in", ""))
        return visit.on(Response("", 204))

    def forget(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        visit.sign_out()
        return visit.on(redirect(back(request)))

    def choices(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        now = {True: "you allow it", False: "you do not allow it", None: "you have not chosen yet"}[
            visit.tracking
        ]
        return self.frame.page(visit, "Cookie choices", page("choices.html", now=now))

    def choose(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        if request.form.get("tracking") == "yes":
            self._allow(visit)
        else:
            visit.tracking = False
        return visit.on(redirect(back(request)))

    def _allow(self, visit: Visit) -> None:
        """From now on; what stands in the cart already is told with the next page."""
        if not visit.tracking and visit.cart.quantities:
            visit.call_next("cart", visit.cart.as_event(self.frame.links.shop_url))
        visit.tracking = True
