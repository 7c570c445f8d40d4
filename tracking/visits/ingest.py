"""Raw rows become what they mean: visitors, events, carts, orders, consent. In batches, each at the price
of one.

A batch is one transaction and a fixed number of queries. A row that cannot be applied is parked with its
error and the rest goes on. Applying the same rows twice, or in another order, ends the same.
"""

import logging
import traceback
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from crm.models import Contact, Product, Purpose
from crm.models.writing import update_rows
from crm.people import consent, identity
from crm.people.identity import Known
from crm.people.stirring import stir
from crm.shop import intake
from tracking.mail import permission
from tracking.models import Event, EventKind, InboundEvent, Visitor, VisitorEvent
from tracking.shop import carts, visitor_carts
from tracking.visits import confirmation, decoding, meaning, rollups, turns, visitors
from tracking.visits.activity import Activity, moments_of
from tracking.visits.adoption import adopt
from tracking.visits.decoding import Act

logger = logging.getLogger(__name__)

_CHANGING = ("contact", "trust", "claimed_hash", "identity_changed_at", "last_seen_at")


def apply(now: datetime, limit: int = 2000) -> int:
    """Apply the oldest rows that wait. Returns how many were read."""
    with transaction.atomic():
        # One batch at a time: what one visitor did is read in the order it was done.
        if not turns.take():
            return 0
        rows = list(
            InboundEvent.objects.filter(state=InboundEvent.State.NEW)
            .order_by("id")
            .select_for_update(skip_locked=True)[:limit]
        )
        if rows:
            _apply_or_park(rows, now)
        return len(rows)


def _apply_or_park(rows: Sequence[InboundEvent], now: datetime) -> None:
    try:
        with transaction.atomic():
            _Batch(rows, now).apply()
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever one row holds, the others are applied
        if len(rows) > 1:
            # By halves: finding the bad row of a thousand costs ten times the batch, not a thousand times.
            middle = len(rows) // 2
            _apply_or_park(rows[:middle], now)
            _apply_or_park(rows[middle:], now)
            return
        logger.warning("An inbound row is parked: %s: %s", rows[0].pk, type(error).__name__)
        words = "".join(traceback.format_exception(error, limit=-4))[-4000:].replace("\0", "")
        InboundEvent.objects.filter(pk=rows[0].pk).update(state=InboundEvent.State.PARKED, error=words)


