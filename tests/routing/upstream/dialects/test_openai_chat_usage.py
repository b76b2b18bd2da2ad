"""Usage of chat completions, from every place and in every shape: disjoint counters."""

from __future__ import annotations

import orjson
import pytest

from tests.routing.upstream.factories import a_request

from .completions import DONE, JSON, chunk, message, usage, whole

USAGES: dict[str, tuple[JSON, JSON]] = {
    "openai": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 30,
            "total_tokens": 130,
            "prompt_tokens_details": {"cached_tokens": 60},
            "completion_tokens_details": {"reasoning_tokens": 10},
        },
        {"input_tokens": 40, "cache_read_input_tokens": 60, "output_tokens": 30, "thinking": 10},
    ),
    "deepseek": (
        {"prompt_tokens": 100, "completion_tokens": 30, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36},
        {"input_tokens": 36, "cache_read_input_tokens": 64, "output_tokens": 30},
    ),
    "openrouter": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 30,
            "prompt_tokens_details": {"cached_tokens": 50, "cache_write_tokens": 20},
            "server_tool_use": {"web_search_requests": 2},
        },
        {"input_tokens": 30, "cache_read_input_tokens": 50, "cache_creation_input_tokens": 20, "output_tokens": 30},
    ),
    "xai": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 30,
            "total_tokens": 140,
            "completion_tokens_details": {"reasoning_tokens": 10},
        },
        {"input_tokens": 100, "output_tokens": 40, "thinking": 10},
    ),
    "odd": (
        {"prompt_tokens": 10, "completion_tokens": None, "prompt_tokens_details": {"cached_tokens": 99}},
        {"input_tokens": 0, "cache_read_input_tokens": 10, "output_tokens": 0},
    ),
}


@pytest.mark.parametrize("host", USAGES)
def test_counters_are_disjoint(host: str) -> None:
    said, wanted = USAGES[host]
    wanted = {"cache_read_input_tokens": 0, "cache_creation_input_tokens": 0} | wanted
    thinking = wanted.pop("thinking", None)
    places = {
        "last chunk": [chunk(content="a"), chunk("stop"), usage(**said), DONE],
        "finish chunk": [chunk(content="a"), orjson.dumps(orjson.loads(chunk("stop")) | {"usage": said}), DONE],
        "whole": [whole({"content": "a"}, usage=said)],
    }
    for payloads in places.values():
        found = message(*payloads)["usage"]
        assert {name: found[name] for name in wanted} == wanted
        assert found.get("output_tokens_details") == (thinking and {"thinking_tokens": thinking})
        assert "tollgate_estimated" not in found


@pytest.mark.parametrize("said", [None, {}, {"prompt_tokens": 0, "completion_tokens": 0}])
def test_missing_usage_is_estimated_and_says_so(said: JSON | None) -> None:
    last = [usage(**said)] if said is not None else []
    found = message(chunk(content="x" * 40), chunk("stop"), *last, DONE, request=a_request(estimate=77))["usage"]
    assert (found["input_tokens"], found["output_tokens"]) == (77, 10)
    assert found["tollgate_estimated"] is True


def test_the_tier_that_was_billed() -> None:
    for said, known in (("default", "standard"), ("priority", "priority")):
        assert message(whole({"content": "a"}, service_tier=said))["usage"]["service_tier"] == known
