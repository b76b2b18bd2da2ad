"""A conversation as Gemini's ``contents``: two roles, one content a turn, thought signatures where they were.

Source: https://ai.google.dev/api/caching#Content, https://ai.google.dev/gemini-api/docs/function-calling,
https://ai.google.dev/gemini-api/docs/thought-signatures
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import orjson

from ..carried import MAX_ID, seal, seal_id, short_id, split_id, tag, unseal
from ..conversation import CONTINUE_PREFILL, OPENING, Conversation, Turn, tool_result
from ..errors import Unsupported
from ..events import JSON
from ..target import Target
from ..toolnames import ToolNames

# Google's documented word for a call that the model did not write itself: Gemini 3 refuses it without any signature.
FOREIGN_SIGNATURE: Final = "skip_thought_signature_validator"
# What Gemini reads, by a URL's ending; ``mimetypes`` would go to the disk for it.
_TYPES: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
}
_DEFAULT_TYPES: Final = {"image": "image/jpeg", "document": "application/pdf"}

SignedPart = Literal["thought", "text", "call"]


class Signatures:
    """Thought signatures on their way through the client, and back to the provider that wrote them.

    A signature stands on a thought, a text or a call. A call carries its own in its id; the others, and one too long
    for an id, travel in a thinking block's signature, in the order in which the parts stood.
    """

    def __init__(self, target: Target) -> None:
        self._tag = tag(target)

    def in_thinking(self, part: SignedPart, signature: str) -> str:
        """The ``signature`` of a thinking block that carries ``signature``."""
        return seal(self._tag, orjson.dumps([part, signature]))

    def in_id(self, plain: str, call_id: str, signature: str) -> str | None:
        """The ``tool_use.id`` that carries a call's own id and signature; None where that would be too long."""
        carrying = seal_id(self._tag, plain, orjson.dumps([call_id, signature]))
        return carrying if len(carrying) <= MAX_ID else None

    def of_thinking(self, block: JSON) -> tuple[str, str]:
        """(signed part, signature) that a thinking block carries; empty texts for anybody else's."""
        return _pair(unseal(self._tag, block.get("signature")))

    def of_id(self, tool_id: str) -> tuple[str, str]:
        """(the provider's own id, or a short one in its place; signature or "")."""
        plain, state = split_id(self._tag, tool_id)
        call_id, signature = _pair(state)
        return call_id or short_id(plain), signature

    def kept(self, block: JSON) -> bool:
        """Whether a thinking block of the history says something to this provider."""
        return bool(self.of_thinking(block)[1])


def _pair(state: bytes | None) -> tuple[str, str]:
    if state is None:
        return "", ""
    first, second = orjson.loads(state)  # only what this class sealed opens
    return str(first), str(second)


