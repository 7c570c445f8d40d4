"""What every page of the storefront shares: its frame, the script, and the shop's word about who visits."""

from dataclasses import dataclass

from . import fragments, wordings
from .carts import Shelf
from .catalogue import SHOP_NAME
from .visit import Visit, Visits
from .web import Markup, Request, Response, joined, page


@dataclass(frozen=True, slots=True)
class Links:
    """Where the storefront finds everything else."""

    shop_url: str
    collect_url: str
    inbox_url: str
    ingest_key: str
    server_key: str
    web_url: str


class Frame:
    def __init__(self, links: Links) -> None:
        self.links = links
        self.shelf = Shelf()
        self.visits = Visits(self.shelf)

    def page(self, visit: Visit, title: str, main: Markup, current: str = "", status: int = 200) -> Response:
        script = page(
            "script.html",
            url=self.links.collect_url,
            key=self.links.ingest_key,
            pending=Markup(' data-consent="pending"') if visit.tracking is None else "",
        )
        notice = visit.take_notice()
        body = page(
            "layout.html",
            title=title,
            shop=SHOP_NAME,
            data=fragments.data_block(visit.take_calls(), visit.identity_to_tell),
            script=script,
            count=visit.cart.count,
            nav=fragments.navigation(current),
            notice=page("notice.html", text=notice) if notice else "",
            main=main,
            inbox=self.links.inbox_url,
            banner=self._banner(visit),
        )
        return visit.on(Response(body, status))

    def _banner(self, visit: Visit) -> Markup:
        """The cookie choice, until it was made."""
        if visit.tracking is not None:
            return Markup()
        return page("banner.html", back=visit.path, wording=wordings.TRACKING_WORDING)

    def capture(self, visit: Visit) -> Markup:
        """The form that asks for an address; once it is known, what will come of it."""
        tracking = page("tick_tracking.html", wording=wordings.TRACKING_WORDING) if not visit.tracking else ""
        reminder = page("tick_reminder.html", wording=wordings.REMINDER_WORDING)
        customer = visit.customer
        if customer is None:
            return page(
                "capture.html",
                back=visit.path,
                reminder=reminder,
                tracking=tracking,
                newsletter_wording=wordings.NEWSLETTER_WORDING,
            )
        wants = "cart_recovery" in visit.agreed
        missing = joined([Markup(reminder if not wants else ""), Markup(tracking)])
        return page(
            "known.html",
            back=visit.path,
            name=customer.first_name or "again",
            email=customer.email,
            reminder="A reminder comes if you leave it behind." if wants and visit.tracking else "",
            ask=page(
                "ask_reminder.html",
                back=visit.path,
                email=customer.email,
                first_name=customer.first_name,
                wants="yes" if wants else "",
                missing=missing,
            )
            if missing
            else "",
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
