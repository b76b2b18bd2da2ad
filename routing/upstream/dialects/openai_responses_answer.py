"""An answer of OpenAI's Responses, read into Anthropic's events: a stream's events, or one whole response.

Each output item is told once, by its deltas where there are any and by the finished item for whatever they left
out; so a whole response is the same as a stream without deltas.

Source: https://platform.openai.com/docs/api-reference/responses-streaming, .../responses/object
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson

from .. import parameters, wirejson
from ..carried import tag
from ..composer import Composer, count
from ..errors import Broken
from ..events import JSON, Event
from ..messages import MessagesRequest
from ..stops import StopSequences
from ..target import Target
from ..tools import declared
from ..websearch import NAME as SEARCH_NAME
from ..websearch import citation, result, searched
from . import openai_errors
from .openai_chat_state import client_id
from .openai_chat_usage import SERVICE_TIERS
from .openai_responses_request import search_fails, tool_names
from .openai_responses_state import sealed

_DONE: Final = b"[DONE]"  # OpenAI ends without it, some hosts do not
_PARAGRAPH: Final = "\n\n"
_TERMINAL: Final = frozenset({"completed", "incomplete"})
_FAILED: Final = frozenset({"failed", "cancelled"})


class _Item:
    """One output item under way; ``number`` is its handle at the composer."""

    __slots__ = ("arguments", "cited", "failing_search", "kind", "number", "said", "thought")

    def __init__(self, number: int, kind: str) -> None:
        self.number = number
        self.kind = kind
        self.said: set[int] = set()  # content parts of which something was said
        self.cited: set[tuple[int, int]] = set()  # annotations told, by content part and number
        self.thought = 0  # parts of reasoning told
        self.arguments = 0  # characters of arguments told
        self.failing_search = False


class ResponsesAnswer:
    """The state of one answer."""

    def __init__(self, target: Target, request: MessagesRequest) -> None:
        tools = declared(request)
        self._target = target
        self._request = request
        self._tag = tag(target)
        self._names = tool_names(tools)
        self._search_fails = search_fails(target, tools)
        # Asked for a search and nothing else, words from memory would pass for what was found (CLIProxyAPI#364).
        self._owes_search = self._search_fails and not tools.functions
        self._shown = parameters.thinking_shown(request)
        self._composer = Composer(request)
        self._stops = StopSequences(parameters.stop_sequences(request))
        self._items: dict[int | str, _Item] = {}
        self._begun = 0  # items so far
        self._reasoning: JSON | None = None  # a finished reasoning item whose successor is not known yet
        self._refused = False
        self._handlers: dict[str, Callable[[JSON], None]] = {
            "response.output_item.added": self._added,
            "response.output_text.delta": self._text_delta,
            "response.refusal.delta": self._refusal_delta,
            "response.output_text.annotation.added": self._annotation,
            "response.reasoning_summary_text.delta": self._summary_delta,
            "response.reasoning_text.delta": self._reasoning_delta,
            "response.function_call_arguments.delta": self._arguments_delta,
            "response.function_call_arguments.done": self._arguments_done,
            "response.output_item.done": self._done,
            "response.completed": self._response,
            "response.incomplete": self._response,
            "response.failed": self._response,
            "error": self._error,
        }

    def opening(self) -> list[Event]:
        self._composer.start()
        return self._composer.take()

    def feed(self, name: str, payload: bytes) -> list[Event]:
        if self._composer.ended or payload.strip() == _DONE:
            return []
        data = wirejson.loads(payload, self._target)
        if not isinstance(data, dict):
            raise Broken(f"Provider {self._target.provider} sent something that is not an event.")
        if data.get("object") == "response" or "output" in data:
            self._response({"response": data})
        elif self.cut and isinstance(data.get("delta"), str):
            self._composer.unheard(len(data["delta"]))
        elif (handler := self._handlers.get(str(data.get("type") or name))) is not None:
            handler(data)
        elif data.get("error") is not None:
            self._error(data)
        return self._composer.take()

    def finish(self) -> list[Event]:
        if not self._composer.ended:
            if not self.cut:
                raise Broken(f"Provider {self._target.provider} ended its answer too early.")
            self._end({})
        return self._composer.take()

    @property
    def cut(self) -> bool:
        return self._stops.matched is not None and not self._composer.called_tools

    # --- what a stream says -----------------------------------------------------------------------------------------

    def _added(self, event: JSON) -> None:
        item = event.get("item")
        if isinstance(item, dict) and not self.cut:
            self._begin(_place(event), item)

    def _text_delta(self, event: JSON) -> None:
        self._item(event, "message").said.add(_number(event, "content_index"))
        self._text(event.get("delta"))

    def _refusal_delta(self, event: JSON) -> None:
        self._item(event, "message").said.add(_number(event, "content_index"))
        self._refused = True
        self._text(event.get("delta"))

    def _annotation(self, event: JSON) -> None:
        place = _number(event, "content_index"), _number(event, "annotation_index")
        self._cite(self._item(event, "message"), place, event.get("annotation"))

    def _summary_delta(self, event: JSON) -> None:
        self._think(self._item(event, "reasoning"), _number(event, "summary_index"), event.get("delta"))

    def _reasoning_delta(self, event: JSON) -> None:
        """Reasoning in the clear, as open models behind this API give it."""
        self._think(self._item(event, "reasoning"), _number(event, "content_index"), event.get("delta"))

    def _arguments_delta(self, event: JSON) -> None:
        item, delta = self._items.get(_place(event)), event.get("delta")
        # A call that was not announced comes whole when it is done.
        if item is not None and item.kind == "function_call" and isinstance(delta, str) and not item.failing_search:
            item.arguments += len(delta)
            self._composer.arguments(item.number, delta)

    def _arguments_done(self, event: JSON) -> None:
        """All of them once more; some hosts write them here alone."""
        item = self._items.get(_place(event))
        if item is not None and item.kind == "function_call" and not item.failing_search:
            self._complete_call(item, event)

    def _done(self, event: JSON) -> None:
        item = event.get("item")
        if isinstance(item, dict):
            self._complete(_place(event), item)

    def _error(self, event: JSON) -> None:
        raise openai_errors.in_stream(self._target, self._request, event.get("error") or event)

    def _response(self, event: JSON) -> None:
        """The end of a stream, or all of an answer."""
        response = event.get("response")
        response = response if isinstance(response, dict) else {}
        status = str(response.get("status") or event.get("type", "")).removeprefix("response.")
        if status in _FAILED or response.get("error"):
            raise openai_errors.in_stream(self._target, self._request, response.get("error") or {"message": status})
        if status not in _TERMINAL:
            raise Broken(f"Provider {self._target.provider} gave an answer that is not finished.")
        output = response.get("output")
        self._read_usage(response)
        # Some hosts number items otherwise in a stream's events than in its end: what was told is not told again.
        for index, item in enumerate(_objects(output) if not self._items else ()):
            self._complete(index, item)
        self._end(response)

    # --- items ------------------------------------------------------------------------------------------------------

    def _item(self, event: JSON, kind: str) -> _Item:
        """The item that ``event`` belongs to; begun by it where the provider did not announce it."""
        return self._begin(_place(event), {"type": kind})

    def _begin(self, place: int | str, item: JSON) -> _Item:
        kind = str(item.get("type"))
        if (known := self._items.get(place)) is not None and known.kind == kind:
            return known
        begun = self._items[place] = _Item(self._begun, kind)
        self._begun += 1
        self._composer.start()
        self._settle_reasoning(kind)
        self._flush_text()
        if kind == "function_call":
            name = item.get("name")
            if not isinstance(name, str) or not name:
                raise Broken(f"Provider {self._target.provider} called a tool without saying which.")
            begun.failing_search = self._search_fails and name == SEARCH_NAME
            if not begun.failing_search:
                call_id = client_id(self._tag, item.get("call_id"))
                self._composer.tool(begun.number, call_id, self._names.original(name))
        return begun

    def _complete(self, place: int | str, item: JSON) -> None:
        """Tells of a finished item what its deltas have not told."""
        if self.cut:
            return
        begun = self._begin(place, item)
        if begun.kind == "message":
            self._complete_message(begun, item)
        elif begun.kind == "reasoning":
            self._complete_reasoning(begun, item)
        elif begun.kind == "function_call":
            self._complete_call(begun, item)
        elif begun.kind == "web_search_call":
            self._complete_search(item)

    def _complete_message(self, begun: _Item, item: JSON) -> None:
        for number, part in enumerate(_objects(item.get("content"))):
            if number not in begun.said:
                self._refused = self._refused or part.get("type") == "refusal"
                self._text(part.get("text") or part.get("refusal"))
            self._flush_text()
            for which, annotation in enumerate(_objects(part.get("annotations"))):
                self._cite(begun, (number, which), annotation)
        self._flush_text()

    def _complete_reasoning(self, begun: _Item, item: JSON) -> None:
        if not begun.thought:
            parts = _objects(item.get("summary")) or _objects(item.get("content"))
            for number, part in enumerate(parts):
                self._think(begun, number, part.get("text"))
        self._reasoning = item

    def _complete_call(self, begun: _Item, item: JSON) -> None:
        arguments = item.get("arguments")
        arguments = arguments if isinstance(arguments, str) else ""
        if begun.failing_search:
            self._owes_search = False
            searched(self._composer, _query(arguments), [], failed=True)
            return
        self._composer.arguments(begun.number, arguments[begun.arguments :])
        begun.arguments = max(begun.arguments, len(arguments))
        self._composer.whole(begun.number)

    def _complete_search(self, item: JSON) -> None:
        """Only a search is one: pages that the model opens or looks through are neither counted nor billed."""
        action = item.get("action")
        action = action if isinstance(action, dict) else {}
        if action.get("type", "search") != "search":
            return
        queries = action.get("queries")
        query = action.get("query") or (queries[0] if isinstance(queries, list) and queries else "")
        found = [result(str(source["url"])) for source in _objects(action.get("sources")) if source.get("url")]
        searched(self._composer, str(query), found, failed=item.get("status") == "failed")

    # --- words ------------------------------------------------------------------------------------------------------

    def _text(self, delta: Any) -> None:
        if not isinstance(delta, str):
            return
        said = self._stops.feed(delta)
        self._composer.text(said)
        if self.cut:
            self._composer.unheard(len(delta) - len(said))

    def _flush_text(self) -> None:
        self._composer.text(self._stops.flush())

    def _cite(self, item: _Item, place: tuple[int, int], annotation: Any) -> None:
        if place in item.cited or not isinstance(annotation, dict) or self._stops.matched is not None:
            return
        item.cited.add(place)
        url = annotation.get("url")
        if annotation.get("type") == "url_citation" and isinstance(url, str) and url:
            self._composer.citation(citation(url, str(annotation.get("title") or "")))

    def _think(self, item: _Item, number: int, delta: Any) -> None:
        """Reasoning that a person may read; its parts are paragraphs."""
        if not self._shown or not isinstance(delta, str) or not delta:
            return
        if item.thought and number >= item.thought:
            self._composer.thinking(_PARAGRAPH)
        item.thought = max(item.thought, number + 1)
        self._composer.thinking(delta)

    def _settle_reasoning(self, successor: str) -> None:
        """Ends the last reasoning with what brings it back, where it will have its successor behind it again.

        A search is not written back as the item it was, so the reasoning before it must not come back either. Thinking
        that the client did not ask for stays out of its sight, but comes back where it led to a call.
        """
        item, self._reasoning = self._reasoning, None
        if item is None or successor not in ("message", "function_call", "reasoning"):
            return
        if (seal := sealed(self._target, item)) is None:
            return
        if self._shown:
            self._composer.sign(seal)
        elif successor == "function_call":
            self._composer.block({"type": "redacted_thinking", "data": seal})

    # --- the end ----------------------------------------------------------------------------------------------------

    def _read_usage(self, response: JSON) -> None:
        tier = str(response.get("service_tier") or "")
        self._composer.usage.service_tier = SERVICE_TIERS.get(tier, tier)
        said = response.get("usage")
        if not isinstance(said, dict) or not (prompt := count(said, "input_tokens")):
            return  # zeros in place of figures: the estimate is nearer
        usage, read = self._composer.usage, said.get("input_tokens_details")
        usage.cache_read = min(count(read, "cached_tokens"), prompt)
        usage.cache_write_5m = min(count(read, "cache_write_tokens"), prompt - usage.cache_read)
        usage.input = prompt - usage.cache_read - usage.cache_write_5m
        usage.output = count(said, "output_tokens")
        usage.reasoning = min(count(said.get("output_tokens_details"), "reasoning_tokens"), usage.output)
        usage.exact = True

    def _end(self, response: JSON) -> None:
        self._flush_text()
        if self._owes_search:
            searched(self._composer, "", (), failed=True)
        details = response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        if self.cut:
            self._composer.end("stop_sequence", self._stops.matched)
        elif reason == "max_output_tokens":
            self._composer.end("max_tokens")
        elif self._refused or reason == "content_filter":
            self._composer.end("refusal")
        else:
            self._composer.end("tool_use" if self._composer.called_tools else "end_turn")


def _place(event: JSON) -> int | str:
    """Which item an event is about: by its place in the output, or by its id where a host gives no places."""
    place = event.get("output_index")
    if isinstance(place, int):
        return place
    item = event.get("item")
    return str(item.get("id") if isinstance(item, dict) else event.get("item_id"))


def _number(data: Any, key: str) -> int:
    """A place: a whole number of at least 0."""
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, int) and value > 0 else 0


def _objects(value: Any) -> list[JSON]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _query(arguments: str) -> str:
    try:
        asked = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return ""
    return str(asked.get("query", "")) if isinstance(asked, dict) else ""
