"""Trying a campaign: one person walked through it on a fast clock, its messages sent to a colleague."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from campaigns.admin import campaign_head, frames, past
from campaigns.flows import trying
from campaigns.models import Campaign
from crm.access import reach
from crm.kernel import clock, masking
from crm.models import Contact
from crm.people import identity


def walk(model_admin: Any, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """The page of one walk: when what would happen, and each message as the person would get it."""
    contact, problem, stops, now = chosen(request.GET.get("as", "")), "", [], clock.now()
    if contact is not None:
        try:
            stops = trying.walk(campaign, contact, now)
        except trying.CannotTry as error:
            problem = str(error)
    elif "as" in request.GET:
        problem = "Type the whole e-mail address of a contact."
    context = campaign_head.page(model_admin, request, campaign, campaign_head.TRY, now) | {
        **past.context(request, campaign, now),
        "contact": contact,
        "as": request.GET["as"] if "as" in request.GET else _suggested(request),
        "problem": problem,
        "stops": [
            {"stop": stop, "html": frames.document(stop.message.html) if stop.message else ""}
            for stop in stops
        ],
        "may_send": model_admin.has_change_permission(request, campaign),
    }
    return render(request, "campaigns/walk.html", context)


def test(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Walk the person and send the walk's messages to an address, at once."""
    contact, to = chosen(request.POST.get("as", "")), where_to(request)
    if contact is None:
        messages.error(request, "Whose message? Type the whole e-mail address of a contact.")
    elif problem := wrong_address(to):
        messages.error(request, problem)
    else:
        try:
            stops = trying.walk(campaign, contact, clock.now(), send_to=to, by=request.user.get_username())
        except trying.CannotTry as error:
            messages.error(request, str(error))
        else:
            told(request, sum(stop.template is not None for stop in stops), to)
    back = reverse("admin:campaigns_campaign_try", args=[campaign.pk])
    return redirect(f"{back}?{urlencode({'as': request.POST.get('as', '')})}")


def told(request: HttpRequest, number: int, to: str) -> None:
    if number:
        plural = "s are" if number > 1 else " is"
        messages.success(request, f"{number} test message{plural} on the way to {to}.")
    else:
        messages.warning(request, "This person would get no message, so none was sent.")


def chosen(typed: str) -> Contact | None:
    """The contact whose whole e-mail address was typed, or whose id it is."""
    people = reach.seen(Contact.objects.filter(merged_into=None))
    try:
        return people.filter(pk=UUID(typed.strip())).first()
    except ValueError:
        pass  # No id, as mostly.
    digest = identity.hash_of(typed.strip()) if typed.strip() else None
    if digest is None:
        return None
    return people.filter(points__address_hash=digest).first()


def _suggested(request: HttpRequest) -> str:
    """An address to begin with, shown only to those who may see people."""
    contact = somebody() if request.user.has_perm("crm.view_contact") else None
    return typed_as(contact)


def typed_as(contact: Contact | None) -> str:
    """What is typed to choose this contact: their address, or their id where it would be masked."""
    if contact is None:
        return ""
    return str(contact.pk) if masking.is_on() else contact.email


def somebody() -> Contact | None:
    """The contact to look as where nobody was named: one with an open cart, else the newest."""
    with_cart = known_people().filter(carts__state="open", carts__has_priced_line=True)
    return with_cart.order_by("-carts__changed_at").first() or known_people().order_by("-id").first()


def known_people() -> QuerySet[Contact]:
    """Those who have an address."""
    return reach.seen(Contact.objects.filter(merged_into=None).exclude(email=""))


def where_to(request: HttpRequest) -> str:
    """The address a test goes to: the one typed, else the colleague's own."""
    return request.POST.get("to", "").strip() or getattr(request.user, "email", "")


def wrong_address(to: str) -> str:
    """What is wrong with the address of a test, in words."""
    if not to:
        return "Where to? Type the address the test goes to."
    try:
        validate_email(to)
    except ValidationError:
        return f"“{to}” is not an e-mail address."
    return ""
