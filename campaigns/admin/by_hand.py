"""Putting people into a flow by hand: one or a segment on its own page, one on the contact's page, the ticked
ones from the list of contacts.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from campaigns.admin import campaign_head
from campaigns.admin.trials import chosen
from campaigns.flows import handing
from campaigns.flows.entry import BrokenRule
from campaigns.models import Campaign
from crm.kernel import clock
from crm.kernel.backoffice import dress
from crm.kernel.people_actions import PeopleAction, people_actions
from crm.models import Contact, Segment, SegmentMembership

MOST = f"{handing.MOST_AT_ONCE:,}"
TOO_MANY = f"At most {MOST} people at once. A campaign that starts on a date takes any number."


class OnePerson(forms.Form):
    address = forms.CharField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"placeholder": "a contact's e-mail"}),
        error_messages={"required": "Type the whole e-mail address of a contact."},
    )

    def clean_address(self) -> Contact:
        contact = chosen(self.cleaned_data["address"])
        if contact is None:
            raise forms.ValidationError("Nobody has this address. Type the whole of it, or add the contact.")
        return contact


class OneSegment(forms.Form):
    segment = forms.ModelChoiceField(
        Segment.objects.order_by("name"),
        label="Segment or list",
        empty_label="choose one",
        help_text="Whoever is in it now, once. Whoever comes in later is not put in.",
        error_messages={"required": "Choose a segment or a list."},
    )


def page(model_admin: Any, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """The page of a campaign from which people are put into it."""
    sent = request.POST if request.method == "POST" else None
    one = OnePerson(sent if sent and "address" in sent else None)
    many = OneSegment(sent if sent and "segment" in sent else None)
    people: list[UUID] | None = None
    if one.is_bound and one.is_valid():
        people = [one.cleaned_data["address"].pk]
    elif many.is_bound and many.is_valid():
        people = _inside(many.cleaned_data["segment"])
    if people is not None and _put(request, campaign, people):
        return redirect("admin:campaigns_campaign_hand", campaign.pk)
    problem = ""
    try:
        handing.refuse(campaign)
    except handing.CannotPut as error:
        problem = str(error)
    context = campaign_head.page(
        model_admin,
        request,
        campaign,
        campaign_head.HAND,
        clock.now(),
        problem=problem,
        one=dress(one),
        many=dress(many),
        any_segment=Segment.objects.exists(),
        most=handing.MOST_AT_ONCE,
    )
    return render(request, "campaigns/by_hand.html", context)


@people_actions.register
class PutIn(PeopleAction):
    """First asks for the campaign, then puts the chosen people into it."""

    key = "campaigns.put_in"
    label = "Put into a campaign"
    permission = "campaigns.change_campaign"

    def run(self, model_admin: Any, request: HttpRequest, people: Any) -> HttpResponse | None:
        campaigns = handing.open_campaigns()
        campaign = next((one for one in campaigns if str(one.pk) == request.POST.get("campaign")), None)
        ids = people.order_by().values_list("pk", flat=True)
        if campaign is not None:
            _put(request, campaign, list(ids[: handing.MOST_AT_ONCE + 1]))
            back = request.POST.get("back", "")
            return redirect("admin:crm_contact_change", UUID(back)) if _is_id(back) else None
        context = model_admin.admin_site.each_context(request) | {
            "title": self.label,
            "opts": model_admin.model._meta,
            "campaigns": campaigns,
            "number": people.count(),
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "checkbox": ACTION_CHECKBOX_NAME,
            "across": request.POST.get("select_across", "0"),
            "action_name": request.POST.get("action", ""),
        }
        return render(request, "campaigns/put_in.html", context)


def _inside(segment: Segment) -> list[UUID]:
    stays = SegmentMembership.objects.filter(segment=segment, left_at=None).order_by("contact_id")
    return list(stays.values_list("contact_id", flat=True)[: handing.MOST_AT_ONCE + 1])


def _put(request: HttpRequest, campaign: Campaign, people: list[UUID]) -> bool:
    """Put them in and say what became of them; False where nothing could be done."""
    user: Any = request.user
    if len(people) > handing.MOST_AT_ONCE:
        messages.error(request, TOO_MANY)
        return False
    try:
        found = handing.put(campaign, people, clock.now(), by=user.get_username())
    except (handing.CannotPut, BrokenRule) as error:
        messages.error(request, str(error))
        return False
    say = messages.success if found.entered else messages.warning
    say(
        request, f"“{campaign}”: {found.words}" if people else f"“{campaign}”: nobody is in this segment now."
    )
    return True


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
