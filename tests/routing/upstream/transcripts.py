"""Events judged by the strict grammar of ``tests.support``."""

from __future__ import annotations

from collections.abc import Iterable

from routing.upstream.events import Event
from tests.support.grammar import Transcript, check_stream


def judged(events: Iterable[Event]) -> Transcript:
    """The transcript of a whole stream; raises GrammarError where it is not legal."""
    return check_stream(b"".join(event.encode() for event in events))
