"""The sample storefront and inbox in a real browser, with the program's script and a collector."""

import hashlib
import hmac
import json
import smtplib
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from config.embedded.sample.__main__ import Sample, Settings
from config.embedded.sample.frame import Links
from tests.browser.conftest import PATIENCE_MS, PHONE

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).parents[2] / "tracking" / "static" / "tracking" / "rekindle.js"
RUNS_OVER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


class Collector:
    """Gives out the script and keeps what it is told."""

    def __init__(self) -> None:
        told = self.told = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(200, SCRIPT.read_bytes())

            def do_POST(self) -> None:
                told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.answer(204)

            def answer(self, status: int, body: bytes = b"") -> None:
                self.send_response(status)
                self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "null"))
                self.send_header("Content-Type", "text/javascript")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://t.localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event["p"] for batch in list(self.told) for event in batch["e"] if event["t"] == kind]

    def hears(self, page: Page, kind: str) -> None:
        """Until it was told of one of that kind; batches leave a second after what they tell."""
        for _ in range(PATIENCE_MS // 50):
            if self.events(kind):
                return
            page.wait_for_timeout(50)
        raise AssertionError(f"nothing was told of kind {kind}: {self.told}")


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def sample(collector: Collector, tmp_path: Path) -> Iterator[Sample]:
    links = Links("", collector.url, "", "pk", "secret", "http://admin.localhost:9")
    running = Sample(Settings("127.0.0.1", 0, 0, 0, tmp_path, "http://m.localhost", links))
    yield running
    running.stop()


@pytest.fixture
def shop(sample: Sample) -> str:
    return f"http://shop.localhost:{sample.ports[0]}"


@pytest.fixture
def inbox(sample: Sample) -> str:
    return f"http://inbox.localhost:{sample.ports[1]}"


def test_nothing_leaves_the_browser_and_nothing_stays_in_it_before_the_choice(
    page: Page, shop: str, collector: Collector, complaints: list[str]
) -> None:
    page.goto(f"{shop}/p/marlow-t1", wait_until="networkidle")
    page.get_by_role("button", name="Put in cart").click()
    page.wait_for_url("**/cart")
    page.get_by_role("button", name="Only what is necessary").click()
    page.get_by_role("link", name="Marlow T1 turntable").wait_for()
    page.wait_for_timeout(1_300)
    assert collector.told == []
    assert page.evaluate("localStorage.length") == 0
    assert complaints == []


def test_the_address_is_told_signed_for_this_browser_with_cart_and_consent(
    page: Page, shop: str, collector: Collector, complaints: list[str]
) -> None:
    page.goto(f"{shop}/p/marlow-t1")
    page.get_by_role("button", name="Put in cart").click()
    page.wait_for_url("**/cart")
    page.get_by_label("First name").fill("Ana")
    page.get_by_label("E-mail", exact=True).fill("ana@example.com")
    page.get_by_label("e-mail me a reminder").check()
    page.get_by_label("May we remember").check()
    page.get_by_role("button", name="Keep my cart").click()
    page.get_by_text("A reminder comes").wait_for()
    collector.hears(page, "identify")
    collector.hears(page, "cart")

    told = collector.events("identify")[0]
    visitor = page.evaluate("localStorage['rekindle.id']")
    message = f"{visitor}|ana@example.com|{told['timestamp']}".encode()
    assert told["signature"] == hmac.new(b"secret", message, hashlib.sha256).hexdigest()
    assert "cart_recovery" in {consent["purpose"] for consent in told["consents"]}
    assert [line["product_id"] for line in collector.events("cart")[0]["lines"]] == ["marlow-t1"]
    assert complaints == []


def test_an_address_whose_page_was_left_too_soon_is_told_by_the_next(
    page: Page, shop: str, collector: Collector
) -> None:
    # The shop's answer comes once when nobody is there any more to hear it.
    page.add_init_script("""
        const asked = window.fetch;
        window.fetch = (what, how) => what !== "/identity" || sessionStorage.left ? asked(what, how)
          : asked(what, how).then(() => { sessionStorage.left = "yes"; return new Promise(() => {}); });
    """)
    page.goto(f"{shop}/p/marlow-t1")
    form = page.locator("form:has(input[name=email])").first
    form.get_by_label("E-mail", exact=True).fill("ana@example.com")
    form.get_by_label("May we remember").check()
    with page.expect_response("**/identity"):
        form.get_by_role("button", name="Keep my cart").click()
    assert collector.events("identify") == []
    with page.expect_response("**/identity/told"):
        page.goto(f"{shop}/")
    page.goto(f"{shop}/p/lark-fluid")
    collector.hears(page, "identify")
    # One batch may come twice where its page is left before the answer; the collector counts it once.
    assert {told["email"] for told in collector.events("identify")} == {"ana@example.com"}


def test_the_pages_fit_a_phone(browser: Browser, shop: str, inbox: str, sample: Sample) -> None:
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    deliver(sample)
    page.goto(f"{shop}/p/oriel-five")
    page.get_by_role("button", name="Put in cart").click()
    page.wait_for_url("**/cart")
    letter = f"{inbox}/m/{sample.mailbox.newest()[0].name}"
    paths = ("/", "/c/surround", "/p/lark-fluid", "/cart", "/checkout", "/cart/restore", "/choices")
    for address in (*(shop + path for path in paths), inbox, letter):
        page.goto(address)
        assert not page.evaluate(RUNS_OVER), address
    context.close()


def test_the_inbox_shows_a_new_message_by_itself_and_runs_nothing_of_it(
    page: Page, inbox: str, sample: Sample
) -> None:
    page.goto(inbox)
    page.get_by_text("No message yet").wait_for()
    deliver(sample)
    page.get_by_text("Still here").first.click()
    letter = page.frame_locator("iframe")
    letter.get_by_text("Hello Ana").wait_for()
    with page.context.expect_page() as opened:
        letter.get_by_role("link", name="Back to it").click()
    expect(opened.value).to_have_url(f"{inbox}/healthz")
    assert "broken" not in letter.locator("body").inner_text()
    page.get_by_text("Plain text").click()
    expect(page.get_by_text("Hello in plain.", exact=True)).to_be_visible()


def deliver(sample: Sample) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "mara@example.com", "ana@example.com", "Still here"
    message.set_content("Hello in plain.")
    script = "<script>document.body.innerHTML = 'broken'</script>"
    link = f"http://inbox.localhost:{sample.ports[1]}/healthz"
    html = f"<html><body><p>Hello Ana</p><a href='{link}'>Back to it</a>{script}</body></html>"
    message.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", sample.ports[2], timeout=5) as smtp:
        smtp.send_message(message)
