"""A reply cut into deltas, before any dialect words them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, zip_longest

import orjson

from .script import Part, Refusal, Reply, Text, Thinking, ToolCall, WebSearch


@dataclass(frozen=True, slots=True)
class Piece:
    """One delta of one part. ``first`` opens the part, ``last`` closes it; a part has at least one piece."""

    part: Part
    index: int
    text: str
    first: bool
    last: bool


def arguments_text(call: ToolCall) -> str:
    """The call's arguments as JSON text, or the scripted text where the script gave text."""
    if isinstance(call.arguments, str):
        return call.arguments
    return orjson.dumps(call.arguments).decode()


def told(part: Part) -> str:
    """The text of a part that is told in deltas."""
    match part:
        case Text() | Thinking() | Refusal():
            return part.text
        case ToolCall():
            return arguments_text(part)
        case WebSearch():
            return orjson.dumps({"query": part.query}).decode()


def _cut(text: str, reply: Reply) -> list[str]:
    size = reply.delta if reply.chunks is None else max(1, -(-len(text) // reply.chunks))
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]


def _part(part: Part, index: int, reply: Reply) -> list[Piece]:
    cuts = _cut(told(part), reply)
    end = len(cuts) - 1
    return [Piece(part, index, text, at == 0, at == end) for at, text in enumerate(cuts)]


def pieces(reply: Reply, *, interleave: bool = False) -> Iterator[Piece]:
    """All deltas of a reply in order; with ``interleave``, neighbouring tool calls take turns."""
    cut = [_part(part, index, reply) for index, part in enumerate(reply.parts)]
    for is_call, group in groupby(cut, key=lambda run: isinstance(run[0].part, ToolCall)):
        runs = list(group)
        if is_call and interleave:
            for turn in zip_longest(*runs):
                yield from (piece for piece in turn if piece is not None)
        else:
            for run in runs:
                yield from run
