"""What apps above offer for the people who are ticked in the list of contacts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from crm.kernel.kinds import Kind, Registry


class PeopleAction(Kind):
    """One line of the menu above the list. `permission` is who may: "campaigns.change_campaign"."""

    permission = ""

    def run(self, model_admin: Any, request: HttpRequest, people: Any) -> HttpResponse | None:
        """Do it for a query of contacts; a page that asks for more may come first. None: back to the list."""
        raise NotImplementedError(f"{type(self).__name__} does nothing")


people_actions: Registry[PeopleAction] = Registry(PeopleAction)


def offered(request: HttpRequest) -> dict[str, Any]:
    """The actions of this colleague, as the admin's list takes them."""
    user: Any = request.user
    found = {}
    for kind in people_actions:
        if user.has_perm(kind.permission):
            name = kind.key.replace(".", "_")
            found[name] = (_act(kind), name, kind.label)
    return found


def _act(kind: PeopleAction) -> Any:
    def act(model_admin: Any, request: HttpRequest, people: Any) -> HttpResponse | None:
        return kind.run(model_admin, request, people)

    return act
