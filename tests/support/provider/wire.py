"""From frames to writes: SSE framing, how bytes fall into packets, and where a fault strikes.

Everything here is plain iteration; :mod:`.app` plays the resulting actions on a socket.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from .dialect import Dialect, Frame, Turn
from .script import Cut, ErrorEvent, Fault, Garbage, Hang, Raw, Wire


@dataclass(frozen=True, slots=True)
class Send:
    """One write."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence, in seconds; None until the client leaves or the provider closes."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class Close:
    """The connection closed there and then."""

    reset: bool = False


Action: TypeAlias = Send | Pause | Close


def framed(frame: Frame, wire: Wire, newline: str) -> bytes:
    """The bytes of one SSE frame (html.spec.whatwg.org, "Server-sent events")."""
    end = newline.encode()
    colon = b": " if wire.space else b":"
    comment = b": OPENROUTER PROCESSING" + end * 2 if wire.comments else b""
    event = b"" if frame.event is None else b"event" + colon + frame.event.encode() + end
    return comment + event + b"data" + colon + frame.data + end * 2


class _Packer:
    """Groups frames into writes as the wire options say."""

    def __init__(self, wire: Wire, newline: str) -> None:
        self._wire = wire
        self._newline = wire.newline if wire.newline is not None else newline
        self._held = bytearray()
        self._frames = 0

    def add(self, frame: Frame) -> Iterator[Send]:
        """The writes that this frame completes."""
        self._held += framed(frame, self._wire, self._newline)
        self._frames += 1
        if self._wire.dribble is not None:
            while len(self._held) >= self._wire.dribble:
                yield self._take(self._wire.dribble)
        elif self._frames >= self._wire.bunch:
            yield from self.flush()

    def flush(self) -> Iterator[Send]:
        """Whatever is held back."""
        self._frames = 0
        if self._held:
            yield self._take(len(self._held))

    def _take(self, size: int) -> Send:
        data = bytes(self._held[:size])
        del self._held[:size]
        return Send(data)


def _struck(frames: Iterator[Frame], after: int) -> Iterator[Frame | None]:
    """The frames with one None where the fault strikes: after that many deltas, or after the opening frame."""
    deltas, struck = 0, False
    for number, frame in enumerate(frames):
        if not struck and after == 0 and (frame.delta or number == 1):
            struck = True
            yield None
        yield frame
        deltas += frame.delta
        if not struck and after and deltas == after:
            struck = True
            yield None
    if not struck:
        yield None


def actions(dialect: Dialect, turn: Turn) -> Iterator[Action]:
    """A streamed reply as actions, its fault and pace included."""
    reply = turn.reply
    packer = _Packer(reply.wire, dialect.newline)
    sent, paced = 0, False
    for frame in _struck(dialect.frames(turn), -1 if reply.fault is None else reply.fault.after):
        if frame is not None:
            if frame.delta and reply.pace:
                if paced:
                    yield from packer.flush()
                    yield Pause(reply.pace)
                paced = True
            yield from packer.add(frame)
            sent += 1
        elif reply.fault is not None:
            yield from _strike(reply.fault, dialect, turn, packer, sent)
            if isinstance(reply.fault, Cut | ErrorEvent):
                return
    yield from packer.flush()


def _strike(fault: Fault, dialect: Dialect, turn: Turn, packer: _Packer, sent: int) -> Iterator[Action]:
    match fault:
        case Hang(seconds=seconds):
            yield from packer.flush()
            yield Pause(seconds)
        case Cut(reset=reset):
            yield from packer.flush()
            yield Close(reset)
        case Garbage(data=data):
            yield from packer.add(Frame(data))
        case ErrorEvent():
            for frame in dialect.error_frames(fault, turn, sent):
                yield from packer.add(frame)
            yield from packer.flush()


def raw_actions(raw: Raw) -> Iterator[Action]:
    """Recorded bytes as actions, cut where the script says."""
    edges = [0, *raw.cuts, len(raw.body)]
    for number, (start, end) in enumerate(pairwise(edges)):
        if number and raw.pace:
            yield Pause(raw.pace)
        if start < end:
            yield Send(raw.body[start:end])
    if raw.cut:
        yield Close()
