"""Conditions about messages: what somebody was sent, and what they did with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet

from campaigns.models import Campaign, Delivery, DeliveryState
from crm.conditions import words
from crm.conditions.often import Often, OftenForm
from crm.conditions.spans import turned
from crm.kernel.rules import Scope, conditions
from tracking.models import Actor, Event, EventKind

GROUP = "Messages"
HUMANS = [Actor.HUMAN, Actor.LIKELY_HUMAN]
CLICKS = [EventKind.CLICK, EventKind.LANDING]


class SinceForm(forms.Form):
    """Messages of which campaign, since when."""

    campaign = forms.ModelChoiceField(
        Campaign.objects.all(), required=False, empty_label="any campaign", label="of"
    )
    days = forms.IntegerField(label="in the last days", min_value=1, max_value=3650, initial=30)


class MessageForm(OftenForm, SinceForm):
    """The same, and how often. Rules that do not say how often mean once."""

    times = forms.IntegerField(label="times", min_value=1, max_value=1000, initial=1, required=False)
    field_order: Sequence[str] = ("which", "times", "campaign", "days")

    def clean_times(self) -> int:
        return self.cleaned_data["times"] or 1


class Messages(Often):
    """So many messages, or answers to them, within the last days."""

    group = GROUP
    done = ""

    def rows(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Any]:
        then = {f"{self.moment}__lte": at, f"{self.moment}__gt": at - timedelta(days=params["days"])}
        return self.sort(params, at).filter(**then)

    def sort(self, params: dict[str, Any], at: datetime) -> QuerySet[Any]:
        """Everybody's rows of the sort, whenever they happened, as known at an instant."""
        raise NotImplementedError(f"{type(self).__name__} is about no messages")

    def sentence(self, params: dict[str, Any]) -> str:
        often = words.often(params["which"], params["times"])
        return words.joined(f"{self.done}{of_campaign(params)}", often, last_days(params))

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        raise NotImplementedError(f"{type(self).__name__} has no name for what it counts")


class Answers(Messages):
    """So many events that name a message. Each was stirred for when it came in."""

    def of(self, params: dict[str, Any]) -> Q:
        """Which events."""
        raise NotImplementedError(f"{type(self).__name__} is no answer")

    def at_least(self, number: int, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if scope.current and number == 1 and not params["campaign"]:
            found = self.latest(params, at, scope)
            if found is not None:
                return found
        return super().at_least(number, params, at, scope)

    def latest(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q | None:
        """Whose latest answer, as kept up beside the events, was within these days; None: it is not kept."""
        return None

    def sort(self, params: dict[str, Any], at: datetime) -> QuerySet[Event]:
        events = Event.objects.filter(self.of(params), recorded_at__lte=at, ref__isnull=False)
        if params["campaign"]:
            messages = Delivery.objects.filter(public_id=OuterRef("ref"), campaign=params["campaign"])
            events = events.filter(Exists(messages))
        return events

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        return [turned(Event.objects.filter(self.of(params)), params["days"], since, at)]


def of_campaign(params: dict[str, Any]) -> str:
    return f" of “{params['campaign']}”" if params["campaign"] else ""


def last_days(params: dict[str, Any]) -> str:
    return f"in the last {words.counted(params['days'], 'day')}"


@conditions.register
class Received(Messages):
    """To whom messages were sent: at least, at most or exactly so many within the last days. Sent means that
    the mail server took it; whether it reached the inbox nobody can know.
    """

    key = "campaigns.received"
    label = "Was sent a message"
    done = "were sent a message"
    moment = "finished_at"

    class Params(MessageForm):
        """Of which campaign, how often, since when."""

    def sort(self, params: dict[str, Any], at: datetime) -> QuerySet[Delivery]:
        sent = Delivery.objects.filter(origin=Delivery.Origin.FLOW, state=DeliveryState.SENT)
        return sent.filter(campaign=params["campaign"]) if params["campaign"] else sent

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        about = f"{of_campaign(params)} {last_days(params)}"
        return f"message{about}", f"messages{about}"

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"{value['number'] if value else 0} sent"


@conditions.register
class Clicked(Answers):
    """Who clicked in a message themselves, no scanner: so many times within the last days."""

    key = "campaigns.clicked"
    label = "Clicked in a message"
    done = "clicked in a message"

    class Params(MessageForm):
        """Of which campaign, how often, since when."""

    def of(self, params: dict[str, Any]) -> Q:
        return clicked_by_people()

    def latest(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q | None:
        return Q(engagement__last_click_at__gt=at - timedelta(days=params["days"]))

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        about = f"in a message{of_campaign(params)} {last_days(params)}"
        return f"click {about}", f"clicks {about}"

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "never clicked"
        often = f"clicked {words.times(value['number'])}, last" if value["number"] > 1 else "last clicked"
        return f"{often} on {words.day(value['last'])}"


def clicked_by_people() -> Q:
    return Q(kind__in=CLICKS, actor__in=HUMANS)


PEOPLE, MACHINES, ANY = "people", "machines", "any"
_OPENERS = {
    PEOPLE: HUMANS,
    MACHINES: [Actor.MACHINE, Actor.PROXY, Actor.UNKNOWN],
    ANY: list(Actor),
}


@conditions.register
class Opened(Answers):
    """Whose mail program loaded the pictures of a message. Opens say little: Apple's mail and company
    filters load pictures that nobody saw, Gmail's proxy hides who looked, and many people see a message
    without its pictures. Where it matters who is interested, ask for clicks.
    """

    key = "campaigns.opened"
    label = "Opened a message"
    done = "opened a message"
    help = "Opens say little about people: many are made by machines. Prefer clicks."

    class Params(MessageForm):
        by = forms.ChoiceField(
            label="opened by",
            choices=[
                (PEOPLE, "probably a person"),
                (MACHINES, "a machine or an image proxy"),
                (ANY, "either"),
            ],
            initial=PEOPLE,
        )
        field_order = ("by", "which", "times", "campaign", "days")

    def of(self, params: dict[str, Any]) -> Q:
        return Q(kind=EventKind.OPEN, actor__in=_OPENERS[params["by"]])

    def latest(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q | None:
        if params["by"] != PEOPLE:
            return None
        return Q(engagement__last_open_at__gt=at - timedelta(days=params["days"]))

    def sentence(self, params: dict[str, Any]) -> str:
        said = super().sentence(params)
        if params["by"] == PEOPLE:
            return said
        whose = "by a machine or proxy" if params["by"] == MACHINES else "themselves or by a machine"
        return f"{said}, {whose}"

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        who = {PEOPLE: "probably by a person ", MACHINES: "by a machine or proxy ", ANY: ""}[params["by"]]
        about = f"{who}of a message{of_campaign(params)} {last_days(params)}"
        return f"open {about}", f"opens {about}"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        # An open by a machine is no sign of the person and stirs nobody.
        return super().drift(params, since, at, scope) if params["by"] == PEOPLE else None


@conditions.register
class Replied(Answers):
    """Who answered a message with a message of their own, so many times within the last days."""

    key = "campaigns.replied"
    label = "Answered a message"
    done = "answered a message"

    class Params(MessageForm):
        """Of which campaign, how often, since when."""

    def of(self, params: dict[str, Any]) -> Q:
        return Q(kind=EventKind.REPLY, actor__in=HUMANS)

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        about = f"to a message{of_campaign(params)} {last_days(params)}"
        return f"answer {about}", f"answers {about}"
