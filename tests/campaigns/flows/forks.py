"""A step that parts people by the letter their name begins with: paths without any rule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows.kinds import Batch, Move, Step, steps


class Fork(Step):
    """Early letters go left, all others right."""

    key = "toys.fork"
    label = "Fork"

    class Params(forms.Form):
        left = forms.CharField(label="left path", max_length=40, initial="Left")
        right = forms.CharField(label="right path", max_length=40, initial="Right")

    def paths(self, params: dict[str, Any]) -> list[str]:
        return [params["left"], params["right"]]

    def run(self, batch: Batch) -> dict[UUID, Move]:
        for person in batch.people:
            early = str(person.contact).lower() < "m"
            person.path = batch.params["left" if early else "right"]
        return {}


@contextmanager
def known() -> Iterator[None]:
    with steps.temporarily(Fork):
        yield
