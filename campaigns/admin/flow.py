"""The page *Flow*: the picture of the steps, and beside it the one that is being filled in.

Every change is a plain form post to one address and answers with the same page; a script only swaps the part
that changed. Steps are named by their key, so that a page stays good when a new version is made.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from campaigns.admin import campaign_head, flow_undo, picture
from campaigns.admin.campaign_form import SETTINGS, WHO
from campaigns.admin.steps import StepForm, form_of
from campaigns.flows import editing, launching, permitted
from campaigns.flows.acting import GROUPS
from campaigns.flows.checklist import Check
from campaigns.flows.kinds import Step as StepKind
from campaigns.flows.kinds import steps
from campaigns.flows.outline import find, outline
from campaigns.models import Campaign, FlowVersion, Step
from campaigns.results.steps import at_steps
from crm.kernel import clock

LONGEST_NAME = 40
# Lines of the checklist that are mended in *Settings*; the others about the campaign itself are in *Who*.
IN_SETTINGS = {"purpose", "sender", "expiry"}


@dataclass
class Panel:
    """What stands beside the picture: a step's form, or the menu of what a new step could do."""

    row: Step | None = None
    form: StepForm | None = None
    seen: str = ""
    notice: str = ""
    is_gone: bool = False
    held: str = ""
    may_go_up: bool = False
    may_go_down: bool = False
    waiting: int = 0
    menu: list[tuple[str, list[tuple[StepKind, str]]]] | None = None
    after: str = ""
    path: str = ""
    above: str = ""

    @property
    def said(self) -> picture.Said | None:
        return picture.of_step(self.row) if self.row else None


def page(
    model_admin: Any, request: HttpRequest, campaign: Campaign, panel: Panel | None = None
) -> HttpResponse:
    """The page with the step that was asked for, or with what came of a form that could not be kept."""
    now = clock.now()
    version = launching.newest_version(campaign)
    rows = editing.steps_of(version)
    may_change = model_admin.has_change_permission(request, campaign)
    if panel is None:
        panel = _asked(request, rows, may_change)
    may = request.user.has_perm
    if panel.row is not None:
        panel.held = permitted.refusal(panel.row.kind, may)
    at = at_steps(campaign, now - campaign_head.WEEK)
    if panel.row and panel.row.key in at.by_key:
        panel.waiting = at.by_key[panel.row.key].people
    checks = launching.checklist(campaign, now, may=may if may_change else None)
    change_url = campaign_head.flow_url(campaign)
    inside = sum(at.by_version.values())
    context = campaign_head.page(
        model_admin,
        request,
        campaign,
        campaign_head.FLOW,
        now,
        picture=picture.draw(campaign, rows, at, panel.row.key if panel.row else "", may),
        panel=panel,
        version=version,
        is_frozen=version is not None and version.frozen_at is not None,
        in_use=campaign.current if campaign.state in ("running", "paused") else None,
        inside=inside,
        shifts=_shifts(campaign) if version and version.frozen_at is None else [],
        elsewhere=inside - at.by_version.get(version.pk if version else 0, 0),
        checklist=[(check, check.url or mended_at(check, rows, change_url)) for check in checks],
        missing=sum(not check.done for check in checks),
        change_url=change_url,
        may_change=may_change,
        undo=flow_undo.offered(request, campaign, version, rows, now) if may_change else None,
    )
    return render(request, "campaigns/flow.html", context)


