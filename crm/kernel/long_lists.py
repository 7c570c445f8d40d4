"""Lists of millions of rows: counted near enough, paged as far as somebody turns pages, in a fixed number of
queries.
"""

from __future__ import annotations

import json
from typing import Any

from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, PAGE_VAR, ChangeList
from django.core.exceptions import EmptyResultSet
from django.core.paginator import Paginator
from django.db import connections
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.functional import cached_property

DEEPEST_PAGE = 200
"""A page reads all rows before it; beyond this one nobody turns pages, and each would read ten thousand."""


class EstimatedPaginator(Paginator):
    """Counts small lists exactly and estimates large ones from the planner, for a count reads every row."""

    worth_counting = 20_000
    is_estimate = False
    """Whether `count` is only near enough; known once it was asked for."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        estimate = planned_rows(rows)
        if estimate <= self.worth_counting:
            # The planner may be wrong: what is counted has an end, too.
            most = max(5 * self.worth_counting, 1)
            counted = rows.order_by().values("pk")[:most].count()
            if counted < most:
                return counted
            estimate = counted
        self.is_estimate = True
        return estimate

    @cached_property
    def num_pages(self) -> int:
        return min(super().num_pages, DEEPEST_PAGE)


class LongChangeList(ChangeList):
    """A change list that says how sure it is of its number of rows, and where its pages end."""

    is_estimate = False
    is_cut = False
    may_export = False

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.is_estimate = getattr(self.paginator, "is_estimate", False)
        shown = len(self.result_list)
        if self.is_estimate and not self.show_all and shown < self.list_per_page:
            # The list ends on this page: now it is counted.
            self.result_count = (self.page_num - 1) * self.list_per_page + shown
            self.is_estimate = False
            self.multi_page = self.page_num > 1
        self.may_export = request.user.has_perm("crm.export_contacts")
        self.is_cut = self.page_num == DEEPEST_PAGE and shown == self.list_per_page

    @property
    def told_count(self) -> str:
        """So many rows, as a person would say it."""
        if not self.is_estimate:
            return f"{self.result_count:,}"
        digits = max(len(str(self.result_count)) - 4, 3)
        return f"about {round(self.result_count, -digits):,}"

    @property
    def is_narrowed(self) -> bool:
        """Whether a search or a filter leaves rows out."""
        return bool(self.query or self.has_active_filters)


def without_place(query: str) -> QueryDict:
    """Search, filters and order alone: not the page somebody was on."""
    asked = QueryDict(query, mutable=True)
    for name in (PAGE_VAR, ERROR_FLAG, ALL_VAR):
        asked.pop(name, None)
    return asked


def planned_rows(rows: QuerySet[Any]) -> int:
    """How many rows the planner expects: near enough for large tables, and free."""
    try:
        sql, params = rows.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return 0
    with connections[rows.db].cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return int(plan[0]["Plan"]["Plan Rows"])