@dataclass
class _Batch:
    rows: Sequence[InboundEvent]
    now: datetime
    activity: Activity = field(default_factory=Activity)
    followed: set[UUID] = field(default_factory=set)

    def apply(self) -> None:
        acts = self._new(decoding.acts(self.rows))
        acts = self._permitted(acts)
        known, new = self._visitors(acts)
        resolved = self._resolve(acts)
        seen = visitors.walk(acts, known, resolved, self._contacts(acts))
        Visitor.objects.bulk_create(visitor for visitor_id, visitor in known.items() if visitor_id in new)
        update_rows([visitor for visitor_id, visitor in known.items() if visitor_id not in new], *_CHANGING)
        stored = self._store(acts)
        visitor_carts.lay(acts)
        adopted = adopt(seen.recognised, self.activity)
        rollups.count([*stored, *adopted.events])
        changes = [*adopted.carts, *meaning.cart_changes(acts)]
        carts.apply_cart_changes(changes, self.now)
        stir(change.contact_id for change in changes)
        confirmation.confirm(seen.confirmed)
        confirmation.restore([act for act in acts if act.kind == "restore"])
        self._order([act for act in acts if act.kind == "order"])
        self._record_consents([act for act in acts if act.id in resolved], resolved)
        self.activity.write()
        InboundEvent.objects.filter(id__in=[row.pk for row in self.rows]).update(
            state=InboundEvent.State.APPLIED
        )

    def _new(self, acts: list[Act]) -> list[Act]:
        """Without those that have been applied before, or come twice in this batch."""
        told: dict[UUID, Act] = {}
        for act in acts:
            told.setdefault(act.id, act)
        if not told:
            return []
        around = (
            min(act.at for act in acts) - timedelta(days=1),
            max(act.at for act in acts) + timedelta(days=1),
        )
        stored = set(
            Event.objects.filter(id__in=told, occurred_at__range=around).values_list("id", flat=True)
        )
        stored |= set(VisitorEvent.objects.filter(id__in=told).values_list("id", flat=True))
        return [act for act_id, act in told.items() if act_id not in stored]

    def _permitted(self, acts: list[Act]) -> list[Act]:
        """Opens and clicks only of people who agreed, or need not; of the others not even the raw row
        stays.
        """
        hits = [act for act in acts if act.kind in decoding.HITS]
        landings = [click.contact_id for act in acts if (click := visitors.landed(act))]
        allowed = permission.tracked([*landings, *(act.contact_id for act in hits if act.contact_id)])
        self.followed = allowed["click"]
        dropped = {act.row.pk for act in hits if act.contact_id not in allowed[act.kind]}
        if dropped:
            InboundEvent.objects.filter(pk__in=dropped).delete()
        return [act for act in acts if act.row.pk not in dropped]

    def _visitors(self, acts: list[Act]) -> tuple[dict[UUID, Visitor], set[UUID]]:
        """The browsers of this batch, and which of them nobody has met before."""
        met: dict[UUID, Act] = {}
        latest: dict[UUID, datetime] = {}
        for act in acts:
            if act.visitor_id:
                met.setdefault(act.visitor_id, act)
                latest[act.visitor_id] = max(act.at, latest.get(act.visitor_id, act.at))
        found = Visitor.objects.in_bulk(list(met))
        new = set(met) - set(found)
        for visitor_id in new:
            act = met[visitor_id]
            found[visitor_id] = Visitor(
                id=visitor_id, first_seen_at=act.at, last_seen_at=act.at, user_agent=act.row.user_agent
            )
        for visitor_id, visitor in found.items():
            visitor.last_seen_at = max(visitor.last_seen_at, latest[visitor_id])
        return found, new

    def _resolve(self, acts: list[Act]) -> dict[UUID, UUID]:
        """The contact of each act that a server vouches for: signed in the browser, or told by the server
        itself.
        """
        asked: dict[UUID, Known] = {}
        for act in acts:
            who = act.who
            if who is None and act.kind in ("identify", "order") and visitors.is_signed(act):
                who = visitors.known_of(act)
            if who is not None and identity.is_knowable(who):
                asked[act.id] = who
        found = dict(
            zip(asked, identity.resolve(list(asked.values()), self.now, source="script"), strict=True)
        )
        for act in acts:
            if act.who is not None:
                act.contact_id = found.get(act.id)
        return found

    def _contacts(self, acts: list[Act]) -> dict[UUID, UUID]:
        """The people that click and open tokens name, as far as they still exist, merged ones as who they
        became.
        """
        named = {act.contact_id for act in acts if act.contact_id and act.kind in decoding.HITS}
        named |= {click.contact_id for act in acts if (click := visitors.landed(act))} & self.followed
        known = Contact.objects.filter(id__in=named, erased_at=None)
        rows = known.values_list("id", "merged_into_id")
        found = {contact_id: merged_into or contact_id for contact_id, merged_into in rows}
        for act in acts:
            if act.kind in decoding.HITS:
                act.contact_id = found.get(act.contact_id) if act.contact_id else None
        return found

    def _store(self, acts: list[Act]) -> list[tuple[UUID, datetime]]:
        """Returns the id and the instant of each event of people we know."""
        products = self._products(acts)
        events, waiting = [], []
        for act in acts:
            common: dict[str, Any] = {
                "id": act.id,
                "kind": act.kind,
                "occurred_at": act.at,
                "recorded_at": act.recorded_at,
                "is_backfill": act.is_replay,
                "url": act.url,
                "product_id": products.get(meaning.product_of(act)),
                "ref": act.ref,
                "actor": act.actor,
                "props": meaning.props(act),
                "visitor_id": act.visitor_id,
            }
            if act.contact_id:
                self.activity.note(act.contact_id, act.at, *moments_of(act.kind, act.is_human, act.ref))
                if act.kind in EventKind.values:
                    events.append(Event(contact_id=act.contact_id, **common))
            elif act.visitor_id:
                waiting.append(VisitorEvent(**common))
        Event.objects.bulk_create(events, batch_size=2000)
        VisitorEvent.objects.bulk_create(waiting, batch_size=2000)
        return [(event.id, event.occurred_at) for event in events]

    def _products(self, acts: list[Act]) -> dict[str, UUID]:
        named = {meaning.product_of(act) for act in acts} - {""}
        rows = Product.objects.filter(external_id__in=named).order_by("created_at")
        return dict(rows.values_list("external_id", "id"))

    def _order(self, acts: list[Act]) -> None:
        """Orders of people we know are orders; told by anybody else they end their own cart and no more."""
        known = [act for act in acts if act.contact_id]
        points = identity.primary_points({act.contact_id for act in known if act.contact_id}) if known else {}
        told = [
            (act, points[act.contact_id].address)
            for act in known
            if act.contact_id and act.contact_id in points
        ]
        recorded: dict[bool, list[intake.OrderIn]] = defaultdict(list)
        for act, address in told:
            recorded[act.is_replay].append(meaning.order_in(act, address))
        order_ids: list[UUID] = []
        for is_backfill, orders in recorded.items():
            order_ids += intake.record_orders(orders, self.now, source=intake.SHOP, is_backfill=is_backfill)
        if order_ids:
            carts.close_for_orders(order_ids, self.now)
        ends = [
            (act.details["cart_token"], act.at)
            for act in acts
            if act.details.get("cart_token") and not act.contact_id
        ]
        if ends:
            carts.close_by_token(ends, self.now)
        visitor_carts.end([act for act in acts if act.visitor_id])

    def _record_consents(self, acts: list[Act], resolved: dict[UUID, UUID]) -> None:
        said = [
            (act, one) for act in acts if act.kind == "identify" for one in act.details.get("consents", [])
        ]
        if not said:
            return
        purposes = set(Purpose.objects.filter(is_active=True).values_list("key", flat=True))
        consent.record(
            [
                consent.Said(
                    address_hash=address_hash,
                    channel="email",
                    purpose_key=one["purpose"],
                    action="granted" if one["granted"] else "refused",
                    occurred_at=act.at,
                    source_kind="signed_form",
                    address=act.details["email"],
                    contact_id=resolved[act.id],
                    wording=one.get("wording", ""),
                    locale=one.get("locale", ""),
                    legal_basis="consent",
                    source_ref=act.url[:200],
                    ip=act.row.ip_truncated,
                    user_agent=act.row.user_agent,
                    is_backfill=act.is_replay,
                )
                for act, one in said
                if one["purpose"] in purposes and (address_hash := identity.hash_of(act.details["email"]))
            ],
            self.now,
            unless_repeated=True,
        )
