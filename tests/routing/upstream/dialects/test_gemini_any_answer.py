"""Whatever Gemini may send, in any order, becomes a legal stream or a known error."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.upstream.dialects.gemini import Gemini
from routing.upstream.errors import UpstreamError
from routing.upstream.events import JSON
from routing.upstream.messages import MessagesRequest
from routing.upstream.target import Capabilities

from ..factories import a_request, a_target, told
from ..transcripts import judged

GEMINI = Gemini()
TARGET = a_target("gemini", capabilities=Capabilities(reasoning="level", web_search=True))
READ = {"name": "Read", "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}

TEXTS = st.text(max_size=6)
ANY: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-2, 9) | TEXTS | st.just({}) | st.just([])
PARTS = st.one_of(
    st.fixed_dictionaries({"text": TEXTS}, optional={"thought": st.booleans(), "thoughtSignature": TEXTS}),
    st.fixed_dictionaries(
        {
            "functionCall": st.fixed_dictionaries(
                {"name": st.sampled_from(["Read", "other"])},
                optional={"id": st.sampled_from(["a", "b", ""]), "args": st.just({}) | st.just({"path": "ü"})},
            )
        },
        optional={"thoughtSignature": TEXTS},
    ),
    st.fixed_dictionaries({"inlineData": ANY}),
    st.fixed_dictionaries({"executableCode": ANY}),
)
FINISHES = st.sampled_from([None, "", "STOP", "MAX_TOKENS", "SAFETY", "OTHER", "MALFORMED_FUNCTION_CALL"])
CHUNKS = st.fixed_dictionaries(
    {},
    optional={
        "candidates": st.lists(
            st.fixed_dictionaries(
                {"content": st.fixed_dictionaries({}, optional={"parts": st.lists(PARTS, max_size=3)}) | ANY},
                optional={
                    "finishReason": FINISHES,
                    "groundingMetadata": st.fixed_dictionaries(
                        {},
                        optional={
                            "webSearchQueries": st.lists(TEXTS, max_size=2) | ANY,
                            "groundingChunks": st.lists(
                                st.just({"web": {"uri": "https://a.example"}}) | ANY | st.just({"web": 1}), max_size=2
                            )
                            | ANY,
                            "groundingSupports": st.lists(
                                st.just({"segment": {"text": "a"}, "groundingChunkIndices": [0, 5, None]}) | ANY,
                                max_size=2,
                            )
                            | ANY,
                        },
                    )
                    | ANY,
                },
            )
            | ANY,
            max_size=2,
        )
        | ANY,
        "usageMetadata": st.dictionaries(
            st.sampled_from(["promptTokenCount", "candidatesTokenCount", "cachedContentTokenCount", "totalTokenCount"]),
            ANY,
        )
        | ANY,
        "promptFeedback": st.just({"blockReason": "SAFETY"}) | ANY,
        "error": st.just({"code": 500}) | ANY,
    },
)
REQUESTS = st.sampled_from(
    [
        a_request(),
        a_request(thinking={"type": "adaptive"}, tools=[READ]),
        a_request(tools=[SEARCH]),
        a_request(tools=[SEARCH, READ]),
    ]
)


@settings(max_examples=300, deadline=None)
@given(REQUESTS, st.lists(CHUNKS, max_size=5))
def test_whatever_comes_the_stream_is_legal_or_a_known_error(request: MessagesRequest, chunks: list[JSON]) -> None:
    translator = GEMINI.translator(TARGET, request)
    try:
        events = told(translator, *map(orjson.dumps, chunks))
    except UpstreamError:
        return
    judged(events)
