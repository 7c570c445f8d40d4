"""Two contacts who are one person become one contact, and two again if that was wrong.

Every row of the other goes to the one who stays, but for those of which there can be only one and the one who
stays has theirs; those wait with the other. Consent belongs to addresses and is never gained: what was
refused at one address holds for all of the person's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model, Q

from crm.kernel.keeping import Kept, in_order
from crm.kernel.kinds import Kind, Registry
from crm.models import (
    Contact,
    ContactPoint,
    Engagement,
    MergedRows,
    MergeProposal,
    Merging,
)
from crm.models.moving import move
from crm.people import changes, restraint
from crm.people.stirring import stir

_PLAIN = ("first_name", "last_name", "email", "phone", "created_at")
_FILLED = (*_PLAIN[:4], "language", "country", "time_zone", "owner", "company")
_SEEN = (*_FILLED, "created_at", "tags", "fields")
_MOMENTS = ("last_seen_at", "last_cart_at", "last_click_at", "last_open_at", "last_reply_at")


class CannotMerge(ValueError):
    """These two cannot become one, or two again: why, in words."""


class Ending(Kind):
    """What ends for a contact who is merged into another: each app registers its own."""

    def end(self, contact_id: UUID, now: datetime) -> None:
        """End it. Undoing does not begin it again."""
        raise NotImplementedError


endings: Registry[Ending] = Registry(Ending)


@transaction.atomic
def merge(stays: UUID, goes: UUID, now: datetime, *, by: str, why: str = "") -> Merging:
    """Make two people one: everything of `goes` becomes `stays`'s. Raises CannotMerge."""
    one, other = _locked(stays, goes)
    if one.is_test != other.is_test:
        raise CannotMerge("A test person is never counted: merge them only with another test person.")
    for ending in endings:
        ending.end(goes, now)
    before = {
        "fields": {name: _plain(one, name) for name in _SEEN},
        "moments": _moments(stays),
        "primary": [str(pk) for pk in _yield_primary(stays, goes)],
        "followers": [
            str(pk) for pk in Contact.objects.filter(merged_into=goes).values_list("pk", flat=True)
        ],
        "stops": [str(pk) for pk in restraint.share(stays, goes)],
    }
    merging = Merging.objects.create(
        contact=one,
        other_id=goes,
        other_name=str(other)[:260],
        why=why[:200],
        merged_at=now,
        merged_by=by[:150],
    )
    MergedRows.objects.bulk_create(_move(merging, goes, stays))
    _fill(one, other, now, by)
    before["after"] = {name: _plain(one, name) for name in _SEEN}
    Contact.objects.filter(Q(pk=goes) | Q(merged_into=goes)).update(merged_into=stays, updated_at=now)
    _forward(stays, goes)
    _settle([stays, goes], now)
    before["moments_after"] = _moments(stays)
    merging.before = before
    merging.save(update_fields=["before"])
    pairs = Q(one=stays, other=goes) | Q(one=goes, other=stays)
    MergeProposal.objects.filter(pairs, answer="").update(
        answer=MergeProposal.Answer.MERGED, answered_at=now, answered_by=by[:150]
    )
    return merging


@transaction.atomic
def undo(merging_id: UUID, now: datetime, *, by: str) -> Contact:
    """Make them two again, each with what was theirs; what came since stays with who stayed. Returns the
    other. Raises CannotMerge where it was undone, or who stayed was merged into somebody else since.
    """
    merging = Merging.objects.get(pk=merging_id)
    stays, goes = merging.contact_id, merging.other_id
    locked = {one.pk: one for one in _lock([stays, goes])}
    merging.refresh_from_db()
    if merging.undone_at:
        raise CannotMerge("They are two already.")
    one, other = locked.get(stays), locked.get(goes)
    if one is None or other is None or other.erased_at or one.erased_at:
        raise CannotMerge("One of them is gone: nothing is left to bring back.")
    if one.merged_into_id is not None or other.merged_into_id != stays:
        raise CannotMerge("They were merged into somebody else since: undo that first.")
    before = merging.before
    restraint.release(before["stops"])
    for rows in _in_order(merging):
        _back(rows, stays, goes)
    ContactPoint.objects.filter(pk__in=before["primary"], contact=goes).update(is_primary=True)
    Contact.objects.filter(pk__in=before["followers"], merged_into=stays).update(merged_into=goes)
    Contact.objects.filter(pk=goes).update(merged_into=None, updated_at=now)
    _restore(one, before, now, by)
    _back_moments(stays, before)
    merging.undone_at, merging.undone_by = now, by[:150]
    merging.save(update_fields=["undone_at", "undone_by"])
    _settle([stays, goes], now)
    pairs = Q(one=stays, other=goes) | Q(one=goes, other=stays)
    MergeProposal.objects.filter(pairs).update(
        answer=MergeProposal.Answer.OTHERS, answered_at=now, answered_by=by[:150]
    )
    other.refresh_from_db()
    return other


def gather(merging: Merging, now: datetime) -> int:
    """Take over what was still written for the other while they were merged. Returns how many rows."""
    with transaction.atomic():
        _lock([merging.contact_id, merging.other_id])
        rows = _move(merging, merging.other_id, merging.contact_id)
        MergedRows.objects.bulk_create(rows)
        if rows:
            _settle([merging.contact_id, merging.other_id], now)
    return sum(len(one.ids) for one in rows)


