"""An answer of chat completions, read into Anthropic's events: chunks of a stream, or one whole body.

Source: https://platform.openai.com/docs/api-reference/chat/object, .../chat-streaming; the departures of other hosts
are named where they are met.
"""

from __future__ import annotations

from typing import Any, Final

from .. import parameters, wirejson
from ..carried import tag
from ..composer import Composer
from ..errors import Broken, Busy, Unavailable
from ..events import JSON, Event
from ..messages import MessagesRequest
from ..stops import StopSequences
from ..target import Target
from ..tools import declared
from ..websearch import citation, result, searched
from . import openai_errors
from .openai_chat_calls import Calls
from .openai_chat_request import SEARCH_NAME, searches, tool_names
from .openai_chat_state import Reasoning
from .openai_chat_usage import read_usage

_STOP_REASONS: Final = {
    "stop": "end_turn",
    "length": "max_tokens",
    "max_tokens": "max_tokens",
    "model_length": "max_tokens",  # Mistral
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
    "sensitive": "refusal",  # GLM
    "safety": "refusal",
    "model_context_window_exceeded": "model_context_window_exceeded",  # GLM
}
_DONE: Final = b"[DONE]"


class ChatAnswer:
    """The state of one answer."""

    def __init__(self, target: Target, request: MessagesRequest) -> None:
        tools = declared(request)
        self._target = target
        self._request = request
        self._tag = tag(target)
        self._composer = Composer(request)
        # A search that the host cannot do, and that the client did not declare as a function of its own.
        failing = tools.web_search is not None and SEARCH_NAME not in tools.names and not searches(target)
        self._calls = Calls(self._composer, tool_names(tools), self._tag, SEARCH_NAME if failing else "")
        # Asked for a search and nothing else, words from memory would pass for what was found (CLIProxyAPI#364).
        self._owes_search = failing and not tools.functions
        self._reasoning = Reasoning(target.model)
        self._shown = parameters.thinking_shown(request)
        self._found: dict[str, JSON] = {}  # pages that the host's own search cited, by URL
        sequences = parameters.stop_sequences(request)
        self._stops = StopSequences(sequences) if sequences else None
        self._finish = ""
        self._matched: str | None = None  # the sequence that the host says stopped it
        self._refused = False
        self._whole = False
        self._streamed = False
        self._spoke = False  # anything at all has been said

    def opening(self) -> list[Event]:
        self._composer.start()
        return self._composer.take()

    def feed(self, name: str, payload: bytes) -> list[Event]:
        payload = payload.strip()
        if not payload or self._composer.ended:
            return []
        if payload == _DONE:
            self._end(complete=True)
            return self._composer.take()
        chunk = wirejson.loads(payload, self._target)
        if not isinstance(chunk, dict):
            raise Broken(f"Provider {self._target.provider} sent something that is not a completion.")
        if (error := chunk.get("error")) or name == "error":
            raise openai_errors.in_stream(self._target, self._request, error or chunk)
        self._chunk(chunk)
        if self._finish and self.cut and self._composer.usage.exact:
            self._end(complete=True)
        return self._composer.take()

    def finish(self) -> list[Event]:
        self._end(complete=False)
        return self._composer.take()

    @property
    def cut(self) -> bool:
        return self._stops is not None and self._stops.matched is not None and not self._calls

    def _chunk(self, chunk: JSON) -> None:
        read_usage(chunk, self._composer.usage)
        choices = chunk.get("choices")
        # None: usage alone, a filter's verdict on the prompt (Azure), a keep-alive. Several are one answer in parts, as
        # only one was asked for: GitHub's Copilot puts the words and calls of Claude apart.
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                self._choice(choice)

    def _choice(self, choice: JSON) -> None:
        message = choice.get("delta")
        if isinstance(message, dict):
            self._streamed = True
            self._delta(message)
        elif (
            isinstance(message := choice.get("message"), dict) and not self._streamed
        ):  # MiniMax ends with a second copy
            self._whole = True
            self._delta(message)
        if finish := choice.get("finish_reason"):
            self._finish = str(finish).lower()
            self._matched = _matched(choice, parameters.stop_sequences(self._request))

    def _delta(self, delta: JSON) -> None:
        if shown := self._reasoning.add(delta, whole=self._whole):
            self._think(shown)
        content = delta.get("content")
        if isinstance(content, str):
            self._text(content)
        elif isinstance(content, list):
            self._parts(content)
        if refusal := delta.get("refusal"):
            self._refused = True
            self._text(str(refusal))
        if annotations := delta.get("annotations"):
            self._annotate(annotations)
        calls = delta.get("tool_calls")
        if not calls and (old := delta.get("function_call")):
            calls = [{"index": 0, "function": old}]
        if calls and not self.cut:
            self._spoke = True
            self._flush_text()
            self._settle_reasoning(called=True)
            self._calls.read(calls, whole=self._whole)

    def _think(self, text: str) -> None:
        if self._shown and not self.cut:
            self._flush_text()
            self._composer.thinking(text)
        else:
            self._composer.unheard(len(text))

    def _text(self, text: str) -> None:
        if not text:
            return
        self._spoke = True
        self._settle_reasoning()
        if self._stops is not None:
            written, text = len(text), self._stops.feed(text)
            if self.cut:
                self._composer.unheard(written - len(text))
        self._composer.text(text)

    def _flush_text(self) -> None:
        if self._stops is not None:
            self._composer.text(self._stops.flush())

    def _parts(self, content: list[Any]) -> None:
        """Content in parts, as Mistral's reasoning models write it."""
        for part in content:
            if not isinstance(part, dict):
                continue
            if part.get("type") == "thinking":
                thoughts = part.get("thinking")
                for thought in thoughts if isinstance(thoughts, list) else ():
                    if isinstance(thought, dict) and isinstance(thought.get("text"), str):
                        self._think(thought["text"])
            elif isinstance(part.get("text"), str):
                self._text(part["text"])

    def _settle_reasoning(self, *, called: bool = False, last: bool = False) -> None:
        """Ends the reasoning said so far with what brings it back to the provider.

        Thinking that the client did not ask for stays out of its sight, but where a call follows it must still come
        back: DeepSeek refuses a tool's result without the reasoning that led to the call, and OpenRouter may send the
        signatures of Gemini's calls after them, where no thinking follows that could be signed.
        """
        if not self._reasoning:
            return
        if self._shown and (self._reasoning.is_read or not (called and last)):
            self._composer.sign(self._reasoning.seal(self._tag, shown=True))
        elif called:
            self._composer.block({"type": "redacted_thinking", "data": self._reasoning.seal(self._tag, shown=False)})

    def _annotate(self, annotations: Any) -> None:
        """``url_citation`` annotations of OpenAI's search models and OpenRouter."""
        self._flush_text()
        for annotation in annotations if isinstance(annotations, list) else ():
            cited = annotation.get("url_citation") if isinstance(annotation, dict) else None
            if isinstance(cited, dict) and isinstance(url := cited.get("url"), str) and url:
                title, quote = str(cited.get("title") or ""), str(cited.get("content") or "")
                self._found.setdefault(url, result(url, title))
                self._composer.citation(citation(url, title, quote))

    def _end(self, *, complete: bool) -> None:
        """``complete``: the provider has marked the end, so a missing finish reason is only an omission."""
        if self._composer.ended:
            return
        if self.cut:
            self._composer.usage.exact &= bool(self._finish)  # a running count ends where it was left
        else:
            self._check_finish(complete=complete)
        self._flush_text()
        self._settle_reasoning(called=bool(self._calls), last=True)
        self._calls.finish()
        if self._owes_search and not self._calls.searched and not self._found:
            searched(self._composer, "", (), failed=True)
        if self._found:
            counted = self._composer.usage.web_searches  # OpenRouter counts them itself
            searched(self._composer, "", self._found.values())
            self._composer.usage.web_searches = counted or 1
        self._composer.end(*self._stop())

    def _check_finish(self, *, complete: bool) -> None:
        """Raises an UpstreamError for an answer that has no end, or not one that a model gives."""
        name = self._target.provider
        if not self._finish and not (self._whole or (complete and self._spoke)):
            raise Broken(f"Provider {name} ended its answer too early.")
        if self._finish == "insufficient_system_resource":  # DeepSeek
            raise Busy(f"Provider {name} ran out of resources in the middle of its answer.")
        if self._finish in ("error", "network_error"):  # OpenRouter, GLM
            raise Unavailable(f"Provider {name} failed in the middle of its answer.")
        if self._finish == "abort":  # vLLM, SGLang
            raise Broken(f"Provider {name} aborted its answer.")

    def _stop(self) -> tuple[str, str | None]:
        """Anthropic's stop reason and, where it is known, the stop sequence."""
        reason = _STOP_REASONS.get(self._finish, "end_turn")
        if self.cut and self._stops is not None:
            return "stop_sequence", self._stops.matched
        if reason == "end_turn" and self._matched is not None:
            return "stop_sequence", self._matched
        if self._refused and reason == "end_turn":
            return "refusal", None
        if reason in ("end_turn", "tool_use"):
            # Some hosts say "stop" after calls, others "tool_calls" without any: what was said decides.
            return "tool_use" if self._composer.called_tools else "end_turn", None
        return reason, None


def _matched(choice: JSON, sequences: list[str]) -> str | None:
    """Which of ``sequences`` stopped the host, as far as it says so; OpenAI itself does not.

    vLLM names it as ``stop_reason``, SGLang as ``matched_stop``; OpenRouter and TGI only say that there was one.
    """
    named = choice.get("stop_reason", choice.get("matched_stop"))
    if isinstance(named, str) and named in sequences:
        return named
    stopped = "stop_sequence" in (choice.get("native_finish_reason"), choice.get("finish_reason"))
    return sequences[0] if stopped and len(sequences) == 1 else None
