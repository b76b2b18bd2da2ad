"""How the API says no: one shape for every failure, Anthropic's own, with the fields that are wrong beside it.

::

    {"type": "error",
     "error": {"type": "invalid_request_error", "message": "until: Not a date.", "fields": {"until": ["Not a date."]}}}
"""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import exception_handler

TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    406: "invalid_request_error",
    409: "conflict_error",
    413: "request_too_large",
    415: "invalid_request_error",
    429: "rate_limit_error",
    502: "api_error",
    503: "api_error",
}


class Conflict(exceptions.APIException):
    """The request is sound, but what stands in the database does not allow it."""

    status_code = 409
    default_detail = "This is not possible now."
    default_code = "conflict"


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER: what is the caller's fault in one shape; None leaves a defect to be one."""
    if isinstance(error, ValidationError):  # a model's own rules
        fields = serializers.as_serializer_error(error)
        whole = {"non_field_errors": fields.pop(NON_FIELD_ERRORS)} if NON_FIELD_ERRORS in fields else {}
        error = exceptions.ValidationError(whole | fields)
    response = exception_handler(error, context)
    if response is None:
        return None
    response.data = _envelope(error, response)
    return response


def _envelope(error: Exception, response: Response) -> dict[str, Any]:
    detail: dict[str, Any] = {"type": TYPES.get(response.status_code, "api_error")}
    if isinstance(error, exceptions.ValidationError):
        detail["message"] = _first(error.detail)
        if isinstance(error.detail, dict):
            detail["fields"] = error.detail
    elif isinstance(error, Http404):
        detail["message"] = "There is nothing here by this name, or not for you."
    elif isinstance(error, PermissionDenied):
        detail["message"] = str(error) or "You may not do this."
    else:
        detail["message"] = str(getattr(error, "detail", error))
    return {"type": "error", "error": detail}


def _first(detail: Any) -> str:
    """The first message in a tree of them, behind the path that leads to it."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()), ("", "Invalid."))
        told = _first(inner)
        return told if name == "non_field_errors" else f"{name}: {told}"
    if isinstance(detail, list):
        return _first(next((one for one in detail if one), "Invalid."))
    return str(detail)
