"""Rules that stand in the settings of a step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from campaigns.flows import entry
from campaigns.models import Step
from campaigns.models.campaigns import INSIDE
from crm.kernel import rules
from crm.kernel.rules import RuleFormField


def rule_field(label: str, *, required: bool = True) -> RuleFormField:
    """A rule that may ask of the run and of what it is about."""
    return RuleFormField(label=label, required=required, offers=frozenset(INSIDE))


def problems(asked: Iterable[Any], step: Step) -> list[str]:
    """What these rules cannot be asked in this campaign, because its trigger is about something else."""
    offers = entry.offers_of(step.version.campaign)
    return [f"Mend its rule: {problem}." for rule in asked for problem in rules.problems(rule, offers)]
