"""What the ledger is told of a request whose way is known."""

from __future__ import annotations

from accounting import ledger

from .resolution import Resolution
from .upstream.messages import MessagesRequest


def booking(
    request_id: str, resolution: Resolution, request: MessagesRequest, *, client: str, input_bytes: int = 0
) -> ledger.Booking:
    """``client`` is the program that asked, as it calls itself. ``input_bytes``: see ``ledger.Booking``."""
    return ledger.Booking(
        request_id=request_id,
        asked_model=request.model,
        tier=resolution.tier,
        provider=resolution.target.provider,
        model=resolution.target.model,
        price_family=resolution.price_family,
        streamed=request.stream,
        input_estimate=request.input_estimate,
        max_tokens=request.max_tokens,
        session_id=request.session_id,
        agent_id=request.agent_id,
        parent_agent_id=request.parent_agent_id,
        client=client,
        service_tier=str(request.body.get("service_tier") or ""),
        input_bytes=input_bytes,
    )
