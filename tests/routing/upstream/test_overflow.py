"""Every provider's wording of an overflow ends in Anthropic's, with the provider's own figures (row 6)."""

from __future__ import annotations

import pytest

from routing.upstream.overflow import overflow
from routing.upstream.target import Capabilities

from .factories import a_request, a_target

TARGET = a_target("openai_chat", capabilities=Capabilities(context_window=200_000))
TOO_LONG = "prompt is too long: {} tokens > {} maximum"
BOTH = (
    "input length and `max_tokens` exceed context limit: {} + {} > {}, "
    "decrease input length or `max_tokens` and try again"
)

WORDINGS = {
    "openai": (
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens. "
        "Please reduce the length of the messages.",
        TOO_LONG.format(130000, 128000),
    ),
    "openai with functions": (
        "This model's maximum context length is 128000 tokens. However, you requested 143000 tokens (119000 in the "
        "messages, 8000 in the functions, and 16000 in the completion). Please reduce the length of the messages, "
        "functions, or completion.",
        BOTH.format(127000, 16000, 128000),
    ),
    "openai gpt-5": (
        "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300123 tokens. Please "
        "reduce the length of the messages.",
        TOO_LONG.format(300123, 272000),
    ),
    "openai tokens per minute": (
        "Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 41234. The "
        "input or output tokens must be reduced in order to run successfully.",
        TOO_LONG.format(41234, 30000),
    ),
    "groq tokens per minute": (
        "Request too large for model `llama-3.3-70b` in organization `org_x` service tier `on_demand` on tokens per "
        "minute (TPM): Limit 6000, Requested 9123, please reduce your message size and try again.",
        TOO_LONG.format(9123, 6000),
    ),
    "deepseek": (
        "This model's maximum context length is 65536 tokens. However, you requested 70000 tokens (62000 in the "
        "messages, 8000 in the completion). Please reduce the length of the messages or completion.",
        BOTH.format(62000, 8000, 65536),
    ),
    "openrouter": (
        "This endpoint's maximum context length is 128000 tokens. However, you requested about 158000 tokens (148000 "
        "of text input, 10000 in the output). Please reduce the length of either one.",
        TOO_LONG.format(148000, 128000),
    ),
    "vllm": (
        "This model's maximum context length is 32768 tokens. However, your request has 40000 input tokens. Please "
        "reduce the length of the input messages. None",
        TOO_LONG.format(40000, 32768),
    ),
    "vllm plus": (
        "This model's maximum context length is 2048 tokens. However, your request has 8 input tokens plus 2045 "
        "'max_tokens'. Please reduce one or the other.",
        BOTH.format(8, 2045, 2048),
    ),
    "vllm max_tokens": (
        "'max_tokens' or 'max_completion_tokens' is too large: 64000. This model's maximum context length is 32768 "
        "tokens and your request has 1000 input tokens (64000 > 32768 - 1000).",
        BOTH.format(1000, 64000, 32768),
    ),
    "vllm at least": (
        "This model's maximum context length is 262144 tokens. However, you requested 0 output tokens and your prompt "
        "contains at least 262145 input tokens, for a total of at least 262145 tokens.",
        TOO_LONG.format(262145, 262144),
    ),
    "sglang": (
        "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
        TOO_LONG.format(9000, 8192),
    ),
    "sglang both": (
        "Requested token count exceeds the model's maximum context length of 32768 tokens. You requested a total of "
        "40000 tokens: 8000 tokens from the input messages and 32000 tokens for the completion.",
        BOTH.format(8000, 32000, 32768),
    ),
    "mistral": (
        "Prompt contains 65673 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        TOO_LONG.format(65673, 32768),
    ),
    "llama.cpp": (
        "request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it",
        TOO_LONG.format(9000, 8192),
    ),
    "lm studio": (
        "Trying to keep the first 10136 tokens when context the overflows. However, the model is loaded with context "
        "length of only 7866 tokens, which is not enough.",
        TOO_LONG.format(10136, 7866),
    ),
    "together": (
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens and "
        "500 `max_new_tokens`",
        TOO_LONG.format(9000, 8193),
    ),
    "gemini": (
        "The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).",
        TOO_LONG.format(1100000, 1048576),
    ),
    "xai": (
        "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
        TOO_LONG.format(140000, 131072),
    ),
    "cerebras": (
        "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
        TOO_LONG.format(9000, 8192),
    ),
    "moonshot": (
        "Invalid request: Your request exceeded model token limit: 131072 (requested: 140000)",
        TOO_LONG.format(140000, 131072),
    ),
    "anthropic": ("prompt is too long: 210000 tokens > 200000 maximum", TOO_LONG.format(210000, 200000)),
    "anthropic both": (
        "input length and `max_tokens` exceed context limit: 199000 + 20000 > 200000, decrease input length",
        BOTH.format(199000, 20000, 200000),
    ),
    # without figures: the model's window, and an input that is at least more than it
    "ollama": ("the input length exceeds the context length", TOO_LONG.format(200001, 200000)),
    "groq": ("context_length_exceeded Please reduce the length of the messages.", TOO_LONG.format(200001, 200000)),
    "bedrock": ("Input is too long for requested model.", TOO_LONG.format(200001, 200000)),
}


@pytest.mark.parametrize("provider", WORDINGS)
def test_wording(provider: str) -> None:
    said, told = WORDINGS[provider]
    found = overflow(said, TARGET, a_request(), 400)
    assert found is not None
    assert found.message == told
    assert found.provider_status == 400


@pytest.mark.parametrize(
    "said",
    [
        "Too many tokens, please wait before trying again.",
        "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29600, Requested 1000.",
        "max_tokens is too large: 64000. This model supports at most 16384 completion tokens.",
        "Invalid value for 'content': expected a string, got null.",
        "",
    ],
)
def test_other_refusals_are_not_taken_for_an_overflow(said: str) -> None:
    assert overflow(said, TARGET, a_request()) is None


def test_an_unknown_window_is_not_made_up() -> None:
    found = overflow("context_length_exceeded", a_target("openai_chat"), a_request(estimate=5000))
    assert found is not None
    assert found.message == "prompt is too long: 5000 tokens > 4999 maximum"