def _locked(stays: UUID, goes: UUID) -> tuple[Contact, Contact]:
    if stays == goes:
        raise CannotMerge("This is one person already.")
    found = {contact.pk: contact for contact in _lock([stays, goes])}
    if len(found) < 2 or any(contact.merged_into_id for contact in found.values()):
        raise CannotMerge("One of them was merged or erased since. Look again.")
    return found[stays], found[goes]


def _lock(people: list[UUID]) -> list[Contact]:
    # In one order, so that two who merge the same people wait for each other, never in a circle.
    return list(Contact.objects.filter(pk__in=people).order_by("pk").select_for_update(of=("self",)))


def _move(merging: Merging, old: UUID, new: UUID) -> list[MergedRows]:
    moved = []
    for kept in in_order():
        if kept.moves:
            ids = list(kept.movable(None, old, new).values_list("pk", flat=True))
            move(kept.model, ids, kept.by, old, new)
            if ids:
                told = [pk if isinstance(pk, int) else str(pk) for pk in ids]
                moved.append(MergedRows(contact_id=new, merging=merging, kept=kept.key, ids=told))
    return moved


def _in_order(merging: Merging) -> list[tuple[Kept, list[Any]]]:
    kept = {one.key: one for one in in_order()}
    rows = MergedRows.objects.filter(merging=merging)
    found = [(kept[one.kept], one.ids) for one in rows if one.kept in kept]
    return sorted(found, key=lambda pair: pair[0].place)


def _back(rows: tuple[Kept, list[Any]], stays: UUID, goes: UUID) -> None:
    kept, told = rows
    move(kept.model, list(kept.movable(told, stays, goes).values_list("pk", flat=True)), kept.by, stays, goes)


def _yield_primary(stays: UUID, goes: UUID) -> list[UUID]:
    """On a channel where who stays has a first address, the other's are further ones."""
    theirs = ContactPoint.objects.filter(contact=stays, is_primary=True).values("channel")
    points = ContactPoint.objects.filter(contact=goes, is_primary=True, channel__in=theirs)
    found = list(points.values_list("pk", flat=True))
    points.update(is_primary=False)
    return found


def _fill(one: Contact, other: Contact, now: datetime, by: str) -> None:
    """What was blank is filled from the other; tags and answers of both stay, those of who stays first."""
    blanks = {
        name: getattr(other, name) for name in _FILLED if not getattr(one, name) and getattr(other, name)
    }
    blanks["created_at"] = min(one.created_at, other.created_at)
    ruled = {name: value for name, value in blanks.items() if name in changes.RULED}
    ruled["tags"] = list(dict.fromkeys([*one.tags, *other.tags]))
    ruled["fields"] = {**other.fields, **one.fields}
    _write(one, blanks, ruled, now, by)


def _restore(one: Contact, before: dict[str, Any], now: datetime, by: str) -> None:
    """What still stands as the merging left it is as it was before."""
    told, after = before["fields"], before["after"]
    back = {name: value for name, value in told.items() if _plain(one, name) == after[name] != value}
    for name, keep in (("tags", _tags), ("fields", _answers)):
        if name not in back and told[name] != after[name]:
            back[name] = keep(_plain(one, name), told[name], after[name])
    _write(one, back, {name: value for name, value in back.items() if name in changes.RULED}, now, by)


def _tags(now: list[str], before: list[str], after: list[str]) -> list[str]:
    return [tag for tag in now if tag in before or tag not in after]


def _answers(now: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in now.items() if key in before or after.get(key) != value}


def _write(one: Contact, plain: dict[str, Any], ruled: dict[str, Any], now: datetime, by: str) -> None:
    straight = {name: value for name, value in plain.items() if name in _PLAIN}
    Contact.objects.filter(pk=one.pk).update(**straight, updated_at=now)
    rows = {name: _row(name, value) for name, value in ruled.items()}
    changes.change([one.pk], lambda _: rows, now, actor=by)
    one.refresh_from_db()


def _row(name: str, value: Any) -> Any:
    """A colleague or a company of a key, while there is one."""
    if name in ("owner", "company") and value is not None and not isinstance(value, Model):
        related: Any = Contact._meta.get_field(name).related_model
        return related._default_manager.filter(pk=value).first()
    return value


def _plain(contact: Contact, name: str) -> Any:
    if name in ("owner", "company"):
        key = getattr(contact, f"{name}_id")
        return key if key is None or isinstance(key, int) else str(key)
    value = getattr(contact, name)
    return value.isoformat() if isinstance(value, datetime) else value


def _moments(contact_id: UUID) -> dict[str, str | None]:
    row = Engagement.objects.filter(contact=contact_id).values(*_MOMENTS).first() or dict.fromkeys(_MOMENTS)
    return {name: at.isoformat() if at else None for name, at in row.items()}


def _forward(stays: UUID, goes: UUID) -> None:
    other = Engagement.objects.filter(contact=goes).first()
    one, _ = Engagement.objects.get_or_create(contact_id=stays)
    for name in _MOMENTS if other else ():
        known = [at for at in (getattr(one, name), getattr(other, name)) if at]
        setattr(one, name, max(known, default=None))
    one.save(update_fields=_MOMENTS)


def _back_moments(stays: UUID, before: dict[str, Any]) -> None:
    same = {
        name: at
        for name, at in _moments(stays).items()
        if at == before["moments_after"][name] != before["moments"][name]
    }
    if same:
        Engagement.objects.filter(contact=stays).update(**{name: before["moments"][name] for name in same})


def _settle(people: list[UUID], now: datetime) -> None:
    for kept in in_order():
        kept.settle(people, now)
    stir(people)
