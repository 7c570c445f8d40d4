"""The admin's home: is it alive, what did it earn, what is open, what needs a person."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from campaigns.flows import four_eyes
from campaigns.models import Campaign, Sender, SendingControl
from campaigns.results import reporting
from crm.audience import risk_report, standing_chart
from crm.kernel import clock
from crm.models import Heartbeat, LeadDefinition, Notice, Product, Segment, ShopSettings, Task
from crm.people import request_reading
from crm.people.requests import MAY as HANDLES
from crm.ticking import ticks
from tracking.models import Cart, InboundEvent

SOON = 60
LISTED = 5


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Everything the home page shows, in a fixed number of queries."""
    now = clock.now()
    shop = ShopSettings.objects.filter(pk=1).first() or ShopSettings()
    zone = timezone.get_current_timezone()
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    week, before = now - timedelta(days=7), now - timedelta(days=14)
    days = reporting.recovered_by_day(today - timedelta(days=6), now, zone)
    peak = max((amount for _day, amount in days), default=0)
    this_week = reporting.cart_funnel(week, now)
    context.update(
        shop=shop,
        life=life(now),
        control=SendingControl.objects.filter(pk=1).first(),
        recovered=reporting.recovered(week, now),
        recovered_before=reporting.recovered(before, week),
        recovered_days=[
            {"day": day, "amount": amount, "percent": int(100 * amount / peak) if peak else 0}
            for day, amount in days
        ],
        open_carts=reporting.open_carts(),
        on_site=reporting.on_site(now),
        due_today=reporting.due_today(now, today + timedelta(days=1)),
        funnel=_beside(this_week, reporting.cart_funnel(before, week)),
        held_out=this_week.held_out,
        deliveries=reporting.deliveries_by_state(week),
        unconfirmed=reporting.unconfirmed(LISTED),
        listed=LISTED,
        campaigns=reporting.campaigns_at_work(week),
        parked=InboundEvent.objects.filter(state=InboundEvent.State.PARKED).count(),
        broken=list(Segment.objects.exclude(problem="").order_by("name")[:LISTED]),
        closed=list(LeadDefinition.objects.exclude(problem="").order_by("name")[:LISTED]),
        untold=Notice.objects.filter(handed_at=None).exclude(problem="").count(),
        handed_over=Task.objects.filter(
            kind=Task.Kind.HAND_OVER, done_at=None, owner_id=request.user.pk
        ).count(),
        to_approve=four_eyes.waiting_for(request.user),
        requests=request_reading.to_answer(now) if request.user.has_perm(HANDLES) else "",
        steps=first_steps(shop),
        **people(today),
    )
    return context


def people(today: datetime) -> dict[str, Any]:
    """Who is active, cooling, at risk, lost: now, over ninety days, and against a month ago."""
    days, series = risk_report.over_time((today - timedelta(days=90)).date(), today.date())
    return {
        "stands": [row for row in risk_report.heads_by_state(today) if row.all.people],
        "stands_chart": standing_chart.areas(days, series),
    }


def life(now: datetime) -> dict[str, Any]:
    """Whether the scheduled jobs run: which are silent, switched off or failed last, and how far behind."""
    beats = {beat.name: beat for beat in Heartbeat.objects.all()}
    scheduled = {row.task: row for row in PeriodicTask.objects.filter(task__in=ticks)}
    off = {name for name, row in scheduled.items() if not row.enabled}
    silent, failed, behind = [], [], 0
    for job in ticks.values():
        beat = beats.get(job.name)
        patience = timedelta(seconds=max(3 * job.every, SOON))
        row = scheduled.get(job.name)
        is_new = bool(beats) and row is not None and now - row.date_changed < patience
        if job.name in off or (beat is None and (is_new or job.every > SOON)):
            continue  # One that has not had its turn yet is not silent.
        if beat is None or now - beat.beat_at > patience:
            silent.append({"label": job.label.rstrip("."), "since": beat.beat_at if beat else None})
        else:
            behind = max(behind, int((now - beat.beat_at).total_seconds()) - job.every)
        if beat and beat.error and beat.error_at and beat.error_at >= beat.beat_at:
            failed.append({"label": job.label.rstrip("."), "error": beat.error, "at": beat.error_at})
    frequent = [job for job in ticks.values() if job.every <= SOON and job.name not in off]
    return {
        "ok": not (silent or failed or off),
        "behind": max(behind, 0),
        "silent": silent,
        "all_silent": bool(frequent) and len(silent) >= len(frequent),
        "failed": failed,
        "off": [ticks[name].label.rstrip(".") for name in sorted(off)],
        "last": max((beat.beat_at for beat in beats.values()), default=None),
    }


def first_steps(shop: ShopSettings) -> list[dict[str, Any]]:
    """The way to the first message, each step ticking itself off; empty once all are done."""
    steps = [
        (
            shop.set_up_at is not None,
            "Tell us about your shop",
            "Its name, address, currency and time zone; they stand in every message.",
            "admin:crm_shopsettings_changelist",
        ),
        (
            Sender.objects.filter(is_default=True).exists(),
            "Say who messages come from",
            "A person with a name, an address for replies and a telephone number.",
            "admin:campaigns_sender_add",
        ),
        (
            InboundEvent.objects.filter(source="collect").exists(),
            "Put the script into the shop's pages",
            "One line; it stands in the shop settings. This ticks itself off once a page reports in.",
            "admin:crm_shopsettings_changelist",
        ),
        (
            Product.objects.exists(),
            "The first product is known",
            "From the script as people look at it, from the server API, or from a spreadsheet.",
            "admin:crm_product_changelist",
        ),
        (
            Cart.objects.exists(),
            "The first cart of somebody we know",
            "Somebody whose address the shop has put something into it.",
            "admin:tracking_cart_changelist",
        ),
        (
            Campaign.objects.exclude(launched_at=None).exists(),
            "Launch a campaign",
            "Start from the abandoned cart playbook: one click makes a draft.",
            "admin:campaigns_campaign_changelist",
        ),
    ]
    if all(done for done, *_ in steps):
        return []
    return [
        {"done": done, "words": words, "how": how, "url": reverse(url)} for done, words, how, url in steps
    ]


def _beside(this: reporting.Funnel, last: reporting.Funnel) -> list[dict[str, Any]]:
    top = max(this.left, last.left, 1)
    return [
        {
            "name": name,
            "now": count,
            "before": earlier,
            "percent": 100 * count // top,
            "percent_before": 100 * earlier // top,
        }
        for (name, count), (_name, earlier) in zip(this.stages, last.stages, strict=True)
    ]
