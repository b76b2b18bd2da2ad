"""The words in which a feature's fate is claimed, and what a claim is judged by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import httpx
import orjson

from tests.support.grammar import Transcript
from tests.support.provider import Answer, ScriptedProvider, Seen

from ..asking import MODELS, Asker

DIALECTS = tuple(MODELS)
Kind: TypeAlias = Literal["native", "degraded", "refused", "absent"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request through the gateway: what came back, and what the provider was sent for it."""

    response: httpx.Response
    heard: Transcript
    """The judged answer; empty where the request was refused."""
    sent: Any
    """The JSON that the provider got last; None where it got nothing."""
    sent_headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, seen: Seen) -> Exchange:
        """What the provider sees while nothing is answered yet."""
        return cls(httpx.Response(100), Transcript(), seen.body, seen.headers)

    @property
    def said(self) -> str:
        """``sent`` as text."""
        return orjson.dumps(self.sent).decode()

    def at(self, *path: str | int) -> Any:
        """The value at ``path`` in ``sent``; None where there is nothing."""
        found = self.sent
        for step in path:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found


Check: TypeAlias = Callable[[Exchange], object]


@dataclass(frozen=True, slots=True)
class Cell:
    """A claim. ``how`` says what a person should know; ``check`` is falsy where the claim does not hold.

    A refused cell has no check: its ``how`` is what the 400's message says, word by word. ``absent``: there is nothing
    that could be translated, and ``how`` says why.
    """

    kind: Kind
    how: str = ""
    check: Check = bool
    theirs: str = ""
    """Words of the provider's own refusal, which is handed on byte for byte."""

    def __str__(self) -> str:
        words = {"absent": "—"}.get(self.kind, self.kind)
        return f"{words}: {self.how}" if self.how else words


def native(check: Check, how: str = "") -> Cell:
    return Cell("native", how, check)


def degraded(how: str, check: Check) -> Cell:
    return Cell("degraded", how, check)


def refused(words: str) -> Cell:
    return Cell("refused", words)


def theirs(words: str) -> Cell:
    return Cell("native", "the provider's own refusal", theirs=words)


def absent(why: str) -> Cell:
    return Cell("absent", why)


@dataclass(frozen=True, slots=True)
class Asking:
    """What a feature's own way of asking is given."""

    ask: Asker
    provider: ScriptedProvider
    model: str
    stream: bool


Way: TypeAlias = Callable[[Asking], httpx.Response]


@dataclass(frozen=True, slots=True)
class Feature:
    """One row of the table.

    ``cells`` by dialect; a pair is (streamed, plain). ``messages`` and ``body`` are the request, ``headers`` beside it;
    ``replies`` the provider's script; ``models`` stand in for a dialect's usual one; ``hook`` scripts by what
    the provider sees; ``way`` asks otherwise than by one request, and returns the answer that is judged.
    """

    name: str
    cells: Mapping[str, Cell | tuple[Cell, Cell]]
    messages: Sequence[Mapping[str, Any]] = ({"role": "user", "content": "hi"},)
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    replies: Sequence[Answer] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    way: Way | None = None
    hook: Callable[[Seen], Answer | None] | None = None

    def cell(self, dialect: str, *, stream: bool) -> Cell:
        found = self.cells[dialect]
        return found if isinstance(found, Cell) else found[0 if stream else 1]


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    features: tuple[Feature, ...]


def openai(
    chat: Cell | tuple[Cell, Cell], responses: Cell | tuple[Cell, Cell], litellm: Cell | tuple[Cell, Cell] | None = None
) -> dict[str, Cell | tuple[Cell, Cell]]:
    """The cells of the dialects that descend from OpenAI; LiteLLM's, where not said, are those of chat completions."""
    return {"openai_chat": chat, "openai_responses": responses, "litellm": litellm or chat}


def foreign(cell: Cell) -> dict[str, Cell | tuple[Cell, Cell]]:
    """The same in every dialect but Anthropic's."""
    return {name: cell for name in DIALECTS if name != "anthropic"}
