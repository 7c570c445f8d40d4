"""Ways in which colleagues turn to a person that go through the delivery machine."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from campaigns.models import Delivery, DeliveryState, Letter
from crm.kernel.touches import Touch, touches


@touches.register
class Letters(Touch):
    """E-mails written by hand, from the moment they were written; one that did not leave is none."""

    key = "campaigns.letters"
    label = "E-mails by hand"
    at = "written_at"

    def rows(self) -> QuerySet[Letter]:
        sent = Delivery.objects.filter(pk=OuterRef("delivery_id"), state=DeliveryState.SENT)
        return Letter.objects.filter(Exists(sent))
