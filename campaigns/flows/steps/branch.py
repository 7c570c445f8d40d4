"""Different people, different ways on: by rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows import acting, asked, entry
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.flows.paths import PathName, refuse_lookalikes
from campaigns.models import Step as StepRow
from crm.kernel import rules

MOST = 4
_ORDINALS = ("first", "else", "else", "else")


class BranchForm(forms.Form):
    """Rules and the paths they lead to are declared in pairs."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        given = 0
        for number in range(1, MOST + 1):
            rule, path = cleaned.get(f"rule_{number}"), cleaned.get(f"path_{number}")
            given += bool(rule)
            if rule and not path:
                self.add_error(f"path_{number}", "Give the path of these people a name.")
            elif path and not rule and f"rule_{number}" not in self.errors:
                self.add_error(f"rule_{number}", f"Say who goes on along “{path}”.")
        if not given and not self.errors:
            self.add_error("rule_1", "Say who goes on along which path.")
        refuse_lookalikes(cleaned.get(name, "") for name in (*_pathfields(), "otherwise"))
        return cleaned


def _fields() -> dict[str, forms.Field]:
    found: dict[str, forms.Field] = {}
    for number in range(1, MOST + 1):
        what = f"{_ORDINALS[number - 1]}, people of whom this is true"
        found[f"rule_{number}"] = asked.rule_field(what, required=False)
        found[f"path_{number}"] = PathName(
            label="go on along the path",
            help_text="A name for it, such as “Big carts”: steps below may be for this path alone."
            if number == 1
            else "",
        )
    found["otherwise"] = PathName(
        label="all others go on along the path", help_text="Blank: they stay on the path they are on."
    )
    return found


def _pathfields() -> Iterator[str]:
    return (f"path_{number}" for number in range(1, MOST + 1))


@steps.register
class Branch(Step):
    """Puts people on different paths by rules. The rules are asked in their order, once, when somebody gets
    here, and the first that is true decides; all others go on along the last path.

    Steps below are for everyone or for one path. A path ends by itself where a step is for everyone: there
    the paths come together again.
    """

    key = "campaigns.branch"
    label = "Branch"
    group = acting.PART
    icon = "alt_route"
    does = False

    Params: Any = type("Params", (BranchForm,), _fields() | {"__doc__": "Who goes where."})

    def paths(self, params: dict[str, Any]) -> list[str]:
        named = [path for _rule, path in _ways(params)] + [params["otherwise"]]
        return list(dict.fromkeys(filter(None, named)))

    def run(self, batch: Batch) -> dict[UUID, Move]:
        left = list(batch.people)
        for rule, path in _ways(batch.params):
            true = entry.those(rule, f"The rule of “{path}”", left, batch.now) if left else set()
            for person in left:
                if person.pk in true:
                    person.path = path
            left = [person for person in left if person.pk not in true]
        for person in left:
            person.path = batch.params["otherwise"] or person.path
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        said = [f"Who {rules.clause(rule)}: “{path}”" for rule, path in _ways(params)]
        rest = f"all others: “{params['otherwise']}”" if params["otherwise"] else "all others stay on theirs"
        return "; ".join([*said, rest])

    def problems(self, params: dict[str, Any], step: StepRow) -> list[str]:
        return asked.problems([rule for rule, _path in _ways(params)], step)


def _ways(params: dict[str, Any]) -> list[tuple[Any, str]]:
    """The rules that are given, in their order, each with its path."""
    pairs = [(params[f"rule_{number}"], params[f"path_{number}"]) for number in range(1, MOST + 1)]
    return [(rule, path) for rule, path in pairs if rule]
