"""U1: whatever follows links, a scanner, a preview, a prefetch, changes nothing. Only a button does."""

import pytest

from crm.kernel import clock
from tests.collecting import Collector
from tests.webbing import ON_THE_WEB, Message, everything
from tracking.visits import ingest

pytestmark = pytest.mark.proof

MAILS = 10
TIMES = 3
SCANNER = {"User-Agent": "Mozilla/5.0 (compatible; LinkScanner/1.0)", "Accept-Language": "en"}

# A scanner is seen (an open, a click), and not believed.
SEEN = ("tracking_inboundevent", "tracking_event", "tracking_refusal")


def test_get_and_head_of_every_link_of_ten_mails_change_nothing(web: Collector, collector: Collector) -> None:
    mails = [Message(f"person{number}@example.com") for number in range(MAILS)]
    before = everything(but=SEEN)
    for _ in range(TIMES):
        for mail in mails:
            for page, path in mail.paths.items():
                door = web if page in ON_THE_WEB else collector
                for method in ("HEAD", "GET", "OPTIONS", "TRACE"):
                    status = door.request(method, path, headers=SCANNER)[0]
                    assert status in ((200, 302) if method in ("HEAD", "GET") else (204, 403, 404, 405)), (
                        method,
                        page,
                    )
                hopeful = (
                    f"{path}?List-Unsubscribe=One-Click&save=1&everything=1&purpose=newsletter&_method=POST"
                )
                assert door.request("GET", hopeful, headers=SCANNER)[0] in (200, 302)
    while ingest.apply(clock.now()):
        pass

    assert all(mail.may_send() for mail in mails)
    assert everything(but=SEEN) == before
