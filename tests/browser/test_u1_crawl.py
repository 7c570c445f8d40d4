"""U1 with a browser that runs scripts and waits: opening every link of ten messages takes nothing back."""

from contextlib import nullcontext, suppress

import pytest
from playwright.sync_api import BrowserContext, Error

from crm.models import ConsentEvent, ConsentState, Suppression
from tests.collecting import Collector
from tests.webbing import ON_THE_WEB, Message

pytestmark = [pytest.mark.browser]

MAILS = 10
WAIT_MS = 3_000


def said() -> list[list[dict]]:
    return [
        list(model.objects.order_by("pk").values()) for model in (ConsentEvent, ConsentState, Suppression)
    ]


def test_a_browser_that_opens_everything_unsubscribes_nobody(
    web: Collector, collector: Collector, context: BrowserContext
) -> None:
    mails = [Message(f"person{number}@example.com") for number in range(MAILS)]
    before = said()
    for mail in mails:
        for page, path in mail.paths.items():
            port = (web if page in ON_THE_WEB else collector).port
            opened = context.new_page()
            # A click leads on to the shop, where nobody is at home.
            with suppress(Error) if page == "k" else nullcontext():
                opened.goto(f"http://m.localhost:{port}{path}", wait_until="load")
            opened.mouse.move(10, 10)
            opened.mouse.wheel(0, 300)
    context.pages[-1].wait_for_timeout(WAIT_MS)
    assert said() == before
    assert all(mail.may_send() for mail in mails)
    assert context.cookies() == []
