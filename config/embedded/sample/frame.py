"""What every page of the storefront shares: its frame, the script, and the shop's word about who visits."""

from dataclasses import dataclass

from crm.kernel import clock

from . import fragments, wordings
from .carts import Customer, Shelf
from .catalogue import SHOP_NAME
from .visit import Visit, Visits
from .web import Markup, Request, Response, page


@dataclass(frozen=True, slots=True)
class Links:
    """Where the storefront finds everything else."""

    shop_url: str
    collect_url: str
    inbox_url: str
    ingest_key: str
    server_key: str
    signing_key: str
    web_url: str


class Frame:
    def __init__(self, links: Links) -> None:
        self.links = links
        self.shelf = Shelf()
        self.visits = Visits(self.shelf)

    def page(self, visit: Visit, title: str, main: Markup, current: str = "", status: int = 200) -> Response:
        script = page("script.html", url=self.links.collect_url, key=self.links.ingest_key)
        notice = visit.take_notice()
        body = page(
            "layout.html",
            title=title,
            shop=SHOP_NAME,
            data=fragments.data_block(visit.take_calls()),
            script=script,
            count=visit.cart.count,
            nav=fragments.navigation(current),
            notice=page("notice.html", text=notice) if notice else "",
            main=main,
            inbox=self.links.inbox_url,
            banner=page("banner.html", back=visit.path) if visit.tracking is None else "",
        )
        return visit.on(Response(body, status))

    def capture(self, visit: Visit) -> Markup:
        if visit.customer:
            name = visit.customer.first_name or "again"
            return page("known.html", back=visit.path, name=name, email=visit.customer.email)
        return page(
            "capture.html",
            back=visit.path,
            reminder_wording=wordings.REMINDER_WORDING,
            newsletter_wording=wordings.NEWSLETTER_WORDING,
        )

    def sign_in(
        self, visit: Visit, customer: Customer, visitor_id: str, consents: list[dict[str, object]]
    ) -> None:
        visit.customer = customer
        visit.call_next(
            "identify", visit.identity(customer, visitor_id, consents, self.links.signing_key, clock.now())
        )

    def missing(self, request: Request) -> Response:
        return self.page(self.visits.of(request), "Not found", page("missing.html"), status=404)


def looks_like_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return (
        bool(local and at and "." in domain.strip("."))
        and len(text) <= 254
        and not any(c.isspace() for c in text)
    )


def back(request: Request) -> str:
    """Where a form returns to: a path of this shop, whatever was sent."""
    path = request.form.get("back", "/")
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if own and path.isascii() else "/"
