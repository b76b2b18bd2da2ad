"""Stop sequences: the text is cut here, where Anthropic would have stopped.

Providers know none, take only a few, or stop at one in the arguments of a call; and nearly none says that it did, or
at which, which a client must know. So they are sent on only to a host that says it (``Quirks.stop_sequences``).

Source: https://docs.anthropic.com/en/api/messages (``stop_sequences``: the match itself is not part of the answer)
"""

from __future__ import annotations

from collections.abc import Iterable


class StopSequences:
    """Reads a text piece by piece; holds back only what may still become one of ``sequences`` (none of them empty)."""

    __slots__ = ("_held", "_sequences", "matched")

    def __init__(self, sequences: Iterable[str]) -> None:
        self._sequences = tuple(sequences)
        self._held = ""
        self.matched: str | None = None

    def feed(self, piece: str) -> str:
        """What may be said now. Once ``matched`` is set, nothing more is."""
        if not self._sequences:
            return piece
        if self.matched is not None:
            return ""
        text = self._held + piece
        # The earliest match counts; of two that begin together, the one that is complete first.
        ends = [(start + len(each), each) for each in self._sequences if (start := text.find(each)) >= 0]
        if ends:
            end, self.matched = min(ends)
            self._held = ""
            return text[: end - len(self.matched)]
        keep = len(text) - max(self._begun(text, each) for each in self._sequences)
        self._held = text[keep:]
        return text[:keep]

    def flush(self) -> str:
        """What was held back: no more text follows here."""
        held, self._held = self._held, ""
        return held

    @staticmethod
    def _begun(text: str, sequence: str) -> int:
        """How many of the text's last characters could be the sequence's first."""
        for length in range(min(len(sequence) - 1, len(text)), 0, -1):
            if text.endswith(sequence[:length]):
                return length
        return 0
