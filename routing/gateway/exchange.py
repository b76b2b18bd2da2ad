"""The line itself: one request from the gate to a provider and back, top to bottom.

::

    who is calling        accounting.identity      -> Caller
    what is asked         parsing                  -> Parsed
    where it goes         routing.resolution       -> Resolution: a Target, and why
    may it, and a row     accounting.ledger        reserved and written before anything leaves
    the answer            routing.upstream.stream  -> events, observed by the ledger, written to the reply
    the row is settled    before the client sees the end
"""

from __future__ import annotations

import time
from itertools import count

from accounting import calibration, ledger
from accounting.identity import Caller, register
from routing.booking import booking
from routing.errors import RoutingError
from routing.resolution import Resolution, resolve
from routing.table import RoutingTable, tables
from routing.upstream.errors import UpstreamError
from routing.upstream.ids import fresh_id
from routing.upstream.messages import MessagesRequest
from routing.upstream.stream import open_answer
from routing.upstream.target import Target

from .arrival import Arrival
from .errors import InvalidRequest, answer_for
from .parsing import Parsed, parse
from .reply import Send, open_reply

_MAX_RESTARTS = 5  # a request that meets change after change is served by the newest state it has seen
_LAST = ("message_stop", "message")


async def exchange(arrival: Arrival, body: bytes, send: Send) -> None:
    """Answers one ``/v1/messages`` request. Raises one of ``errors.Failure``, before or after the first byte."""
    table = await tables.current()
    parsed: Parsed | None = None
    for attempt in count():
        caller = await authenticate(arrival, table)
        try:
            parsed = parsed or parse(body, sender=(caller.key_id, arrival.session_id))
            resolution = resolve(table, caller, parsed.model)
        except (InvalidRequest, RoutingError) as error:
            # No row is opened for what leads nowhere, so nothing else would tell that the way was made a moment ago.
            newest = await tables.newest() if isinstance(error, RoutingError) and attempt < _MAX_RESTARTS else table
            if newest.generation > table.generation:
                table = newest
                continue
            await _record_rejection(arrival, caller, parsed, error)
            raise
        arrival.passage.resolution = resolution
        request = message_request(arrival, resolution, parsed, body)
        booked = booking(
            arrival.request_id,
            resolution,
            request,
            client=arrival.headers.get("user-agent", ""),
            input_bytes=0 if parsed.media_tokens else parsed.text_bytes,
        )
        generation = table.generation if attempt < _MAX_RESTARTS else None
        try:
            async with ledger.entry(caller, booked, generation=generation) as entry:
                arrival.passage.entry = entry
                await _answer(arrival, resolution.target, request, entry, send)
        except ledger.Stale as moved:
            # A key, a mapping or a provider has changed since it was read: start over with what is so now.
            table = await tables.current(moved.generation)
        else:
            return


async def _answer(arrival: Arrival, target: Target, request: MessagesRequest, entry: ledger.Entry, send: Send) -> None:
    """The provider's answer: every event is observed by the ledger, and the row settled before the last one is seen."""
    headers = [(b"request-id", arrival.request_id.encode()), *entry.headers]
    arrival.passage.upstream_began = time.perf_counter()
    async with open_answer(target, request) as answer:
        reply = open_reply(send, headers, stream=request.stream, opening=answer.opening)
        try:
            async for events in answer:
                entry.observe(events)
                last = events[-1].type
                if last in _LAST:
                    if len(events) > 1:  # what was said need not wait until the row is settled
                        await reply.write(events[:-1])
                        events = events[-1:]
                    await entry.settle()
                elif last == "error":
                    entry.fail("upstream_error", "error event")
                    arrival.passage.upstream_failure = "error_event"
                await reply.write(events)
            await reply.close()
        except UpstreamError as error:
            entry.fail(answer_for(error).outcome, type(error).__name__)
            raise
        finally:
            reply.abandon()


async def authenticate(arrival: Arrival, table: RoutingTable, scope: str = "messages") -> Caller:
    """The caller, as of the table's generation or later. Raises NotAuthenticated or NotPermitted."""
    register.at(table.generation)
    caller = await register.authenticate(arrival.headers, arrival.client)
    arrival.passage.caller = caller
    caller.require(scope)
    return caller


def message_request(arrival: Arrival, resolution: Resolution, parsed: Parsed, body: bytes) -> MessagesRequest:
    """What a dialect is given to translate."""
    model_key = f"{resolution.target.provider}/{resolution.target.model}"
    return MessagesRequest(
        body=parsed.body,
        raw=body,
        model=parsed.model,
        stream=parsed.stream,
        max_tokens=parsed.max_tokens,
        headers=arrival.handed_on(),
        session_id=arrival.session_id,
        agent_id=arrival.agent_id,
        parent_agent_id=arrival.parent_agent_id,
        message_id=fresh_id("msg_"),
        input_estimate=calibration.estimate_input(model_key, parsed.text_bytes) + parsed.media_tokens,
    )


async def _record_rejection(arrival: Arrival, caller: Caller, parsed: Parsed | None, error: Exception) -> None:
    """A row for a request that a valid key sent and that leads nowhere."""
    await ledger.reject(
        caller,
        request_id=arrival.request_id,
        asked_model=parsed.model if parsed else "",
        error=type(error).__name__,
        session_id=arrival.session_id,
    )
