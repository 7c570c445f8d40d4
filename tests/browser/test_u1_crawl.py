"""U1 with a browser that runs scripts and waits: opening every link of ten messages takes nothing back."""

import pytest
from playwright.sync_api import BrowserContext

from crm.models import ConsentEvent, ConsentState, Suppression
from tests.collecting import Collector
from tests.webbing import ON_THE_WEB, Message

pytestmark = [pytest.mark.browser, pytest.mark.proof]

WAIT_MS = 3_000


def test_a_browser_that_opens_everything_unsubscribes_nobody(
    web: Collector, collector: Collector, context: BrowserContext
) -> None:
    mails = [Message(f"person{number}@example.com") for number in range(10)]
    before = [
        list(model.objects.order_by("pk").values()) for model in (ConsentEvent, ConsentState, Suppression)
    ]
    for mail in mails:
        pages = []
        for page, path in mail.paths.items():
            port = (web if page in ON_THE_WEB else collector).port
            opened = context.new_page()
            # A click leads on to the shop, which is not there.
            opened.goto(f"http://m.localhost:{port}{path}", wait_until="commit") if page != "k" else None
            pages.append(opened)
        pages[-1].wait_for_timeout(WAIT_MS // len(mails))
        for opened in pages:
            opened.mouse.move(10, 10)
            opened.close()
    assert [
        list(model.objects.order_by("pk").values()) for model in (ConsentEvent, ConsentState, Suppression)
    ] == before
    assert all(mail.may_send() for mail in mails)
    assert context.cookies() == []
