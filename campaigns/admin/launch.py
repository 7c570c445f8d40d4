"""The page that launches a campaign: what must be right, what would happen, and the button."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from campaigns.admin import flow
from campaigns.flows import editing, forecasting, four_eyes, launching, starting, variants, watching
from campaigns.flows.check import Check
from campaigns.flows.checklist import checklist
from campaigns.flows.forecasting import Forecast
from campaigns.flows.four_eyes import MANY, MAY_LAUNCH, VERY_MANY, Eyes
from campaigns.flows.kinds import triggers
from campaigns.flows.launching import CAN_START
from campaigns.messages import leading
from campaigns.models import Campaign, FlowVersion, LaunchRequest
from crm.access import fresh
from crm.kernel import clock
from crm.kernel.kinds import BrokenParams, UnknownKind
from crm.shop.settings import shop_zone, this_shop

ANSWERS = ("approve", "send_back")


class LaunchForm(forms.Form):
    """What the launching person decides."""

    existing = forms.ChoiceField(choices=[("forward", ""), ("also", "")], required=False)
    a_day = forms.IntegerField(
        min_value=1,
        max_value=100_000,
        required=False,
        error_messages={"invalid": "Type a whole number of people a day, such as 300."},
    )
    shadow = forms.BooleanField(required=False)
    no_control = forms.BooleanField(required=False)
    very_many = forms.BooleanField(required=False)

    @property
    def is_also(self) -> bool:
        return bool(self.cleaned_data.get("existing") == "also")

    def judge(self, campaign: Campaign, made: Forecast | None, user: Any) -> bool:
        """Hold what was decided against the campaign and the forecast; what is missing becomes an error.
        Returns whether a second person has to approve it.
        """
        said = self.cleaned_data
        if self.is_also and not said.get("a_day") and "a_day" not in self.errors:
            self.add_error("a_day", "Say how many of them a day, such as 300.")
        if not campaign.control_share and not said["no_control"]:
            words = "Nobody is held out. Give it a control group, or tick that this is on purpose."
            self.add_error("no_control", words)
        people = reached(made, self.is_also)
        if said["shadow"] or (people is not None and people <= MANY):
            return False
        if not user.has_perm(MAY_LAUNCH):
            self.add_error(None, _not_allowed(people))
        elif _are_very_many(people):
            eyes = four_eyes.eyes(campaign, user)
            if eyes.refusal:
                self.add_error(None, eyes.refusal)
            elif not eyes.are_two and not said["very_many"]:
                self.add_error("very_many", f"{_how_many(people)} would enter. Tick that this is meant.")
            return eyes.are_two
        return False


def urls(model_admin: Any) -> list[Any]:
    """The addresses of this page, for the admin of campaigns."""

    def page(request: HttpRequest, pk: int) -> HttpResponse:
        return show(model_admin, request, pk)

    view = model_admin.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(page))
    return [path("<int:pk>/launch/", view, name="campaigns_campaign_launch")]


def show(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """The page; a POST launches, or says what is missing."""
    campaign = model_admin.get_object(request, str(pk))
    if campaign is None:
        raise Http404
    if not model_admin.has_view_permission(request, campaign):
        raise PermissionDenied
    if request.method != "POST":
        return _page(model_admin, request, campaign, LaunchForm(initial={"a_day": 300}), clock.now())
    if request.POST.get("do") in ANSWERS:
        return _answer(model_admin, request, campaign)
    if not model_admin.has_change_permission(request, campaign):
        raise PermissionDenied
    return launch(model_admin, request, campaign)


def launch(model_admin: Any, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Start it, if the checklist is green and this person may, or ask a second person to; else the page
    again, with what is missing.
    """
    now = clock.now()
    if request.POST.get("do") == "withdraw":
        if four_eyes.withdraw(campaign, request.user, now):
            messages.success(request, "Nobody is asked any more. Nothing was sent.")
        return redirect(_here(campaign))
    version = launching.newest_version(campaign)
    _try_links(version)
    form = LaunchForm(request.POST)
    form.is_valid()
    if request.POST.get("do") == "links":
        return _page(model_admin, request, campaign, LaunchForm(initial=form.cleaned_data), now)
    made = forecasting.forecast(campaign, now) if campaign.state in CAN_START else None
    checks = _checks(request, campaign, now, version, made)
    missing = [check for check in checks if not check.done]
    takes_two = form.judge(campaign, made, request.user)
    if missing:
        form.add_error(None, "Mend first: " + " ".join(check.words for check in missing))
    if not form.errors:
        a_day = form.cleaned_data["a_day"] if form.is_also else None
        try:
            people = reached(made, form.is_also)
            if takes_two:
                four_eyes.ask(campaign, request.user, people, now, existing_a_day=a_day)
                messages.success(request, "Asked to launch. Nothing is sent before a colleague approves.")
                return redirect(_here(campaign))
            shadow = form.cleaned_data["shadow"]
            large = not shadow and _are_very_many(people)
            if large and (page := _password_page(request, campaign, people, now)):
                return page
            by = request.user.get_username()
            may = request.user.has_perm
            starting.start(campaign, by, now, made, existing_a_day=a_day, is_shadow=shadow, may=may)
            four_eyes.withdraw(campaign, request.user, now)
        except launching.NotReady as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _launched(a_day, shadow))
            return redirect("admin:campaigns_campaign_change", campaign.pk)
    return _page(model_admin, request, campaign, form, now, made, checks)


