"""What visitors tell the storefront about themselves: an address, and what they allow."""

from . import wordings
from .carts import Customer
from .frame import Frame, back, looks_like_address
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
        shown = {"cart_recovery": wordings.REMINDER_WORDING, "marketing": wordings.NEWSLETTER_WORDING}
        consents = [
            {"purpose": purpose, "granted": True, "wording": wording}
            for purpose, wording in shown.items()
            if request.form.get(purpose) == "yes"
        ]
        customer = Customer(email, request.form.get("first_name", "").strip())
        self.frame.sign_in(visit, customer, request.form.get("visitor", ""), consents)
        visit.say("Thank you. Your cart is kept.")
        return visit.on(redirect(back(request)))

    def forget(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        visit.customer = None
        return visit.on(redirect(back(request)))

    def choices(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        now = {True: "you allow it", False: "you do not allow it", None: "you have not chosen yet"}[
            visit.tracking
        ]
        return self.frame.page(visit, "Cookie choices", page("choices.html", now=now))

    def choose(self, request: Request) -> Response:
        visit = self.frame.visits.of(request)
        visit.tracking = request.form.get("tracking") == "yes"
        return visit.on(redirect(back(request)))
