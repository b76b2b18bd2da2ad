"""Gemini's answer as Anthropic's events; one state machine for streamed chunks and for the whole.

Source: https://ai.google.dev/api/generate-content#GenerateContentResponse
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from .. import wirejson
from ..composer import Composer, Usage, count, tool_use_id
from ..errors import Broken
from ..events import JSON, Event
from ..messages import MessagesRequest
from ..parameters import stop_sequences, thinking_shown
from ..stops import StopSequences
from ..target import Target
from .gemini_content import Signatures
from .gemini_errors import malformed, typed
from .gemini_request import toolbox
from .gemini_search import Grounding, refuse

_REFUSALS: Final = frozenset(
    {
        *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"),
        *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
    }
)
_UNSPECIFIED: Final = (None, "", "FINISH_REASON_UNSPECIFIED")


class GeminiTranslator:
    """Turns one answer into events. Nothing is held but the signature of a text, until the text has ended."""

    def __init__(self, target: Target, request: MessagesRequest) -> None:
        self._target = target
        self._composer = Composer(request)
        self._tools = toolbox(target, request)
        self._signatures = Signatures(target)
        self._shows_thinking = thinking_shown(request)
        self._refuses_search = self._tools.search_refused is not None and not _answers_calls(request)
        self._grounding = Grounding()
        sequences = stop_sequences(request)
        self._stops = StopSequences(sequences) if sequences else None
        self._text_signature = ""
        self._calls: set[str] = set()
        self._finish = ""
        self._blocked = False

    def opening(self) -> list[Event]:
        self._composer.start()
        return self._composer.take()

    def feed(self, name: str, payload: bytes) -> list[Event]:
        if self._composer.ended:
            return []
        data = wirejson.loads(payload, self._target)
        for chunk in data if isinstance(data, list) else (data,):
            if not isinstance(chunk, dict):
                raise Broken(f"Provider {self._target.provider} sent a chunk that is not an object.")
            self._chunk(chunk)
        return self._composer.take()

    @property
    def cut(self) -> bool:
        return self._stops is not None and self._stops.matched is not None and not self._composer.called_tools

    def finish(self) -> list[Event]:
        composer = self._composer
        if composer.ended:
            return []
        if not self._finish and not self._blocked and not self.cut:
            raise Broken(f"Provider {self._target.provider} ended its answer too early.")
        self._flush_text()
        self._grounding.cite(composer)
        self._end_text()
        refused = self._blocked or self._finish in _REFUSALS
        if self._tools.search is not None and not refused:
            self._grounding.tell(composer, self._tools.search)
        if self.cut and self._stops is not None:
            composer.usage.exact &= bool(self._finish)  # Google's running count ends where it was left
            composer.end("stop_sequence", self._stops.matched)
        elif refused:
            composer.end("refusal")
        elif self._finish == "MAX_TOKENS":
            composer.end("max_tokens")
        else:
            composer.end("tool_use" if composer.called_tools else "end_turn")
        return composer.take()

    def _chunk(self, chunk: JSON) -> None:
        if isinstance(error := chunk.get("error"), dict):
            raise typed(self._target, error, None, {})
        self._composer.start()
        if self._refuses_search and self._tools.search_refused is not None:
            self._refuses_search = False
            refuse(self._composer, self._tools.search_refused)
        if isinstance(counted := chunk.get("usageMetadata"), dict):
            self._composer.usage = _usage(counted, self._composer.usage)
        if _object(chunk.get("promptFeedback")).get("blockReason"):
            self._blocked = True
        candidates = chunk.get("candidates")
        if isinstance(candidates, list) and candidates:
            self._candidate(_object(candidates[0]))

    def _candidate(self, candidate: JSON) -> None:
        parts = _object(candidate.get("content")).get("parts")
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict):
                self._part(part)
        if isinstance(grounding := candidate.get("groundingMetadata"), dict):
            self._grounding.add(grounding)
        reason = candidate.get("finishReason")
        if reason not in _UNSPECIFIED:
            self._finish = str(reason)
            if self._finish not in _REFUSALS and self._finish not in ("STOP", "MAX_TOKENS"):
                raise malformed(self._target, self._finish)

    def _part(self, part: JSON) -> None:
        if self.cut:
            self._composer.unheard(len(str(part.get("text") or "")))
            return
        signature = part.get("thoughtSignature")
        signature = signature if isinstance(signature, str) else ""
        if isinstance(call := part.get("functionCall"), dict):
            self._call(call, signature)
        elif part.get("thought") is True:
            self._thought(str(part.get("text") or ""), signature)
        elif isinstance(text := part.get("text"), str):
            self._text(text, signature)
        elif isinstance(media := part.get("inlineData"), dict):
            self._text(f"[The model answered with {media.get('mimeType')}, which this API cannot carry.]", signature)

    def _thought(self, text: str, signature: str) -> None:
        if not self._shows_thinking:
            return
        self._end_text()
        self._composer.thinking(text)
        if signature:
            self._composer.sign(self._signatures.in_thinking("thought", signature))

    def _text(self, text: str, signature: str) -> None:
        if self._stops is not None:
            written, text = len(text), self._stops.feed(text)
            if self.cut:
                self._composer.unheard(written - len(text))
        self._composer.text(text)
        if signature and not self.cut:
            self._text_signature = signature

    def _flush_text(self) -> None:
        if self._stops is not None:
            self._composer.text(self._stops.flush())

    def _call(self, call: JSON, signature: str) -> None:
        own = str(call.get("id") or "")
        if own and own in self._calls:
            return  # a chunk that repeats a call has only one call in it
        self._calls.add(own)
        self._end_text()
        name = call.get("name")
        if not isinstance(name, str) or not name:
            raise Broken(f"Provider {self._target.provider} called a tool without saying which.")
        tool_id = tool_use_id()
        if own or signature:
            carrying = self._signatures.in_id(tool_id, own, signature)
            if carrying is None:  # the signature travels before the call, only the call's id inside its own
                self._composer.sign(self._signatures.in_thinking("call", signature))
            tool_id = carrying or self._signatures.in_id(tool_id, own, "") or tool_id
        self._composer.tool(tool_id, tool_id, self._tools.names.original(name))
        self._composer.arguments(tool_id, orjson.dumps(call.get("args") or {}).decode())
        self._composer.close()

    def _end_text(self) -> None:
        """Hands out the signature that came with a text, behind it; it is worth a block only to who wants thinking."""
        self._flush_text()
        signature, self._text_signature = self._text_signature, ""
        if signature and self._shows_thinking:
            self._composer.sign(self._signatures.in_thinking("text", signature))


def _usage(counted: JSON, before: Usage) -> Usage:
    """Google's running counts; its prompt holds the cached tokens, its candidates do not hold the thoughts."""

    prompt, searched = count(counted, "promptTokenCount"), count(counted, "toolUsePromptTokenCount")
    if not prompt:
        return before
    cached = min(count(counted, "cachedContentTokenCount"), prompt)
    thoughts = count(counted, "thoughtsTokenCount")
    # Some answers leave the candidates out and count them in the total alone.
    beside = count(counted, "totalTokenCount") - prompt - searched
    return Usage(
        input=prompt - cached + searched,
        cache_read=cached,
        output=max(count(counted, "candidatesTokenCount") + thoughts, beside),
        reasoning=thoughts,
        service_tier=str(counted.get("serviceTier") or "").lower(),
        exact=True,
    )


def _answers_calls(request: MessagesRequest) -> bool:
    """Whether the client only brings results of calls: what was refused at the turn's start is not said again."""
    messages: Any = request.body.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) else None
    return isinstance(content, list) and any(_object(block).get("type") == "tool_result" for block in content)


def _object(value: Any) -> JSON:
    return value if isinstance(value, dict) else {}
