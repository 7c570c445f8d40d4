"""A few lines over the standard library's HTTP server: routes, forms, cookies, escaped pages.

For the sample shop and its inbox on one's own machine; never the product's own pages.
"""

import html
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

PAGES = Path(__file__).with_name("pages")
LARGEST_FORM = 64 * 1024


class Markup(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def page(name: str, /, **values: object) -> Markup:
    """A file of `pages/` with its `$names` filled in, everything escaped but `Markup`."""
    return Markup(_template(name).substitute({key: _safe(value) for key, value in values.items()}))


@cache
def _template(name: str) -> Template:
    return Template((PAGES / name).read_text(encoding="utf-8").rstrip("\n"))


def joined(parts: Iterator[Markup] | list[Markup]) -> Markup:
    return Markup("".join(parts))


def _safe(value: object) -> str:
    return value if isinstance(value, Markup) else html.escape(str(value), quote=True)


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    cookies: Mapping[str, str]
    host: str


@dataclass(slots=True)
class Response:
    body: bytes | str = ""
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    headers: list[tuple[str, str]] = field(default_factory=list)

    def set_cookie(self, name: str, value: str, *, days: int = 90, hidden: bool = True) -> None:
        parts = f"{name}={value}; Path=/; Max-Age={days * 86400}; SameSite=Lax"
        self.headers.append(("Set-Cookie", parts + ("; HttpOnly" if hidden else "")))


def redirect(path: str, **query: str) -> Response:
    target = path + ("?" + urlencode(query) if query else "")
    return Response(status=303, headers=[("Location", target)])


type View = Callable[..., Response]


class Site:
    """Routes of one host name. `{name}` in a path takes one segment and becomes an argument."""

    def __init__(self, csp: str, missing: View | None = None) -> None:
        self.csp = csp
        self.missing = missing or _not_found
        self.routes: list[tuple[str, re.Pattern[str], View]] = []

    def route(self, method: str, path: str, view: View) -> None:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
        self.routes.append((method, re.compile(f"{pattern}$"), view))

    def answer(self, request: Request) -> Response:
        known = False
        for method, pattern, view in self.routes:
            if found := pattern.match(request.path):
                known = True
                if method == request.method:
                    return view(request, **found.groupdict())
        return Response("Method not allowed", 405, "text/plain") if known else self.missing(request)


def _not_found(request: Request) -> Response:
    return Response("Not found", 404, "text/plain")


def is_local(host: str) -> bool:
    """Whether a Host header names this machine: a page elsewhere must not reach in by a name it controls."""
    name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    return name in {"localhost", "127.0.0.1", "::1"} or name.endswith(".localhost")


def serve(site: Site, bind: str, port: int, hosts: frozenset[str] = frozenset()) -> ThreadingHTTPServer:
    """A bound server for the site, answering to this machine's names and `hosts`; `serve_forever` runs it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "sample", ""
        timeout = 20

        def do_GET(self) -> None:
            self._handle("GET")

        def do_HEAD(self) -> None:
            self._handle("GET", head=True)

        def do_POST(self) -> None:
            self._handle("POST")

        def _handle(self, method: str, *, head: bool = False) -> None:
            host = self.headers.get("Host", "")
            if not (is_local(host) or host in hosts):
                self.close_connection = True
                return self._send(Response("This host name is not served here", 421, "text/plain"), head)
            if method == "POST" and not _same_origin(self.headers.get("Origin"), host):
                self.close_connection = True
                return self._send(
                    Response("Forms are taken from this site's own pages", 403, "text/plain"), head
                )
            form = self._form() if method == "POST" else {}
            if form is None:
                self.close_connection = True
                return self._send(Response("Too much, or not a form", 413, "text/plain"), head)
            url = urlsplit(self.path)
            request = Request(
                method,
                url.path,
                dict(parse_qsl(url.query)),
                form,
                _cookies(self.headers.get("Cookie", "")),
                host,
            )
            try:
                response = site.answer(request)
            except Exception:  # noqa: BLE001 - a fault of one page is shown and told, the shop stays open
                traceback.print_exc()
                response = Response("Something broke. The terminal says what.", 500, "text/plain")
            return self._send(response, head)

        def _form(self) -> dict[str, str] | None:
            length = self.headers.get("Content-Length", "0")
            if not length.isdigit() or int(length) > LARGEST_FORM:
                return None
            return dict(parse_qsl(self.rfile.read(int(length)).decode("utf-8", "replace")))

        def _send(self, response: Response, head: bool) -> None:
            body = (
                response.body.encode("utf-8", "replace") if isinstance(response.body, str) else response.body
            )
            self.send_response(response.status)
            given = {name.lower() for name, _ in response.headers}
            defaults = {
                "Content-Type": response.kind,
                "Content-Length": str(len(body)),
                "Content-Security-Policy": site.csp,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "strict-origin-when-cross-origin",
                "Cache-Control": "no-store",
            }
            for name, value in defaults.items():
                if name.lower() not in given:
                    self.send_header(name, value)
            for name, value in response.headers:
                self.send_header(name, value)
            self.end_headers()
            if not head:
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Requests are not worth a line each."""

    return _Server((bind, port), Handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no news; anything else is."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def _same_origin(origin: str | None, host: str) -> bool:
    return origin is None or urlsplit(origin).netloc == host


def _cookies(header: str) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header)
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def static(name: str, kind: str) -> View:
    """A view that serves one file of `pages/`."""

    def view(request: Request) -> Response:
        return Response(
            (PAGES / name).read_bytes(), kind=kind, headers=[("Cache-Control", "public, max-age=60")]
        )

    return view
