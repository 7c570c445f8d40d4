"""The numbers of the home page, each one query over rows that other parts wrote."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import TruncDay

from campaigns.models import Campaign, Delivery, DeliveryState, Enrolment, OrderCredit
from crm.models import Engagement
from tracking.models import Cart, Event, EventKind


@dataclass(frozen=True)
class Money:
    """An amount of one currency, and of how many things it is the sum."""

    count: int
    amount: Decimal


@dataclass(frozen=True)
class Funnel:
    """Carts of one period: left, reminded, came back, bought; and those held out."""

    left: int
    reminded: int
    came_back: int
    bought: int
    held_out: int

    @property
    def stages(self) -> list[tuple[str, int]]:
        return [
            ("left", self.left),
            ("reminded", self.reminded),
            ("came back", self.came_back),
            ("bought", self.bought),
        ]


def open_carts() -> Money:
    """Carts open now with at least one priced line, and what they are worth."""
    row = Cart.objects.filter(state=Cart.State.OPEN, has_priced_line=True).aggregate(
        count=Count("id"), amount=Sum("total")
    )
    return Money(row["count"], row["amount"] or Decimal(0))


def on_site(now: datetime) -> int:
    """People who did something in the shop in the last five minutes."""
    return Engagement.objects.filter(
        last_seen_at__gt=now - timedelta(minutes=5), last_seen_at__lte=now
    ).count()


def recovered(start: datetime, end: datetime) -> Money:
    """Orders of the period credited to a message about a cart, net of tax, shipping and refunds."""
    row = _cart_credits(start, end).aggregate(count=Count("id"), amount=Sum("amount"))
    return Money(row["count"], row["amount"] or Decimal(0))


def recovered_by_day(start: datetime, end: datetime, zone) -> list[tuple[datetime, Decimal]]:
    """Recovered money a day of the shop's zone, days without any included."""
    rows = dict(
        _cart_credits(start, end)
        .annotate(day=TruncDay("ordered_at", tzinfo=zone))
        .values_list("day")
        .annotate(amount=Sum("amount"))
    )
    day = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    days = []
    while day < end:
        days.append((day, rows.get(day, Decimal(0))))
        day = (day + timedelta(hours=36)).replace(hour=0)
    return days


def cart_funnel(start: datetime, end: datetime) -> Funnel:
    """What became of the carts whose series began in the period."""
    series = Enrolment.objects.filter(
        subject_kind="cart", qualified_at__gte=start, qualified_at__lt=end, is_test=False
    )
    deliveries = Delivery.objects.filter(enrolment_id=OuterRef("pk"), origin=Delivery.Origin.FLOW)
    returned = Event.objects.filter(
        contact_id=OuterRef("contact_id"),
        occurred_at__gte=OuterRef("qualified_at"),
        occurred_at__lt=OuterRef("qualified_at") + timedelta(days=7),
        kind__in=[EventKind.CLICK, EventKind.LANDING, EventKind.RESTORE],
        actor__in=["human", "likely_human"],
    )
    credited = OrderCredit.objects.filter(
        contact_id=OuterRef("contact_id"),
        delivery_id__in=Delivery.objects.filter(enrolment_id=OuterRef(OuterRef("pk"))).values("id"),
    )
    treated = Q(arm=Enrolment.Arm.TREATMENT)
    row = series.annotate(
        was_reminded=Exists(deliveries.filter(state=DeliveryState.SENT)),
        came_back=Exists(returned),
        bought=Exists(credited),
    ).aggregate(
        left=Count("id", filter=treated),
        held_out=Count("id", filter=Q(arm=Enrolment.Arm.CONTROL)),
        reminded=Count("id", filter=treated & Q(was_reminded=True)),
        returned=Count("id", filter=treated & Q(was_reminded=True, came_back=True)),
        buyers=Count("id", filter=treated & Q(bought=True)),
    )
    return Funnel(row["left"], row["reminded"], row["returned"], row["buyers"], row["held_out"])


def deliveries_by_state(start: datetime) -> list[tuple[str, str, int]]:
    """(state, label, how many) of deliveries made since `start`, in the order they live through them."""
    counts = dict(
        Delivery.objects.filter(created_at__gte=start).values_list("state").annotate(Count("id")).order_by()
    )
    return [(state.value, str(state.label), counts.get(state.value, 0)) for state in DeliveryState]


def unconfirmed(limit: int) -> list[Delivery]:
    """Deliveries of which nobody can know whether they arrived, newest first; at most one above `limit`."""
    rows = Delivery.objects.filter(state=DeliveryState.UNKNOWN).select_related("template", "campaign")
    return list(rows.defer("context").order_by("-id")[: limit + 1])


def due_today(now: datetime, until: datetime) -> int:
    """Messages queued to leave before `until`."""
    return Delivery.objects.filter(state=DeliveryState.QUEUED, not_before__lt=until).count()


@dataclass(frozen=True)
class AtWork:
    """A campaign with the people in it now, and what it did in a period."""

    campaign: Campaign
    inside: int
    sent: int
    clicked: int
    bought: int
    money: Decimal


def campaigns_at_work(start: datetime) -> list[AtWork]:
    """Every campaign that is not stopped, those at work first, with what it did since `start`."""
    going = Campaign.objects.exclude(state=Campaign.State.STOPPED)
    return _at_work(going.order_by("-launched_at", "name"), start)


def campaign_at_work(campaign: Campaign, start: datetime) -> AtWork:
    return _at_work(Campaign.objects.filter(pk=campaign.pk), start)[0]


def _at_work(chosen: QuerySet[Campaign], start: datetime) -> list[AtWork]:
    campaigns = sorted(chosen[:100], key=lambda campaign: campaign.launched_at is None)
    ids = [campaign.pk for campaign in campaigns]
    active = Enrolment.objects.filter(campaign__in=ids, state=Enrolment.State.ACTIVE, is_test=False)
    real = Delivery.objects.filter(
        campaign__in=ids, state=DeliveryState.SENT, finished_at__gte=start, origin=Delivery.Origin.FLOW
    )
    clicks = Event.objects.filter(
        ref=OuterRef("public_id"), kind=EventKind.CLICK, actor__in=["human", "likely_human"]
    )
    credit = OrderCredit.objects.filter(campaign__in=ids, ordered_at__gte=start)
    inside, sent = _counts(active, Count("id")), _counts(real, Count("id"))
    clicked = _counts(real.filter(Exists(clicks)), Count("id"))
    bought, money = _counts(credit, Count("id")), _counts(credit, Sum("amount"))
    return [
        AtWork(
            campaign,
            inside.get(campaign.pk, 0),
            sent.get(campaign.pk, 0),
            clicked.get(campaign.pk, 0),
            bought.get(campaign.pk, 0),
            money.get(campaign.pk) or Decimal(0),
        )
        for campaign in campaigns
    ]


def people_in_steps(campaign: Campaign) -> dict[tuple[int, int], int]:
    """How many people stand at each (version id, step position) of a campaign."""
    rows = (
        Enrolment.objects.filter(campaign=campaign, state=Enrolment.State.ACTIVE, is_test=False)
        .values_list("version_id", "step_position")
        .annotate(count=Count("id"))
        .order_by()
    )
    return {(version, position): count for version, position, count in rows}


def _cart_credits(start: datetime, end: datetime):
    return OrderCredit.objects.filter(
        ordered_at__gte=start,
        ordered_at__lt=end,
        delivery_id__in=Delivery.objects.filter(subject_kind="cart").values("id"),
    )


def _counts(queryset, aggregate) -> dict:
    return dict(queryset.order_by().values_list("campaign").annotate(aggregate))
