"""Steps that not everybody who changes campaigns may put into one: their kind names the permission it takes.

Asked by every door: adding, changing and moving such a step, making it from a playbook, and launching a flow
in which it is new. What somebody who may has launched stays launched for those who may not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from campaigns.flows.check import Check
from campaigns.flows.kinds import Step as StepKind
from campaigns.flows.kinds import steps
from campaigns.models import Campaign, Step

type May = Callable[[str], bool]
"""Whether somebody has this permission: `user.has_perm`."""


def refusal(kind: str, may: May) -> str:
    """Why somebody may not put a step of this kind into a flow, change or move it; blank where they may."""
    if kind not in steps or _allowed(steps.get(kind), may):
        return ""
    one = steps.get(kind)
    return f"“{one.label}” takes a permission that you do not have: {one.takes_care}. Ask an administrator."


def addable(may: May) -> list[StepKind]:
    """The kinds of step that somebody may put into a flow."""
    return [kind for kind in steps if _allowed(kind, may)]


def lines(campaign: Campaign, rows: Sequence[Step], may: May) -> Iterator[Check]:
    """Lines of the checklist: the steps that this person may not bring to life. Those that run already in
    this very form are no news.
    """
    asked = [row for row in rows if row.kind in steps and not _allowed(steps.get(row.kind), may)]
    running = (
        {_said(row) for row in campaign.current.steps.all()} if asked and campaign.current is not None else ()
    )
    for row in asked:
        if _said(row) not in running:
            words = f"{refusal(row.kind, may)} They launch it, or the step is taken out."
            yield Check(f"permission:{row.key}", f"Step {row.position}", words, "steps", row.pk)


def _allowed(kind: StepKind, may: May) -> bool:
    return not kind.permission or may(kind.permission)


def _said(row: Step) -> str:
    return repr((row.key, row.kind, sorted(row.params.items()), row.path, row.only_if))
