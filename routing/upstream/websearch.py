"""A provider's own web search, in Anthropic's blocks.

Anthropic seals what its search found (``encrypted_content``, ``encrypted_index``) and refuses such blocks when the
seal is not its own. What other providers found carries ``UNSIGNED`` there, by which the pass-through knows it.

Source: https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/web-search-tool
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .carried import UNSIGNED
from .composer import Composer
from .events import JSON
from .ids import fresh_id

NAME: Final = "web_search"


def result(url: str, title: str = "") -> JSON:
    """One page that was found."""
    return {
        "type": "web_search_result",
        "title": title or url,
        "url": url,
        "encrypted_content": UNSIGNED,
        "page_age": None,
    }


def citation(url: str, title: str = "", cited_text: str = "") -> JSON:
    """A citation of a page that was found. ``cited_text`` is the page's own, "" where the provider does not quote."""
    return {
        "type": "web_search_result_location",
        "url": url,
        "title": title or url,
        "cited_text": cited_text,
        "encrypted_index": UNSIGNED,
    }


def searched(composer: Composer, query: str, results: Iterable[JSON], *, failed: bool = False) -> None:
    """One search with what it found: the call's block, the results' block, and the count that is billed."""
    block_id = fresh_id("srvtoolu_")
    composer.block({"type": "server_tool_use", "id": block_id, "name": NAME, "input": {"query": query}})
    content = {"type": "web_search_tool_result_error", "error_code": "unavailable"} if failed else list(results)
    composer.block({"type": "web_search_tool_result", "tool_use_id": block_id, "content": content})
    composer.usage.web_searches += not failed
