"""Anthropic's way of refusing: ``invalid_request_error`` with pydantic's wording where pydantic judges."""

from __future__ import annotations

from ..dialect import Refused, Whole


def bad(message: str) -> Refused:
    """A refusal, to be raised."""
    body = {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": message},
        "request_id": "req_011Scripted",
    }
    return Refused(Whole.json(400, body, {"request-id": "req_011Scripted"}))


def unthreaded() -> Refused:
    """No message threads in this organization: this provider remembers nothing."""
    message = "This request cannot be threaded. Send the full conversation without `thread`."
    error = {
        "type": "invalid_request_error",
        "message": message,
        "details": {"error_code": "thread_unsupported_request"},
    }
    body = {"type": "error", "error": error, "request_id": "req_011Scripted"}
    return Refused(Whole.json(400, body, {"request-id": "req_011Scripted"}))


def expect(holds: bool, message: str) -> None:
    """Refuse unless it holds."""
    if not holds:
        raise bad(message)


def extra(where: str) -> Refused:
    """An unknown field."""
    return bad(f"{where}: Extra inputs are not permitted")


def field_required(where: str) -> Refused:
    """A field that is not there."""
    return bad(f"{where}: Field required")
