"""The inbox page: every message the program sent, as its reader sees it, and as it came over the wire."""

import json
import re
from urllib.parse import urlsplit

from . import mailbox as mail
from .mailbox import Entry, Mailbox
from .product_api import Unanswered, call
from .web import Markup, Request, Response, Site, joined, page, redirect, static

SHOWN = 200
LETTER_CSP = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src http: https: data:; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
WEIGHTY_HEADERS = (
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Id",
    "Precedence",
    "Auto-Submitted",
)


class Inbox:
    """The inbox's views over a mailbox. `unsubscribe_at` is the origin its one-click button may post to."""

    def __init__(self, mailbox: Mailbox, shop_url: str, unsubscribe_at: str = "") -> None:
        self.mailbox = mailbox
        self.shop_url = shop_url
        self.unsubscribe_at = unsubscribe_at
        self.site = Site(
            "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; "
            "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        for method, path, view in (
            ("GET", "/", self.listing),
            ("GET", "/newest.json", self.newest),
            ("GET", "/m/{name}", self.message),
            ("GET", "/m/{name}/html", self.letter),
            ("GET", "/m/{name}/raw", self.raw),
            ("POST", "/m/{name}/unsubscribe", self.unsubscribe),
            ("POST", "/empty", self.empty),
            ("GET", "/inbox.css", static("inbox.css", "text/css; charset=utf-8")),
            ("GET", "/inbox.js", static("inbox.js", "text/javascript; charset=utf-8")),
            ("GET", "/icon.svg", static("inbox.svg", "image/svg+xml")),
            ("GET", "/healthz", lambda request: Response("ok", kind="text/plain")),
        ):
            self.site.route(method, path, view)

    def listing(self, request: Request) -> Response:
        wanted = request.query.get("q", "").strip()
        entries = self.mailbox.newest(wanted)
        rows = joined([_row(entry) for entry in entries[:SHOWN]])
        if not entries:
            rows = (
                page("inbox_none.html", wanted=wanted)
                if wanted
                else page("inbox_empty.html", shop=self.shop_url)
            )
        count = f"{len(entries)} message{'' if len(entries) == 1 else 's'}"
        if len(entries) > SHOWN:
            count += f", the newest {SHOWN} shown"
        main = page("inbox_list.html", rows=rows, wanted=wanted, count=count)
        return self._page(
            "Inbox", main, newest=entries[0].name if entries and not wanted else "", live=not wanted
        )

    def newest(self, request: Request) -> Response:
        """What the list's script asks every few seconds."""
        entries = self.mailbox.newest()
        answer = {"newest": entries[0].name if entries else "", "count": len(entries)}
        return Response(json.dumps(answer), kind="application/json")

    def message(self, request: Request, name: str) -> Response:
        entry, raw = self.mailbox.entry(name), self.mailbox.raw(name)
        if entry is None or raw is None:
            return self._missing()
        message = mail.parsed(raw)
        text, html = mail.body(message, "plain"), mail.body(message, "html")
        headers = joined(
            [
                page("inbox_header.html", name=each, value=mail.header(message, each))
                for each in WEIGHTY_HEADERS
                if message.get(each) is not None
            ]
        )
        main = page(
            "inbox_message.html",
            subject=entry.subject or "(no subject)",
            sender=entry.sender,
            to=entry.to,
            envelope=", ".join(entry.rcpt_to),
            received_at=entry.received_at,
            letter=page("inbox_letter.html", name=name) if html else "",
            text=text or "(no text part)",
            text_first="" if html else Markup(" open"),
            headers=headers,
            raw=raw.decode("utf-8", "replace"),
            name=name,
            unsubscribe=page("inbox_unsubscribe.html", name=name) if self._one_click(message) else "",
            notice=page("notice.html", text=request.query["said"]) if request.query.get("said") else "",
        )
        return self._page(entry.subject or "Message", main)

    def letter(self, request: Request, name: str) -> Response:
        """The HTML part alone, in a document that can run nothing; links open beside it."""
        raw = self.mailbox.raw(name)
        if raw is None:
            return self._missing()
        html = mail.body(mail.parsed(raw), "html")
        return Response(_links_beside(html), headers=[("Content-Security-Policy", LETTER_CSP)])

    def raw(self, request: Request, name: str) -> Response:
        raw = self.mailbox.raw(name)
        if raw is None:
            return self._missing()
        return Response(
            raw,
            kind="text/plain; charset=utf-8",
            headers=[("Content-Disposition", f'attachment; filename="{name}.eml"')],
        )

    def unsubscribe(self, request: Request, name: str) -> Response:
        """What a mail program does when its reader taps *unsubscribe* (RFC 8058)."""
        raw = self.mailbox.raw(name)
        url = self._one_click(mail.parsed(raw)) if raw else ""
        if not url:
            return self._missing()
        try:
            status, _ = call(
                "POST",
                url,
                body=b"List-Unsubscribe=One-Click",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
            said = "Unsubscribed with one click." if 200 <= status < 300 else f"The answer was {status}."
        except Unanswered as error:
            said = f"No answer: {error}"
        return redirect(f"/m/{name}", said=said)

    def empty(self, request: Request) -> Response:
        self.mailbox.clear()
        return redirect("/")

    def _one_click(self, message: mail.EmailMessage) -> str:
        """The message's one-click address, when it has one and it is the product's own."""
        if "one-click" not in mail.header(message, "List-Unsubscribe-Post").casefold():
            return ""
        for url in re.findall(r"<(https?://[^>\s]+)>", mail.header(message, "List-Unsubscribe")):
            parts = urlsplit(url)
            if f"{parts.scheme}://{parts.netloc}" == self.unsubscribe_at:
                return url
        return ""

    def _page(self, title: str, main: Markup, newest: str = "", live: bool = False) -> Response:
        refresh = Markup('<noscript><meta http-equiv="refresh" content="5"></noscript>') if live else ""
        script = Markup('<script src="/inbox.js" defer></script>')
        body = page(
            "inbox_layout.html",
            title=title,
            main=main,
            newest=newest,
            live="yes" if live else "",
            refresh=refresh,
            script=script,
            shop=self.shop_url,
        )
        return Response(body)

    def _missing(self) -> Response:
        answer = self._page("Not found", page("inbox_gone.html"))
        answer.status = 404
        return answer


def _row(entry: Entry) -> Markup:
    return page(
        "inbox_row.html",
        name=entry.name,
        sender=mail.shown_name(entry.sender) or entry.mail_from,
        initial=(mail.shown_name(entry.sender) or "?")[:1].upper(),
        to=", ".join(entry.rcpt_to) or entry.to,
        subject=entry.subject or "(no subject)",
        preview=entry.preview,
        received_at=entry.received_at,
    )


def _links_beside(html: str) -> str:
    """The letter with its links opening in tabs of their own: inside the frame they could not open."""
    base = '<base target="_blank">'
    found = re.search(r"<head[^>]*>", html, re.IGNORECASE)
    return html[: found.end()] + base + html[found.end() :] if found else base + html
