"""Single content blocks in plainer words: what a provider without Anthropic's block types can still be told.

Source: https://docs.anthropic.com/en/api/messages (content blocks), and what other gateways fail on, as
``tests/e2e/test_known_failures_requests.py`` names it.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, Final

import orjson

from .errors import Unsupported
from .events import JSON

# Where the words are in blocks of types not known here, in the order in which they are read out.
_WORDS: Final = ("title", "url", "text", "summary", "stdout", "stderr", "error_code", "tool_name", "content")


def text_block(text: str) -> JSON:
    return {"type": "text", "text": text}


def is_blank(text: str) -> bool:
    return not text or text.isspace()


def without_cache_control(block: JSON) -> JSON:
    """The block itself where it has none."""
    if "cache_control" not in block:
        return block
    return {key: value for key, value in block.items() if key != "cache_control"}


def cleaned(block: JSON) -> Iterator[JSON]:
    """``block`` as ``text``, ``image`` and ``document`` blocks; nothing where it says nothing.

    Documents and search results that are text become text, blocks of Anthropic's server tools and of types not known
    here the words in them. Raises Unsupported for files and media that only Anthropic's API holds or knows.
    """
    kind = block.get("type")
    if kind == "text":
        text = block.get("text")
        if isinstance(text, str) and not is_blank(text):
            # Fields beside the text (citations, the client's own) mean nothing elsewhere.
            yield block if len(block) == 2 else text_block(text)
    elif kind == "image":
        yield _media(block, "image")
    elif kind == "document":
        yield from _document(block)
    elif kind == "search_result":
        yield from _titled("Search result", block, block.get("content"))
    elif kind in ("server_tool_use", "mcp_tool_use", "tool_use"):
        asked = orjson.dumps(block.get("input") or {}).decode()
        yield text_block(f"[{block.get('name', 'a tool')} was called with {asked}]")
    elif "source" in block or "file_id" in block:
        raise Unsupported(f"A content block of type `{kind}` cannot be sent to this model's provider.")
    elif words := _words(block):
        yield text_block(f"[{kind}]\n{words}" if str(kind).endswith("_tool_result") else words)


def _media(block: JSON, kind: str) -> JSON:
    """The block with a source that any provider can be given: bytes or a URL."""
    source = block.get("source")
    source = source if isinstance(source, dict) else {}
    form = source.get("type")
    if form == "base64" and isinstance(source.get("data"), str) and isinstance(source.get("media_type"), str):
        return without_cache_control(block)
    if form == "url" and isinstance(source.get("url"), str):
        return without_cache_control(block)
    if form == "file":
        raise Unsupported(
            f"A content block of type `{kind}` names a file (`file_id`) that is kept at Anthropic; "
            "send its content as base64 instead."
        )
    raise Unsupported(f"A content block of type `{kind}` has a source of type `{form}`, which cannot be sent on.")


def _document(block: JSON) -> Iterator[JSON]:
    source = block.get("source")
    source = source if isinstance(source, dict) else {}
    form = source.get("type")
    if form == "text":
        yield from _titled("Document", block, source.get("data"))
    elif form == "content":
        yield from _titled("Document", block, source.get("content"))
    elif form == "base64" and str(source.get("media_type", "")).startswith("text/"):
        yield from _titled("Document", block, _decoded(source.get("data")))
    else:
        yield _media(block, "document")


def _decoded(data: Any) -> str:
    try:
        return b64decode(data if isinstance(data, str) else "").decode("utf-8", "replace")
    except (binascii.Error, ValueError) as error:
        raise Unsupported("A content block of type `document` has a source that is not base64.") from error


def _titled(label: str, block: JSON, content: Any) -> Iterator[JSON]:
    """A text with its title, source and context above it; pictures inside it follow."""
    head = [f'{label} "{block["title"]}"' if isinstance(block.get("title"), str) else label]
    head += [str(block[key]) for key in ("source", "context") if isinstance(block.get(key), str)]
    inner = content if isinstance(content, list) else [text_block(content)] if isinstance(content, str) else []
    parts = [part for item in inner if isinstance(item, dict) for part in cleaned(item)]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    yield text_block("\n".join([f"[{', '.join(head)}]", *texts]))
    yield from (part for part in parts if part["type"] != "text")


def _words(value: Any) -> str:
    """All that a person could read in a block of an unknown type."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return "\n".join(filter(None, map(_words, value)))
    if not isinstance(value, dict):
        return ""
    if value.get("type") in ("image", "document") and isinstance(source := value.get("source"), dict):
        return _words(source.get("data")) if source.get("type") == "text" else f"[{value['type']}]"
    return "\n".join(filter(None, (_words(value[key]) for key in _WORDS if key in value)))