class Contents:
    """Writes the ``contents`` of one request."""

    def __init__(self, target: Target, names: ToolNames) -> None:
        self._capabilities = target.capabilities
        self._names = names
        self._signatures = Signatures(target)
        # Gemini 3, which thinks in levels, demands a signature; earlier models do not know Google's dummy.
        self._signed = target.capabilities.reasoning == "level"
        self._called: dict[str, JSON] = {}  # by tool_use.id: the functionCall it became

    def of(self, conversation: Conversation) -> list[JSON]:
        """The conversation from a user's turn to a user's turn, as Gemini wants it."""
        contents: list[JSON] = []
        if conversation.opens_with_assistant:
            _append(contents, "user", [{"text": OPENING}])
        for turn in conversation.turns:
            _append(contents, "model" if turn.role == "assistant" else "user", list(self._parts(turn)))
        if conversation.prefilled:
            _append(contents, "user", [{"text": CONTINUE_PREFILL}])
        return contents

    def _parts(self, turn: Turn) -> Iterable[JSON]:
        if turn.role == "assistant":
            return self._assistant(turn.blocks)
        if turn.role == "system":
            # Gemini's one system instruction stands outside the conversation; this keeps the place and the rank.
            return ({"text": f"<system>\n{block['text']}\n</system>"} for block in turn.blocks)
        return self._user(turn.blocks)

    def _user(self, blocks: Iterable[JSON]) -> Iterator[JSON]:
        """Responses first, then what they show, then what was said beside them."""
        others: list[JSON] = []
        for block in blocks:
            if block["type"] == "tool_result":
                yield self._response(block, others)
            else:
                others += self._said(block)
        yield from others

    def _response(self, block: JSON, shown: list[JSON]) -> JSON:
        """A ``functionResponse``; its pictures and documents go into ``shown``, under a line that says whose they are.

        Source of the keys ``output`` and ``error``: https://ai.google.dev/api/caching#FunctionResponse
        """
        call = self._called[block["tool_use_id"]]
        result = tool_result(block)
        if result.media:
            shown.append({"text": f"[Shown by the result of {call['name']}]"})
            shown += (part for item in result.media for part in self._said(item))
        text = result.text or ("(see what follows)" if result.media else "(no output)")
        response = {"error" if result.is_error else "output": text}
        return {"functionResponse": {"id": call["id"], "name": call["name"], "response": response}}

    def _said(self, block: JSON) -> Iterator[JSON]:
        kind = block["type"]
        if kind == "text":
            yield {"text": block["text"]}
            return
        if not (self._capabilities.vision if kind == "image" else self._capabilities.pdf):
            raise Unsupported(f"A content block of type `{kind}` cannot be sent to this model: it takes none.")
        if isinstance(title := block.get("title"), str) and title:
            yield {"text": f'[Document "{title}"]'}
        source = block["source"]
        if source["type"] == "base64":
            yield {"inlineData": {"mimeType": source["media_type"], "data": source["data"]}}
        else:
            yield {"fileData": {"mimeType": _guessed_type(source["url"], kind), "fileUri": source["url"]}}

    def _assistant(self, blocks: Iterable[JSON]) -> list[JSON]:
        parts: list[JSON] = []
        waiting = ""  # a signature that stood before its call
        step_signed = not self._signed
        for block in blocks:
            if block["type"] == "text":
                parts.append({"text": block["text"]})
            elif block["type"] == "tool_use":
                part = self._call(block, waiting)
                if not step_signed:
                    # Only the first call of a step is checked, and of parallel calls only it has a signature.
                    part.setdefault("thoughtSignature", FOREIGN_SIGNATURE)
                    step_signed = True
                parts.append(part)
                waiting = ""
            else:
                signed, signature = self._signatures.of_thinking(block)
                if signed == "call":
                    waiting = signature
                else:
                    _sign(parts, signed, signature, block)
        return parts

    def _call(self, block: JSON, signature: str) -> JSON:
        call_id, own = self._signatures.of_id(block["id"])
        arguments = block.get("input")
        call: JSON = {
            "id": call_id,
            "name": self._names.wire(str(block.get("name", ""))),
            "args": arguments if isinstance(arguments, dict) else {},
        }
        self._called[block["id"]] = call
        signature = own or signature
        return {"functionCall": call, "thoughtSignature": signature} if signature else {"functionCall": call}


def _guessed_type(url: str, kind: str) -> str:
    """The media type that a URL's ending tells, else the usual one of its kind. Raises Unsupported for no URL."""
    try:
        path = urlsplit(url).path
    except ValueError:
        raise Unsupported(f"A content block of type `{kind}` has a source whose URL cannot be read.") from None
    return _TYPES.get(path.rpartition(".")[2].lower(), _DEFAULT_TYPES[kind])


def _sign(parts: list[JSON], signed: str, signature: str, block: JSON) -> None:
    """Gives a thought, or the text before it, the signature it came with."""
    if signed == "thought":
        parts.append({"text": str(block.get("thinking", "")), "thought": True, "thoughtSignature": signature})
    elif parts and parts[-1].keys() == {"text"}:
        parts[-1]["thoughtSignature"] = signature
    else:
        parts.append({"text": "", "thoughtSignature": signature})


def _append(contents: list[JSON], role: str, parts: list[JSON]) -> None:
    """The system's turns become the user's, so two of one role can meet: they are one content."""
    last: Any = contents[-1] if contents else None
    if last and last["role"] == role:
        last["parts"] += parts
    else:
        contents.append({"role": role, "parts": parts})
