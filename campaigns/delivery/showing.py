"""What a message shows is true when it leaves: products are looked at once more at the fence."""

from datetime import datetime

from django.db.models import BigIntegerField, BooleanField, F, Func, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from campaigns.delivery.guards import Guard, Verdict, guards
from crm.models import Product


def _stamp() -> Subquery:
    """How fresh the products of a delivery are now, added up as `campaigns.messages.goods.stamp` does."""
    shown = Func(
        F("id"),
        OuterRef("products"),
        template="%(expressions)s)",
        arg_joiner=" = ANY (",
        output_field=BooleanField(),
    )
    changes = Func(
        F("changed_at"),
        template="(1 + coalesce(extract(epoch FROM %(expressions)s) * 1000000, 0))::bigint",
        output_field=BigIntegerField(),
    )
    rows = Product.objects.filter(shown).order_by().values(one=Value(1)).annotate(sum=Sum(changes))
    return Subquery(rows.values("sum"), output_field=BigIntegerField())


@guards.register
class ProductChanged(Guard):
    """A product the message shows was sold out, got another price or another page, or is gone: the message is
    made anew, with what is true now.
    """

    key = "campaigns.product_changed"
    label = "A product changed"
    place = 76
    verdict = Verdict.REQUEUE
    reason = "product_changed"
    words = "A product in it changed after the message was made"
    tells = False

    def blocks(self, now: datetime) -> Q:
        return Q(products_stamp__isnull=False) & ~Q(
            products_stamp=Coalesce(_stamp(), Value(0), output_field=BigIntegerField())
        )
