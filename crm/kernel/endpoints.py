"""What every server API of this house has in common: the strict parser in front, and answers never above 499
to what was sent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated, Any, cast

from django.core.exceptions import RequestDataTooBig
from django.db import DataError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from ninja.security import HttpBearer
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints, model_validator

from crm.kernel import strict

MAX_BYTES = 1024 * 1024
MAX_ITEMS = 50_000

logger = logging.getLogger(__name__)


class StrictParser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        return strict.loads(request.body, max_bytes=MAX_BYTES, max_items=MAX_ITEMS).value


class Bearer(HttpBearer):
    """`Authorization: Bearer …`, recognised by a function that knows the keys."""

    def __init__(self, recognise: Callable[[str], Any]) -> None:
        super().__init__()
        self.recognise = recognise

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        return self.recognise(token)


class Body(BaseModel):
    """What is sent: numbers count as texts where a text is meant; null and empty mean *not said*."""

    model_config = ConfigDict(coerce_numbers_to_str=True, str_strip_whitespace=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _leave_out_blanks(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: kept for key, kept in value.items() if kept is not None and kept != ""}
        return value


def _believable(moment: Any) -> Any:
    if not 1995 <= moment.year < 2100:
        raise ValueError("lies outside 1995 to 2100")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_believable)]
OutsideId = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def new_api(
    *, title: str, namespace: str, recognise: Callable[[str], Any], openapi_url: str | None
) -> NinjaAPI:
    """An API of version 1 whose callers carry a server key."""
    api = NinjaAPI(
        title=title,
        version="1",
        urls_namespace=namespace,
        auth=Bearer(recognise),
        parser=StrictParser(),
        docs_url=None,
        openapi_url=openapi_url,
    )

    def answer(request: HttpRequest, status: int, refused: list[dict[str, str]]) -> HttpResponse:
        return api.create_response(request, {"refused": refused}, status=status)

    def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
        cause = error.__cause__
        if isinstance(cause, strict.Refused):
            status = 413 if cause.reason == strict.Reason.TOO_LARGE else 400
            return answer(request, status, [{"field": cause.field, "reason": str(cause.reason)}])
        return answer(request, error.status_code, [{"field": "", "reason": error.message}])

    def on_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        return answer(request, 422, [_told(one) for one in error.errors[:50]])

    def on_too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
        return answer(request, 413, [{"field": "", "reason": strict.Reason.TOO_LARGE}])

    def on_unreadable(request: HttpRequest, error: UnreadablePostError) -> HttpResponse:
        return answer(request, 400, [{"field": "", "reason": strict.Reason.NOT_JSON}])

    def on_data_error(request: HttpRequest, error: DataError) -> HttpResponse:
        # The parser should have refused this: each one is a bug, and its test fails.
        logger.error("The database refused what the parser let through: %s", error)
        return answer(request, 400, [{"field": "", "reason": "data"}])

    handlers: list[tuple[type[Exception], Any]] = [
        (HttpError, on_http_error),
        (ValidationError, on_invalid),
        (RequestDataTooBig, on_too_big),
        (UnreadablePostError, on_unreadable),
        (DataError, on_data_error),
    ]
    for kind, handler in handlers:
        api.add_exception_handler(kind, handler)
    return api


def _told(error: dict[str, Any]) -> dict[str, str]:
    place = [str(part) for part in cast("tuple[Any, ...]", error.get("loc", ()))][2:]
    return {"field": ".".join(place)[:200], "reason": str(error.get("msg", ""))[:200]}
