"""``/v1/models``: what a caller may ask for, in Anthropic's shape and paging.

Source: https://docs.anthropic.com/en/api/models-list. Claude Code keeps ids that contain ``claude`` or ``anthropic``.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qs

import orjson

from routing.models import Dialect
from routing.resolution import ListedModel, listed, listing
from routing.table import tables
from routing.upstream.target import Capabilities

from .arrival import Arrival
from .errors import InvalidRequest
from .exchange import authenticate

_LINES: Final = ("haiku", "sonnet", "opus", "fable", "mythos")
_EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
_OTHER_THINKING: Final = {"disabled": {"supported": True}, "between_tools": {"supported": False}}
_DEFAULT_LIMIT = 20
_MAX_LIMIT = 1000


async def page(arrival: Arrival) -> bytes:
    """One page of the list. Raises InvalidRequest for a bad cursor or limit."""
    table = await tables.newest()
    offered = listing(table, await authenticate(arrival, table))
    query = {name: values[-1] for name, values in parse_qs(arrival.query.decode("latin-1")).items()}
    limit = _limit(query.get("limit", ""))
    ids = [model.id for model in offered]
    start, end = 0, len(offered)
    if "after_id" in query:
        start = _position(ids, query["after_id"], "after_id") + 1
    elif "before_id" in query:
        end = _position(ids, query["before_id"], "before_id")
        start = max(0, end - limit)
    shown = offered[start : min(end, start + limit)]
    more = start > 0 if "before_id" in query and "after_id" not in query else start + len(shown) < len(offered)
    return orjson.dumps(
        {
            "data": [_shape(model) for model in shown],
            "has_more": more,
            "first_id": shown[0].id if shown else None,
            "last_id": shown[-1].id if shown else None,
        }
    )


async def show(arrival: Arrival, model_id: str) -> bytes:
    """One model, by any name that leads somewhere. Raises RoutingError."""
    table = await tables.newest()
    return orjson.dumps(_shape(listed(table, await authenticate(arrival, table), model_id)))


def _shape(model: ListedModel) -> dict[str, Any]:
    can = model.capabilities
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.display_name,
        "created_at": model.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "line": next((line for line in _LINES if line in model.id), None),
        "max_input_tokens": can.context_window,
        "max_tokens": can.max_output,
        "capabilities": _capabilities(can, native=model.dialect == Dialect.ANTHROPIC),
    }


def _capabilities(can: Capabilities, *, native: bool) -> dict[str, Any]:
    """Whether a feature has its effect through this gateway. ``native``: Anthropic's own API answers."""

    def said(supported: bool, **parts: bool) -> dict[str, Any]:
        return {"supported": supported} | {name: {"supported": part} for name, part in parts.items()}

    thinks = can.reasoning != "none"
    return {
        "batch": said(False),
        "citations": said(native),
        "code_execution": said(native),
        "context_management": said(native),
        "effort": said(thinks, **dict.fromkeys(_EFFORTS, thinks)),
        "image_input": said(can.vision),
        "pdf_input": said(can.pdf),
        "server_tools": said(native or can.web_search, web_search=native or can.web_search, code_execution=native),
        "structured_outputs": said(can.structured_output),
        "thinking": said(thinks)
        | {"types": {kind: said(thinks) for kind in ("adaptive", "enabled")} | _OTHER_THINKING},
    }


def _limit(given: str) -> int:
    if not given:
        return _DEFAULT_LIMIT
    if not given.isdecimal() or not 1 <= int(given[:9]) <= _MAX_LIMIT:
        raise InvalidRequest(f"limit: Input should be an integer between 1 and {_MAX_LIMIT}")
    return int(given)


def _position(ids: list[str], wanted: str, name: str) -> int:
    try:
        return ids.index(wanted)
    except ValueError:
        raise InvalidRequest(f"{name}: no such model: {wanted[:100]}") from None
