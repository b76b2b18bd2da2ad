"""The output items of the Responses API and the events that tell them.

``response.output_item.added`` and ``.done`` embrace each item; in between come the events of its kind
(platform.openai.com/docs/api-reference/responses-streaming).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..dialect import Json, Turn
from ..pieces import Piece, arguments_text
from ..script import Part, Refusal, Text, Thinking, ToolCall, WebSearch
from .citing import results


@dataclass(frozen=True, slots=True)
class Told:
    """An event before it is numbered."""

    type: str
    fields: Json
    delta: bool = False


class Items:
    """Words one reply's parts as items and events. One instance a stream: it counts output indices."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._found = results(turn.reply.parts)
        self._indices: dict[int, int] = {}
        body = turn.body
        self._summarised = bool((body.get("reasoning") or {}).get("summary"))
        include = body.get("include") or []
        self._encrypted = "reasoning.encrypted_content" in include
        self._sources = "web_search_call.action.sources" in include

    def events(self, piece: Piece) -> Iterator[Told]:
        """The events of one piece."""
        at = self._indices.setdefault(piece.index, len(self._indices))
        item = self.item(piece.part, piece.index)
        if piece.first:
            yield Told("response.output_item.added", {"output_index": at, "item": self._opening(piece.part, item)})
        place = {"item_id": item["id"], "output_index": at}
        match piece.part:
            case Text() | Refusal():
                yield from self._message(piece, item, place)
            case Thinking():
                yield from self._reasoning(piece, place)
            case ToolCall():
                yield from self._call(piece, piece.part, place)
            case WebSearch():
                if piece.first:
                    for state in ("in_progress", "searching", "completed"):
                        yield Told(f"response.web_search_call.{state}", dict(place))
        if piece.last:
            yield Told("response.output_item.done", {"output_index": at, "item": item})

    def item(self, part: Part, index: int) -> Json:
        """The finished item of a part."""
        name = self._turn.ident(f"item{index}", 50)
        match part:
            case Text() | Refusal():
                cut_short = self._turn.reply.ending == "length" and index == len(self._turn.reply.parts) - 1
                return {
                    "id": f"msg_{name}",
                    "type": "message",
                    "status": "incomplete" if cut_short else "completed",
                    "content": [self._content(part)],
                    "role": "assistant",
                }
            case Thinking():
                item: Json = {"id": f"rs_{name}", "type": "reasoning", "summary": []}
                if self._encrypted:
                    item["encrypted_content"] = self._turn.seal.write("openai-reasoning", part.text)
                if self._shows(part):
                    item["summary"] = [{"type": "summary_text", "text": part.text}]
                return item
            case ToolCall():
                return {
                    "id": f"fc_{name}",
                    "type": "function_call",
                    "status": "completed",
                    "arguments": arguments_text(part),
                    "call_id": part.id if part.id is not None else f"call_{self._turn.ident(f'call{index}')}",
                    "name": part.name,
                }
            case WebSearch():
                action: Json = {"type": "search", "queries": [part.query], "query": part.query}
                if self._sources:
                    action["sources"] = [{"type": "url", "url": found.url} for found in part.results]
                return {"id": f"ws_{name}", "type": "web_search_call", "status": "completed", "action": action}

    def _shows(self, part: Thinking) -> bool:
        return self._summarised and bool(part.text) and not part.redacted

    def _opening(self, part: Part, item: Json) -> Json:
        """The item as it is added: in progress and empty."""
        opening = dict(item)
        match part:
            case Text() | Refusal():
                opening |= {"status": "in_progress", "content": []}
            case Thinking():
                opening["summary"] = []
                if self._encrypted:
                    # Live streams show other bytes here than at the end, and only those of the end are valid.
                    opening["encrypted_content"] = self._turn.seal.write("openai-reasoning-unfinished", part.text)
            case ToolCall():
                opening |= {"status": "in_progress", "arguments": ""}
            case WebSearch():
                opening["status"] = "in_progress"
                del opening["action"]
        return opening

    def _content(self, part: Text | Refusal) -> Json:
        if isinstance(part, Refusal):
            return {"type": "refusal", "refusal": part.text}
        return {"type": "output_text", "annotations": self._annotations(part), "logprobs": [], "text": part.text}

    def _annotations(self, part: Text) -> list[Json]:
        return [
            {
                "type": "url_citation",
                "start_index": 0,
                "end_index": len(part.text),
                "title": self._found[index].title,
                "url": self._found[index].url,
            }
            for index in part.cites
        ]

    def _message(self, piece: Piece, item: Json, place: Json) -> Iterator[Told]:
        part = item["content"][0]
        place = place | {"content_index": 0}
        spoken = isinstance(piece.part, Text)
        kind, key = ("output_text", "text") if spoken else ("refusal", "refusal")
        extra: Json = {"logprobs": []} if spoken else {}
        if piece.first:
            empty: Json = part | {key: ""}
            if "annotations" in empty:
                empty["annotations"] = []
            yield Told("response.content_part.added", place | {"part": empty})
        if piece.text:
            yield Told(f"response.{kind}.delta", place | {"delta": piece.text} | extra, delta=True)
        if piece.last:
            for number, annotation in enumerate(part.get("annotations", [])):
                added = place | {"annotation_index": number, "annotation": annotation}
                yield Told("response.output_text.annotation.added", added)
            yield Told(f"response.{kind}.done", place | {key: part[key]} | extra)
            yield Told("response.content_part.done", place | {"part": part})

    def _reasoning(self, piece: Piece, place: Json) -> Iterator[Told]:
        part = piece.part
        if not isinstance(part, Thinking) or not self._shows(part):
            return
        place = place | {"summary_index": 0}
        if piece.first:
            empty = {"type": "summary_text", "text": ""}
            yield Told("response.reasoning_summary_part.added", place | {"part": empty})
        yield Told("response.reasoning_summary_text.delta", place | {"delta": piece.text}, delta=True)
        if piece.last:
            whole = {"type": "summary_text", "text": part.text}
            yield Told("response.reasoning_summary_text.done", place | {"text": part.text})
            yield Told("response.reasoning_summary_part.done", place | {"part": whole})

    def _call(self, piece: Piece, call: ToolCall, place: Json) -> Iterator[Told]:
        if piece.text:
            yield Told("response.function_call_arguments.delta", place | {"delta": piece.text}, delta=True)
        if piece.last:
            done = place | {"arguments": arguments_text(call), "name": call.name}
            yield Told("response.function_call_arguments.done", done)
