"""What a provider says it offers: its own list of models, all pages of it."""

from __future__ import annotations

import asyncio
from typing import Final

from . import http
from .dialect import Call, Listed
from .dialects import DIALECTS
from .errors import Broken, TimedOut, Unsupported
from .messages import MessagesRequest
from .target import Target

SECONDS: Final = 30.0
_PAGES: Final = 100
# What a refusal is judged by where there is no message to answer.
_NOTHING: Final = MessagesRequest(body={}, raw=b"", model="", stream=False, max_tokens=1)


async def offered(target: Target) -> tuple[Listed, ...]:
    """The models that ``target``'s provider lists, in its order, each once; ``target.model`` plays no part.

    Raises UpstreamError, Unsupported where the dialect has no list.
    """
    try:
        async with asyncio.timeout(SECONDS):
            return await _all_pages(target)
    except TimeoutError:
        raise TimedOut(f"Provider {target.provider} did not list its models within {SECONDS:.0f} seconds.") from None


async def _all_pages(target: Target) -> tuple[Listed, ...]:
    dialect = DIALECTS[target.dialect]
    found: dict[str, Listed] = {}
    after, seen = "", {""}
    for _ in range(_PAGES):
        call: Call | None = dialect.list_call(target, after)
        if call is None:
            raise Unsupported(f"Provider {target.provider} has no list of its models to ask for.")
        page = dialect.listed(await http.fetch(dialect, target, _NOTHING, call))
        for model in page.models:
            found.setdefault(model.name, model)
        after = page.after
        if not after:
            return tuple(found.values())
        if after in seen:
            break
        seen.add(after)
    raise Broken(f"Provider {target.provider} sends a list of models without an end.")
