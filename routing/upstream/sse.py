"""Server-sent events, decoded incrementally.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

from .errors import Broken

MAX_EVENT_BYTES = 32 * 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Pairs = list[tuple[str, bytes]]


class Decoder:
    """Cuts a byte stream into (event name, data) pairs, wherever the network cut it.

    Takes LF, CRLF and CR line ends, a byte order mark, comments, ``data:`` with or without a space and data over
    several lines. An event without data is a heartbeat to every dialect, and dropped. Raises Broken for an event
    longer than ``MAX_EVENT_BYTES``: memory stays bounded, and time linear in what comes.

    Events that come whole in one read, as nearly all do, are cut out by their blank lines alone; the rest goes
    through ``_lines``, which knows all the rules.
    """

    __slots__ = ("_after_cr", "_begun", "_data", "_held", "_held_size", "_name", "_size")

    def __init__(self) -> None:
        self._begun = False
        self._after_cr = False  # the last byte was a CR: a LF now is its other half, not a line end of its own
        self._held: list[bytes] = []  # pieces of a line whose end has not come yet
        self._held_size = 0
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Pairs:
        if self._after_cr or b"\r" in chunk:
            chunk = self._with_line_feeds(chunk)
        found: Pairs = []
        if self._held or self._data or self._name or not self._begun:
            # In the middle of an event: up to its end by lines.
            end = chunk.find(b"\n\n") + 2
            if end < 2:
                self._lines(chunk, found)
                return found
            self._lines(chunk[:end], found)
            chunk = chunk[end:]
        frames = chunk.split(b"\n\n")
        rest = frames.pop()
        for frame in frames:
            name, _, data = frame.partition(b"\ndata: ") if frame.startswith(b"event: ") else (b"", b"", frame[6:])
            if not data or b"\n" in data or b"\n" in name or not (name or frame.startswith(b"data: ")):
                self._lines(frame + b"\n\n", found)
            else:
                found.append((name[7:].strip().decode("utf-8", "replace"), data))
        if rest:
            self._lines(rest, found)
        return found

    def finish(self) -> Pairs:
        """What stands in an event that the stream's end left without its blank line: some hosts omit the last."""
        found: Pairs = []
        self._lines(b"\n\n", found)
        return found

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        whole = chunk[1:] if self._after_cr and chunk.startswith(b"\n") else chunk
        self._after_cr = chunk.endswith(b"\r") if chunk else self._after_cr
        return whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _lines(self, chunk: bytes, found: Pairs) -> None:
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if lines and self._held:
            lines[0] = b"".join([*self._held, lines[0]])
            self._held, self._held_size = [], 0
        for line in lines:
            self._line(line, found)
        if rest:
            self._held.append(rest)
            self._held_size += len(rest)
            self._check(self._held_size)

    def _line(self, line: bytes, found: Pairs) -> None:
        if not self._begun:
            self._begun = True
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if line.startswith(b"data:"):
            data = line[6:] if line[5:6] == b" " else line[5:]
            self._size += len(data) + 1
            self._check(self._size)
            self._data.append(data)
        elif not line:
            if data := b"\n".join(self._data):
                found.append((self._name, data))
            self._data, self._size, self._name = [], 0, ""
        elif line.startswith(b"event:"):
            self._name = line[6:].strip().decode("utf-8", "replace")

    def _check(self, size: int) -> None:
        if size > MAX_EVENT_BYTES:
            raise Broken(f"The provider sent an event of more than {MAX_EVENT_BYTES} bytes.")
