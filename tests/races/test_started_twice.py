"""S3: the same audience expanded twenty times at once is one audience."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from campaigns.delivery import outbox
from campaigns.models import Delivery
from tests.campaigns import mailing
from tests.sink.smtp import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]


def test_twenty_starts_at_once_queue_each_message_once(settings):
    what = mailing.campaign()
    audience = mailing.people(1_050, what.purpose)
    text = mailing.template()
    together = Barrier(20)

    def start(number: int) -> int:
        order = audience if number % 2 else audience[::-1]
        try:
            together.wait()
            with transaction.atomic():
                return outbox.enqueue(mailing.message(who, what, template=text) for who in order)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        new = list(pool.map(start, range(20)))
    assert sum(new) == Delivery.objects.count() == len(audience)
    with SmtpSink(keep_raw=False) as sink:
        mailing.into(sink, settings, conversations=8)
        mailing.send(seconds=60)
    assert len(sink.copies()) == len(audience) and set(sink.copies().values()) == {1}
