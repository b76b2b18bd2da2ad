"""``/v1/messages/count_tokens``: the provider's own counter where it has one, else a tokenizer beside the loop."""

from __future__ import annotations

import asyncio

from routing.resolution import resolve
from routing.table import tables
from routing.upstream.errors import Refused, UpstreamError, Verbatim
from routing.upstream.stream import count_tokens as ask_provider
from routing.upstream.tokens import estimate

from .arrival import Arrival
from .exchange import authenticate, message_request
from .parsing import parse

_PROVIDER_SECONDS = 10.0  # Claude Code counts a dozen things at once before it shows /context: a stuck one is estimated


async def count_tokens(arrival: Arrival, body: bytes) -> int:
    """Input tokens of the request, rounded up where they are an estimate.

    A provider that refuses the request itself is believed; one that cannot be asked is estimated for, so the answer is
    never a 5xx on a provider's account (litellm#13252, #15323).
    """
    table = await tables.current()
    caller = await authenticate(arrival, table)
    parsed = parse(body, counting=True, sender=(caller.key_id, arrival.session_id))
    resolution = resolve(table, caller, parsed.model)
    request = message_request(arrival, resolution, parsed, body)
    try:
        async with asyncio.timeout(_PROVIDER_SECONDS):
            counted = await ask_provider(resolution.target, request)
    except Refused:
        raise
    except Verbatim as error:
        if error.status in (400, 413):
            raise
        counted = None
    except (UpstreamError, TimeoutError):
        counted = None
    return counted if counted is not None else await asyncio.to_thread(estimate, parsed.body, parsed.media_tokens)
