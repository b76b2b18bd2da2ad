"""Google's search, told as Anthropic's web search: the blocks of the search, its results and the citations.

Source: https://ai.google.dev/api/generate-content#GroundingMetadata,
https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/web-search-tool
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..composer import Composer
from ..events import JSON
from ..ids import fresh_id

_MAX_CITED: Final = 150  # characters of Anthropic's ``cited_text``
# Anthropic's error for a search that it could not run.
_UNAVAILABLE: Final[JSON] = {"type": "web_search_tool_result_error", "error_code": "unavailable"}


class Grounding:
    """What an answer says of its searches, gathered over all chunks; each chunk may repeat it, grown."""

    def __init__(self) -> None:
        self._queries: list[str] = []
        self._chunks: list[Any] = []
        self._supports: list[Any] = []

    def add(self, metadata: JSON) -> None:
        for field, kept in (("groundingChunks", self._chunks), ("groundingSupports", self._supports)):
            found = metadata.get(field)
            if isinstance(found, list) and len(found) >= len(kept):
                kept[:] = found
        if isinstance(queries := metadata.get("webSearchQueries"), list):
            self._queries += [query for query in queries if isinstance(query, str) and query not in self._queries]

    def cite(self, composer: Composer) -> None:
        """The citations of the text block that is open."""
        results = [_result(chunk) for chunk in self._chunks]
        for support in self._supports:
            segment = support.get("segment") if isinstance(support, dict) else None
            cited = segment.get("text") if isinstance(segment, dict) else None
            indices = support.get("groundingChunkIndices") if isinstance(cited, str) else None
            for index in indices if isinstance(indices, list) else ():
                if isinstance(index, int) and 0 <= index < len(results) and (result := results[index]) is not None:
                    composer.citation(
                        {
                            "type": "web_search_result_location",
                            "url": result["url"],
                            "title": result["title"],
                            "encrypted_index": "",
                            "cited_text": str(cited)[:_MAX_CITED],
                        }
                    )

    def tell(self, composer: Composer, tool: JSON) -> None:
        """The searches as blocks, and their number.

        Google does not say which result belongs to which query, so all stand with the first. A request whose only
        purpose is to search and that did not gets an error: zero searches must never pass for an answer
        (CLIProxyAPI#364).
        """
        results = [result for result in map(_result, self._chunks) if result is not None]
        queries = self._queries or ([""] if results else [])
        if not queries:
            refuse(composer, tool)
        for number, query in enumerate(queries):
            for block in _searched(tool, query, [] if number else results):
                composer.block(block)
        composer.usage.web_searches = len(queries)


def refuse(composer: Composer, tool: JSON) -> None:
    """Says that the declared search cannot be had, as Anthropic says it of its own."""
    for block in _searched(tool, "", _UNAVAILABLE):
        composer.block(block)


def _searched(tool: JSON, query: str, content: Any) -> Iterator[JSON]:
    search_id = fresh_id("srvtoolu_")
    name = str(tool.get("name", "web_search"))
    yield {"type": "server_tool_use", "id": search_id, "name": name, "input": {"query": query}}
    yield {"type": "web_search_tool_result", "tool_use_id": search_id, "content": content}


def _result(chunk: Any) -> JSON | None:
    """A search result; None for a source that is not on the web."""
    web = chunk.get("web") if isinstance(chunk, dict) else None
    url = web.get("uri") if isinstance(web, dict) else None
    if not isinstance(url, str) or not url:
        return None
    title = web.get("title") if isinstance(web, dict) else None
    return {
        "type": "web_search_result",
        "url": url,
        "title": title if isinstance(title, str) and title else url,
        "encrypted_content": "",
        "page_age": None,
    }
