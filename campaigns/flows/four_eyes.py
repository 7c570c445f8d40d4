"""A launch to very many people takes two: one asks for it, a second approves what the first one saw.

Whoever approves has neither asked nor changed the campaign last. What is approved is one state of the
campaign, told by its seal: changed since, the request is void. Where nobody else may approve, nobody is
asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.urls import reverse

from campaigns.flows import editing, launching, sealing, starting
from campaigns.flows.forecasting import Forecast
from campaigns.models import Campaign, LaunchRequest, TemplateVersion
from crm.models import Notice, Segment

State = LaunchRequest.State
# Above so many people a launch takes a permission of its own; above the second also a second person.
MANY, VERY_MANY = 500, 10_000
MAY_LAUNCH, MAY_APPROVE = "campaigns.launch_campaign", "campaigns.approve_launch"
LONGEST = 300


class CannotApprove(launching.NotReady):
    """This person cannot answer this request; says why."""


@dataclass(frozen=True)
class Eyes:
    """Who may approve a launch that somebody asks for. `editor` changed the campaign last; `only` names them
    where nobody besides them may approve.
    """

    approvers: list[User]
    editor: User | None = None
    only: bool = False

    @property
    def are_two(self) -> bool:
        """Whether the launch waits for a second person: false where there is none."""
        return bool(self.approvers) or self.only

    @property
    def names(self) -> str:
        """Whom one may turn to, such as "bea, carl or dora"."""
        names = [str(one.get_username()) for one in self.approvers]
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}" if names else ""

    @property
    def refusal(self) -> str:
        """Why it cannot be asked for; blank where it can."""
        if not self.only or self.editor is None:
            return ""
        name = self.editor.get_username()
        return (
            f"Only {name} may approve it besides you, and {name} changed it last: nobody approves what they "
            f"wrote themselves. Ask {name} to launch it; who else may approve then does."
        )


def eyes(campaign: Campaign, asker: Any) -> Eyes:
    """Who may approve what this person asks for: active colleagues with the permission, but neither they nor
    who changed the campaign last.
    """
    others = [one for one in holders() if one.pk != asker.pk]
    editor = last_editor(campaign)
    approvers = [one for one in others if editor is None or one.pk != editor.pk]
    return Eyes(approvers, editor, only=bool(others) and not approvers)


def eyes_of(asked: LaunchRequest) -> Eyes:
    """Who may answer a request."""
    return Eyes([one for one in holders() if one.pk not in (asked.asker_id, asked.editor_id)])


def holders() -> list[User]:
    """Active colleagues who may approve, by their names."""
    return list(User.objects.with_perm(MAY_APPROVE).filter(is_staff=True).order_by("username"))


def last_editor(campaign: Campaign) -> User | None:
    """Who changed last how it goes, what it says or whom it goes to; nobody where that is not known."""
    messages, segments = sealing.made_of(campaign)
    kinds = ContentType.objects.get_for_models(Campaign, Segment)
    edits = [(row.action_time, row.user) for row in _logged(kinds[Campaign], [campaign.pk])]
    edits += [(row.action_time, row.user) for row in _logged(kinds[Segment], [one.pk for one in segments])]
    written = TemplateVersion.objects.filter(pk__in=[one.current_id for one in messages]).exclude(
        created_by=None
    )
    newest = written.select_related("created_by").order_by("-created_at")[:1]
    edits += [(row.created_at, row.created_by) for row in newest if row.created_by]
    return max(edits, key=lambda edit: edit[0])[1] if edits else None


def _logged(kind: ContentType, keys: Iterable[Any]) -> Iterable[LogEntry]:
    rows = LogEntry.objects.filter(content_type=kind, object_id__in=[str(key) for key in keys])
    # A form saved with nothing changed in it is no edit.
    rows = rows.exclude(change_message__in=["", "[]"])
    return rows.select_related("user").order_by("-action_time", "-pk")[:1]


def open_request(campaign: Campaign) -> LaunchRequest | None:
    """The request that waits, void or not."""
    return campaign.launch_requests.filter(state=State.OPEN).select_related("asker").first()


def is_void(request: LaunchRequest) -> bool:
    """Whether the campaign was changed since it was asked for."""
    return sealing.seal(request.campaign) != request.seal


def waiting() -> list[LaunchRequest]:
    """Every request that waits and still holds, the longest waiting first."""
    found = list(
        LaunchRequest.objects.filter(state=State.OPEN).select_related("campaign").order_by("asked_at")
    )
    if not found:
        return []
    seals = sealing.seals([one.campaign_id for one in found])
    return [one for one in found if seals[one.campaign_id] == one.seal]


def waiting_for(user: Any) -> list[LaunchRequest]:
    """Those that this person may approve."""
    if not user.has_perm(MAY_APPROVE):
        return []
    return [one for one in waiting() if user.pk not in (one.asker_id, one.editor_id)]


def ask(
    campaign: Campaign, asker: Any, people: int | None, now: datetime, *, existing_a_day: int | None = None
) -> LaunchRequest:
    """Ask for a launch, in place of what was asked before, and tell all who may approve. Raises NotReady."""
    with transaction.atomic():
        editing.lock(campaign)
        campaign.refresh_from_db()
        if campaign.state not in launching.CAN_START:
            raise launching.WrongState(f"It is {campaign.get_state_display()}.")
        if found := launching.problems(campaign, now, may=asker.has_perm):
            raise launching.CannotLaunch(found)
        who = eyes(campaign, asker)
        if who.refusal:
            raise CannotApprove(who.refusal)
        _end(campaign, State.VOID, asker, now)
        made = LaunchRequest.objects.create(
            campaign=campaign,
            asker=asker,
            asked_by=asker.get_username(),
            asked_at=now,
            editor=who.editor,
            seal=sealing.seal(campaign),
            people=people,
            existing_a_day=existing_a_day,
        )
        _tell(made, who.approvers, f"“{campaign}” asks for your approval", _asks(made), now)
    return made


def approve(campaign: Campaign, approver: Any, made: Forecast | None, now: datetime) -> LaunchRequest:
    """Launch what was asked for, as it was asked for. Raises NotReady, with nothing changed."""
    with transaction.atomic():
        asked = _answerable(campaign, approver)
        asker = asked.asker
        if is_void(asked):
            raise CannotApprove(
                f"It was changed after {asked.asked_by} asked for it, so there is nothing to approve: it has "
                "to be asked for anew."
            )
        if asker is None or not asker.is_active or not asker.has_perm(MAY_LAUNCH):
            raise CannotApprove(
                f"{asked.asked_by}, who asked for it, may not launch it any more: somebody else has to ask."
            )
        by = f"{asked.asked_by}, approved by {approver.get_username()}"
        starting.start(campaign, by, now, made, existing_a_day=asked.existing_a_day, may=asker.has_perm)
        asked.seal = sealing.seal(campaign, in_use=True)
        _answer(asked, State.APPROVED, approver, now)
        _tell(asked, [asker], f"“{campaign}” is launched", f"{approver.get_username()} approved it.", now)
    campaign.refresh_from_db()
    return asked


def send_back(campaign: Campaign, approver: Any, words: str, now: datetime) -> LaunchRequest:
    """Do not approve it; the words say what should be changed."""
    with transaction.atomic():
        asked = _answerable(campaign, approver)
        _answer(asked, State.SENT_BACK, approver, now, words)
        if asked.asker:
            said = f"{approver.get_username()} sent it back" + (f": {asked.words}" if asked.words else ".")
            _tell(asked, [asked.asker], f"“{campaign}” was not approved", said, now)
    return asked


def withdraw(campaign: Campaign, by: Any, now: datetime) -> bool:
    """Nobody asks any more. Returns whether somebody had."""
    with transaction.atomic():
        editing.lock(campaign)
        return _end(campaign, State.WITHDRAWN, by, now)


def refusal(asked: LaunchRequest, user: Any) -> str:
    """Why this person may not approve it; blank where they may."""
    if not user.has_perm(MAY_APPROVE):
        return "Approving takes a permission that you do not have."
    if asked.asker_id == user.pk:
        return "You asked for it: somebody else has to approve."
    if asked.editor_id == user.pk:
        return "You changed it last: somebody else has to approve."
    return ""


def _answerable(campaign: Campaign, user: Any) -> LaunchRequest:
    """The request, with the campaign locked, for somebody who may answer it."""
    editing.lock(campaign)
    asked = open_request(campaign)
    if asked is None:
        raise CannotApprove("Nobody asks for this launch any more.")
    if words := refusal(asked, user):
        raise CannotApprove(words)
    return asked


def _end(campaign: Campaign, state: str, by: Any, now: datetime) -> bool:
    asked = open_request(campaign)
    if asked is not None:
        _answer(asked, state, by, now)
    return asked is not None


def _answer(asked: LaunchRequest, state: str, by: Any, now: datetime, words: str = "") -> None:
    asked.state, asked.answerer, asked.answered_by = state, by, by.get_username()
    asked.answered_at, asked.words = now, words.strip()[:LONGEST]
    asked.save()


def _asks(asked: LaunchRequest) -> str:
    how = f"about {asked.people:,} people" if asked.people is not None else "an unknown number of people"
    return (
        f"{asked.asked_by} wants to launch “{asked.campaign}” to {how}. Look at its flow, its messages and "
        "whom it goes to; then approve it, or send it back. Nothing is sent before."
    )


def _tell(asked: LaunchRequest, people: Iterable[User], subject: str, body: str, now: datetime) -> None:
    page = reverse("admin:campaigns_campaign_launch", args=[asked.campaign_id])
    Notice.objects.bulk_create(
        Notice(
            key=f"launch:{asked.pk}:{asked.state}:{one.pk}",
            user=one,
            subject=subject[:200],
            body=body,
            path=page,
            created_at=now,
        )
        for one in people
    )
