"""Who decides what is answered: hooks first, then the queue, then the brain. Safe to script from any thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from .brains import Brain, echo
from .dialect import Asked, Dialect
from .record import Record, Seen
from .script import Answer, Fail
from .seal import Seal

Hook: TypeAlias = Callable[[Seen], Answer | None]

MODELS = ("gpt-5.1", "gpt-4.1", "gemini-3-pro-preview", "gemini-2.5-flash", "claude-sonnet-5", "claude-haiku-4-5")


class Desk:
    """The script and the record of one provider.

    ``strict`` applies the vendors' rules; ``api_key`` is the only key accepted (None: any that is sent);
    ``known`` are the only models that exist (None: all do); ``page`` is the most that one page of a list holds. All
    may be changed while the provider runs.
    """

    def __init__(
        self,
        brain: Brain = echo,
        *,
        strict: bool = True,
        api_key: str | None = None,
        known: Sequence[str] | None = None,
        log: Path | None = None,
    ) -> None:
        self.brain = brain
        self.strict = strict
        self.api_key = api_key
        self.known = known
        self.page = 1000
        self.seal = Seal()
        self.record = Record(log)
        self._lock = threading.Lock()
        self._queue: deque[Answer] = deque()
        self._counts: deque[int | Fail] = deque()
        self._hooks: list[Hook] = []

    def queue(self, answers: Sequence[Answer]) -> None:
        """Append answers for the next inference requests that break no rule."""
        with self._lock:
            self._queue.extend(answers)

    def queue_counts(self, counts: Sequence[int | Fail]) -> None:
        """Append answers for the next token counts."""
        with self._lock:
            self._counts.extend(counts)

    def hook(self, hook: Hook) -> None:
        """Ask ``hook`` before the queue; the newest is asked first, None passes on."""
        with self._lock:
            self._hooks.insert(0, hook)

    def pending(self) -> int:
        """Answers still queued."""
        with self._lock:
            return len(self._queue)

    def clear(self) -> None:
        """Drop the queues, the hooks and the record."""
        with self._lock:
            self._queue.clear()
            self._counts.clear()
            self._hooks.clear()
        self.record.clear()

    def answer(self, seen: Seen, dialect: Dialect, asked: Asked) -> Answer:
        """The answer to an inference request. Hooks and brains run without the lock: they may script further."""
        with self._lock:
            hooks = list(self._hooks)
        for hook in hooks:
            if (answer := hook(seen)) is not None:
                return answer
        with self._lock:
            if self._queue:
                return self._queue.popleft()
        return self.brain(dialect.conversation(asked))

    def count(self, seen: Seen) -> int | Fail:
        """The answer to a token count: the scripted one, or a quarter of the request's bytes."""
        with self._lock:
            if self._counts:
                return self._counts.popleft()
        return -(-len(seen.raw) // 4)