def act(model_admin: Any, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """One change of the flow. What cannot be done is said in words; what was typed stands there again."""
    verb = request.POST.get("do", "")
    if verb not in ACTS:
        raise BadRequest("there is no such change of a flow")
    before = launching.newest_version(campaign)
    if held := _held(request, before):
        messages.error(request, held)
        return _back(campaign, _word(request, "key"))
    try:
        done = ACTS[verb](model_admin, request, campaign)
    except editing.CannotEdit as error:
        messages.error(request, str(error))
        return _back(campaign, _word(request, "key"))
    if isinstance(done, HttpResponse):
        return done
    key, words = done
    if words:
        messages.success(request, words)
        model_admin.log_change(request, campaign, words)
    after = launching.newest_version(campaign)
    if before is not None and after is not None and after.number > before.number:
        messages.info(
            request,
            f"Version {after.number} is in work now, as people may be inside version {before.number}. "
            f"Nothing changes for anybody before you press “Use version {after.number}”.",
        )
    return _back(campaign, key)


def _held(request: HttpRequest, version: FlowVersion | None) -> str:
    """Why this person may not do that to the step that is named; blank where they may."""
    kinds = {request.POST.get("kind", "")}
    if version is not None:
        kinds |= set(version.steps.filter(key=_word(request, "key")).values_list("kind", flat=True))
    refused = (permitted.refusal(kind, request.user.has_perm) for kind in sorted(kinds))
    return next(filter(None, refused), "")


type Done = tuple[str, str] | HttpResponse


def _add(model_admin: Any, request: HttpRequest, campaign: Campaign) -> Done:
    kind = request.POST.get("kind", "")
    if kind not in steps:
        raise BadRequest("there is no such step")
    after, path = _word(request, "after"), _word(request, "path")
    step = editing.add(campaign, kind, after, path, clock.now())
    return step.key, f"Added: {picture.sentence(step)}."


def _save(model_admin: Any, request: HttpRequest, campaign: Campaign) -> Done:
    key, seen = _word(request, "key"), _word(request, "seen")
    rows = editing.steps_of(launching.newest_version(campaign))
    row = next((row for row in rows if row.key == key), None)
    is_gone = row is None
    kind = request.POST.get("kind", "") if row is None else row.kind
    if kind not in steps:
        raise BadRequest("there is no such step")
    form = form_of(row or Step(key=key, kind=kind), rows, request.POST)
    assert form is not None
    panel = Panel(form.instance, form, seen, is_gone=is_gone)
    again = is_gone and request.POST.get("again") == "yes"
    if not form.is_valid():
        _read_again(panel, rows)
        return page(model_admin, request, campaign, panel)
    wanted, compared = form.wanted()
    try:
        if again:
            step = editing.add_again(campaign, wanted, compared, clock.now())
            return step.key, f"Back at the end of the flow: {picture.sentence(step)}."
        saved = editing.save(campaign, wanted, compared, seen, clock.now())
    except editing.Gone as error:
        panel.is_gone = True
        panel.notice = f"{error} What you typed stands here: add it again, or leave it."
    except editing.Stale as error:
        panel.seen = editing.mark(error.step)
        panel.notice = (
            f"{error} It says now: {picture.sentence(error.step)}. What you typed is kept here: save "
            "once more to put it in the place of theirs, or open the step anew to take theirs."
        )
    else:
        kept = editing.steps_of(launching.newest_version(campaign))
        words = next(picture.sentence(row) for row in kept if row.key == saved.step.key)
        if not saved.has_changed:
            messages.info(request, f"Nothing was changed: {words}.")
            return saved.step.key, ""
        return saved.step.key, f"Saved: {words}."
    return page(model_admin, request, campaign, panel)


def _move(model_admin: Any, request: HttpRequest, campaign: Campaign) -> Done:
    key, to = _word(request, "key"), request.POST.get("to", "")
    if to not in ("up", "down"):
        raise BadRequest("a step moves up or down")
    moved = editing.move(campaign, key, to == "up", clock.now())
    return key, f"Moved {to}." if moved else ""


def _put(model_admin: Any, request: HttpRequest, campaign: Campaign) -> Done:
    key = _word(request, "key")
    moved = editing.put(campaign, key, _word(request, "after"), _word(request, "path"), clock.now())
    return key, "Moved." if moved else ""


def _copy(model_admin: Any, request: HttpRequest, campaign: Campaign) -> Done:
    step = editing.duplicate(campaign, _word(request, "key"), clock.now())
    return step.key, f"A second one stands below the first: {picture.sentence(step)}."


def _remove(model_admin: Any, request: HttpRequest, campaign: Campaign) -> Done:
    key = _word(request, "key")
    rows = editing.steps_of(launching.newest_version(campaign))
    words = next((picture.sentence(row) for row in rows if row.key == key), "")
    flow_undo.delete(request, campaign, key, _word(request, "seen"), words, clock.now())
    # The page itself says it, beside *Undo*.
    model_admin.log_change(request, campaign, f"Deleted: {words}.")
    return "", ""


def _put_back(model_admin: Any, request: HttpRequest, campaign: Campaign) -> Done:
    step = flow_undo.put_back(request, campaign, clock.now())
    return step.key, f"Back where it was: {picture.sentence(step)}."


def _give_up(model_admin: Any, request: HttpRequest, campaign: Campaign) -> Done:
    return "", "The version in work is thrown away." if editing.give_up(campaign) else ""


ACTS = {
    "add": _add,
    "save": _save,
    "move": _move,
    "put": _put,
    "copy": _copy,
    "remove": _remove,
    "put_back": _put_back,
    "give_up": _give_up,
}


def _shifts(campaign: Campaign) -> list[tuple[int, str, str, str]]:
    """What moving to the version in work means: how many people, at which step, how, and to which."""
    found = launching.consequences(campaign)
    at = {shift.step.pk for shift in found if shift.step} | {shift.to.pk for shift in found if shift.to}
    rows = Step.objects.filter(pk__in=at).select_related("template", "offer")
    words = {row.pk: picture.sentence(row) for row in rows.prefetch_related("variants__template")}

    def said(row: Step | None) -> str:
        return words[row.pk] if row else ""

    return [(shift.people, said(shift.step), shift.how, said(shift.to)) for shift in found]


def mended_at(check: Check, rows: list[Step], change_url: str) -> str:
    """Where on the campaign's own pages a line of the checklist is mended."""
    if check.place == "steps":
        key = next((row.key for row in rows if row.pk == check.pk), "")
        return f"{change_url}?{urlencode({'step': key})}#rk-panel" if key else change_url
    return f"{change_url}?section={SETTINGS if check.key in IN_SETTINGS else WHO}"


def _asked(request: HttpRequest, rows: list[Step], may_change: bool) -> Panel:
    """What the address of the page names: a step, or a place for a new one."""
    if may_change and "add" in request.GET:
        after, path = request.GET.get("after", "")[:LONGEST_NAME], request.GET.get("path", "")[:LONGEST_NAME]
        above = next((picture.sentence(row) for row in rows if row.key == after), "")
        return Panel(menu=_menu(request), after=after, path=path, above=above)
    key = request.GET.get("step", "")
    row = next((row for row in rows if row.key == key), None)
    if row is None:
        return Panel(notice="This step is no longer there." if key else "")
    fills_in = may_change and not permitted.refusal(row.kind, request.user.has_perm)
    panel = Panel(row, form_of(row, rows) if fills_in else None, editing.mark(row))
    _read_again(panel, rows)
    return panel


def _read_again(panel: Panel, rows: list[Step]) -> None:
    """Where the step may go from where it stands."""
    place = find(outline(rows), panel.row.key) if panel.row else None
    if place is not None:
        panel.may_go_up = editing.may_move(place, True)
        panel.may_go_down = editing.may_move(place, False)


def _menu(request: HttpRequest) -> list[tuple[str, list[tuple[StepKind, str]]]]:
    """Every kind of step that they may add by its group, each with what it does in a sentence."""
    groups: dict[str, list[tuple[StepKind, str]]] = {group: [] for group in GROUPS}
    for kind in permitted.addable(request.user.has_perm):
        told = kind.help or " ".join((inspect.getdoc(type(kind)) or "").split("\n\n")[0].split())
        first = told.split(". ")[0].removesuffix(".") + "."
        groups.setdefault(kind.group, []).append((kind, first))
    return [(group, kinds) for group, kinds in groups.items() if kinds]


def _word(request: HttpRequest, name: str) -> str:
    """A key, a path or a mark, as it was posted; nothing else fits into as much."""
    value = request.POST.get(name, "")
    if len(value) > LONGEST_NAME or "\0" in value:
        raise BadRequest(f"{name} is not what this page sends")
    return value


def _back(campaign: Campaign, key: str) -> HttpResponse:
    query = f"?{urlencode({'step': key})}#rk-panel" if key else ""
    return redirect(campaign_head.flow_url(campaign) + query)
