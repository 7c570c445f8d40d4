"""Only the edges there are: the database refuses every other, whoever asks."""

import itertools

import pytest
from django.db import IntegrityError, transaction

from campaigns.models import Delivery, DeliveryState
from tests.campaigns import mailing

pytestmark = pytest.mark.django_db

ROUTES = {
    "queued": [],
    "claimed": ["claimed"],
    "sending": ["claimed", "sending"],
    "sent": ["claimed", "sending", "sent"],
    "failed": ["claimed", "sending", "failed"],
    "unknown": ["claimed", "sending", "unknown"],
    "suppressed": ["claimed", "suppressed"],
    "skipped": ["claimed", "skipped"],
}


def test_all_sixty_four_pairs():
    delivery = mailing.queue()[0]
    allowed = set()
    for source, target in itertools.product(DeliveryState.values, repeat=2):
        with transaction.atomic():
            for step in ROUTES[source]:
                Delivery.objects.filter(pk=delivery.pk).update(state=step)
            try:
                with transaction.atomic():
                    Delivery.objects.filter(pk=delivery.pk).update(state=target)
                allowed.add((source, target))
            except IntegrityError as error:
                assert f"cannot go from {source} to {target}" in str(error)
            transaction.set_rollback(True)
    staying = {(state, state) for state in DeliveryState.values}
    assert allowed - staying == {
        (source, target) for source, targets in Delivery.EDGES.items() for target in targets
    }
    assert staying <= allowed
    assert len(list(itertools.product(DeliveryState.values, repeat=2))) == 64


@pytest.mark.parametrize("state", [state for state in DeliveryState.values if state != "queued"])
def test_a_delivery_begins_in_the_queue(state):
    what = mailing.campaign()
    (who,) = mailing.people(1, what.purpose)
    with pytest.raises(IntegrityError, match="begins as queued"), transaction.atomic():
        mailing.message(who, what, state=state).save()
