"""Usage of chat completions, as disjoint counters.

``prompt_tokens`` contains what was read from and written to the cache, ``completion_tokens`` the reasoning; who
departs from that is named below.
"""

from __future__ import annotations

from typing import Final

from ..composer import Usage, count
from ..events import JSON

# OpenAI's "default" is Anthropic's "standard"; every other tier keeps its name.
SERVICE_TIERS: Final = {"default": "standard", "auto": "", "standard": "standard"}


def read_usage(chunk: JSON, usage: Usage) -> None:
    """Takes the usage of a chunk or body into ``usage``, where it has any: the last one said counts."""
    tier = chunk.get("service_tier")
    if isinstance(tier, str):
        usage.service_tier = SERVICE_TIERS.get(tier, tier)
    said = chunk.get("usage")
    if not isinstance(said, dict):
        groq = chunk.get("x_groq")
        said = groq.get("usage") if isinstance(groq, dict) else None
    if not isinstance(said, dict):
        return
    prompt, completion = count(said, "prompt_tokens"), count(said, "completion_tokens")
    if not prompt:
        return  # zeros in place of figures: the estimate is nearer
    inside, beside = said.get("prompt_tokens_details"), said.get("completion_tokens_details")
    # Beside OpenAI's own place: DeepSeek, Kimi, LiteLLM; and OpenRouter, LiteLLM
    read = count(inside, "cached_tokens") or count(
        said, "prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens"
    )
    write = count(inside, "cache_write_tokens", "cache_creation_tokens") or count(said, "cache_creation_input_tokens")
    reasoning = count(beside, "reasoning_tokens") or count(said, "reasoning_tokens")
    if reasoning and count(said, "total_tokens") == prompt + completion + reasoning:
        completion += reasoning  # xAI counts reasoning beside the completion
    usage.cache_read = min(read, prompt)
    write = min(write, prompt - usage.cache_read)
    split = inside.get("cache_creation_token_details") if isinstance(inside, dict) else None  # LiteLLM
    usage.cache_write_1h = min(count(split, "ephemeral_1h_input_tokens"), write)
    usage.cache_write_5m = write - usage.cache_write_1h
    usage.input = prompt - usage.cache_read - write
    usage.output = completion
    usage.reasoning = min(reasoning, completion)
    usage.web_searches = count(said.get("server_tool_use"), "web_search_requests")  # OpenRouter
    usage.exact = True
