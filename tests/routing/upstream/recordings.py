"""Recorded wire text (``tests/recorded``), and the events beside it: NAME.txt, NAME.events.json."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson

from routing.upstream.carried import UNSIGNED
from routing.upstream.dialect import Translator
from routing.upstream.errors import UpstreamError
from routing.upstream.events import Event
from routing.upstream.sse import Decoder

ROOT = Path(__file__).parents[2] / "recorded"


def names(dialect: str) -> list[str]:
    return sorted(path.stem for path in (ROOT / dialect).glob("*.txt"))


def wire_text(dialect: str, name: str) -> bytes:
    return (ROOT / dialect / f"{name}.txt").read_bytes()


def expected(dialect: str, name: str) -> Any:
    return orjson.loads((ROOT / dialect / f"{name}.events.json").read_bytes())


def heard(translator: Translator, stream: bytes, *cuts: int) -> tuple[list[Event], UpstreamError | None]:
    """The events of a stream that comes in pieces, and the error it ended in."""
    decoder = Decoder()
    events: list[Event] = []
    try:
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            for name, payload in decoder.feed(stream[start:end]):
                events += translator.feed(name, payload)
        for name, payload in decoder.finish():
            events += translator.feed(name, payload)
        events += translator.finish()
    except UpstreamError as error:
        return events, error
    return events, None


def settled(events: list[Event], error: UpstreamError | None = None) -> Any:
    """The events' data with random ids numbered and seals covered; an error as one more, ``raised``."""
    text = orjson.dumps([event.data for event in events]).decode().replace(UNSIGNED, "UNSIGNED")
    text = re.sub(r"tg1-[A-Za-z0-9_-]+", "SEALED", text)
    for number, found in enumerate(dict.fromkeys(re.findall(r"(?:srv)?toolu_[0-9a-f]{24}", text)), 1):
        text = text.replace(found, f"{found.partition('_')[0]}_{number:08}")
    said: list[Any] = orjson.loads(text)
    return said if error is None else [*said, {"raised": type(error).__name__, "message": error.message}]
