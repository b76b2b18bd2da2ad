"""``/v1/models``: what a caller may ask for, in Anthropic's shape and paging.

Source: https://docs.anthropic.com/en/api/models-list. Claude Code keeps ids that contain ``claude`` or ``anthropic``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import orjson

from routing.errors import ModelUnknown
from routing.resolution import ListedModel, listing
from routing.table import tables

from .arrival import Arrival
from .errors import InvalidRequest
from .exchange import authenticate

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 1000


async def page(arrival: Arrival) -> bytes:
    """One page of the list. Raises InvalidRequest for a bad cursor or limit."""
    listed = await _listed(arrival)
    query = {name: values[-1] for name, values in parse_qs(arrival.query.decode("latin-1")).items()}
    limit = _limit(query.get("limit", ""))
    ids = [model.id for model in listed]
    start, end = 0, len(listed)
    if "after_id" in query:
        start = _position(ids, query["after_id"], "after_id") + 1
    elif "before_id" in query:
        end = _position(ids, query["before_id"], "before_id")
        start = max(0, end - limit)
    shown = listed[start : min(end, start + limit)]
    more = start > 0 if "before_id" in query and "after_id" not in query else start + len(shown) < len(listed)
    return orjson.dumps(
        {
            "data": [_shape(model) for model in shown],
            "has_more": more,
            "first_id": shown[0].id if shown else None,
            "last_id": shown[-1].id if shown else None,
        }
    )


async def show(arrival: Arrival, model_id: str) -> bytes:
    """One model. Raises ModelUnknown."""
    for model in await _listed(arrival):
        if model.id == model_id:
            return orjson.dumps(_shape(model))
    raise ModelUnknown(f"model: {model_id}")


async def _listed(arrival: Arrival) -> list[ListedModel]:
    table = await tables.newest()
    return listing(table, await authenticate(arrival, table))


def _shape(model: ListedModel) -> dict[str, Any]:
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.display_name,
        "created_at": model.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
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