def _answer(model_admin: Any, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Approve what was asked for, which launches it, or send it back."""
    now = clock.now()
    try:
        if request.POST["do"] == "approve":
            waits = four_eyes.open_request(campaign)
            # Whoever may not is told so, and types nothing for it.
            if waits and not four_eyes.refusal(waits, request.user):
                page = _password_page(request, campaign, waits.people, now)
                if page:
                    return page
            made = forecasting.forecast(campaign, now) if campaign.state in CAN_START else None
            asked = four_eyes.approve(campaign, request.user, made, now)
            messages.success(request, _launched(asked.existing_a_day, False))
            return redirect("admin:campaigns_campaign_change", campaign.pk)
        four_eyes.send_back(campaign, request.user, request.POST.get("words", ""), now)
        messages.success(request, "Sent back. Whoever asked is told.")
    except launching.NotReady as error:
        messages.error(request, f"Not launched. {error}")
    return redirect(_here(campaign))


def _here(campaign: Campaign) -> str:
    return reverse("admin:campaigns_campaign_launch", args=[campaign.pk])


def reached(made: Forecast | None, also: bool) -> int | None:
    """How many people the launch lets in at most on a first day, with all who qualified before it; None where
    that is not known.
    """
    if made is None or made.expected is None or made.is_more:
        return None
    if not also:
        return made.expected
    return None if made.existing is None or made.existing.more else made.expected + made.existing.people


def _page(
    model_admin: Any,
    request: HttpRequest,
    campaign: Campaign,
    form: LaunchForm,
    now: Any,
    made: Forecast | None = None,
    checks: list[Check] | None = None,
) -> HttpResponse:
    if made is None and campaign.state in CAN_START:
        made = forecasting.forecast(campaign, now)
    if checks is None:
        checks = _checks(request, campaign, now, None, made)
    here = reverse("admin:campaigns_campaign_change", args=[campaign.pk])
    rows = editing.steps_of(launching.newest_version(campaign))
    people = reached(made, also=False)
    most = watching.TIMES * max(made.expected, watching.AT_LEAST) if made and made.expected is not None else 0
    # Who may approve is asked only where somebody has to.
    is_big = campaign.state in CAN_START and _are_very_many(people)
    eyes = four_eyes.eyes(campaign, request.user) if is_big or form.errors.get("very_many") else Eyes([])
    context = (
        model_admin.admin_site.each_context(request)
        | _asked(request, campaign)
        | {
            "title": f"Launch {campaign}",
            "opts": model_admin.model._meta,
            "original": campaign,
            "campaign": campaign,
            "trigger": _words_of(campaign),
            "checks": [
                {"check": check, "url": check.url or flow.mended_at(check, rows, here)}
                for check in sorted(checks, key=_urgency)
            ],
            "missing": sum(not check.done for check in checks),
            "made": made,
            "most": most,
            "cast_label": f"on {made.cast_at.astimezone(shop_zone()):%-d %B, %H:%M}"
            if made and made.cast_at
            else "",
            "is_big": is_big,
            "eyes": eyes,
            "very_many_people": VERY_MANY,
            "untried": any(check.key == "links" and check.warning for check in checks),
            "can_start": campaign.state in CAN_START,
            "form": form,
            "may_change": model_admin.has_change_permission(request, campaign),
        }
    )
    return render(request, "campaigns/launch_page.html", context)


def _urgency(check: Check) -> tuple[bool, bool]:
    """What is to do stands first, then what is worth a look."""
    return check.done, not check.warning


def _checks(
    request: HttpRequest, campaign: Campaign, now: Any, version: FlowVersion | None, made: Forecast | None
) -> list[Check]:
    expected = made.expected if made else None
    return checklist(campaign, now, version, expected=expected, may=request.user.has_perm)


def _words_of(campaign: Campaign) -> str:
    try:
        trigger = triggers.get(campaign.trigger)
        return trigger.sentence(trigger.read(campaign.trigger_params))
    except (UnknownKind, BrokenParams) as error:
        return str(error)


def _try_links(version: FlowVersion | None) -> None:
    rows = version.steps.select_related("template__current") if version else []
    shop = this_shop()
    written = {template.current for row in rows for _, template in variants.messages_of(row)}
    leading.ask(url for version in written if version for url in leading.elsewhere(version, shop))


def _launched(a_day: int | None, shadow: bool) -> str:
    start = "Launched in shadow: it decides and records, and sends nothing." if shadow else "Launched."
    if a_day:
        return f"{start} People who qualified before enter, too, {a_day:,} a day."
    return f"{start} It looks forward only: what was before now starts nothing."


def _asked(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    """The request that waits, who may answer it, and how earlier ones were answered."""
    asked = four_eyes.open_request(campaign)
    answered = campaign.launch_requests.exclude(state=LaunchRequest.State.OPEN)
    return {
        "asked": asked,
        "asked_is_void": asked is not None and four_eyes.is_void(asked),
        "may_not_approve": four_eyes.refusal(asked, request.user) if asked else "",
        "turn_to": four_eyes.eyes_of(asked).names if asked else "",
        "answered": answered.order_by("-asked_at")[:5],
    }


def _not_allowed(people: int | None) -> str:
    return (
        f"{_how_many(people)} would enter. More than {MANY:,} take a permission that you do not have: ask a "
        "colleague who may, or launch it in shadow."
    )


def _are_very_many(people: int | None) -> bool:
    return people is None or people > VERY_MANY


def _password_page(
    request: HttpRequest, campaign: Campaign, people: int | None, now: Any
) -> HttpResponse | None:
    how_many = _how_many(people)
    what = f"to write to {how_many[0].lower()}{how_many[1:]}"
    return fresh.password_page(request, what, now, back=_here(campaign))


def _how_many(people: int | None) -> str:
    return f"About {people:,} people" if people is not None else "An unknown number of people"
