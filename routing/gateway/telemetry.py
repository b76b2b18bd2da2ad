"""What is told of each request when it is over: one line in the log, the figures, and a trace where that is wanted.

The line is ``tollgate.access``: with ``LOG_FORMAT=json`` its fields are the object's members. It names the key by the
part that may be shown, and says nothing that a client wrote but a model's name.
"""

from __future__ import annotations

import logging
from typing import Any

from . import metrics, tracing
from .arrival import Arrival

access = logging.getLogger("tollgate.access")


def tell(arrival: Arrival, surface: str) -> None:
    """Tells of a request that is over. ``surface`` is which part of ``/v1`` it met."""
    passage = arrival.passage
    passage.finish()
    if surface == "messages":
        metrics.count(passage)
    tracing.record(arrival, surface)
    if access.isEnabledFor(logging.INFO):
        fields = _fields(arrival, surface)
        access.info(" ".join(f"{name}={value}" for name, value in fields.items()), extra=fields)


def _fields(arrival: Arrival, surface: str) -> dict[str, Any]:
    """Only what is known: a request refused at the gate has no model."""
    passage = arrival.passage
    caller, tokens = passage.caller, passage.tokens
    fields = {
        "request_id": arrival.request_id,
        "surface": surface,
        "status": passage.status,
        "outcome": passage.outcome,
        "key": caller.key_public_id if caller else "",
        "provider": passage.provider,
        "model": _printable(passage.model),
        "tier": passage.tier,
        "error": passage.upstream_failure or (type(passage.failure).__name__ if passage.failure else ""),
        "first_byte_ms": passage.first_byte_ms,
        "total_ms": passage.total_ms,
        "input_tokens": tokens.total_input if tokens else None,
        "output_tokens": tokens.output if tokens else None,
    }
    return {name: value for name, value in fields.items() if value not in ("", None)}


def _printable(name: str) -> str:
    """A client may name a model as it likes, and must not write lines of its own into the log."""
    return name if name.isprintable() and " " not in name else ascii(name)
