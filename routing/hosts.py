"""What is known of public hosts: how each departs from its dialect, whichever row it stands in.

A row at one of these addresses is right from its first request, whoever made it: the first start, the admin or the API.
What the row itself says has the last word. Nothing here is about a model: that is ``catalog``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

_DIALECTS: Final = ("openai_chat", "openai_responses")


@dataclass(frozen=True, slots=True)
class KnownHost:
    """``quirks`` holds below whatever a provider's row says; the rest fills what a new row leaves blank."""

    quirks: Mapping[str, object] = field(default_factory=dict)
    reasoning_dialect: str = ""
    price_family: str = ""


OPENAI: Final = KnownHost(
    quirks={
        "prompt_cache_key": True,
        "max_tools": 128,
        "strict_tools": True,
        "developer_role": True,
        "system_anywhere": True,
        "service_tier": True,
        "end_user_field": "safety_identifier",
    },
    reasoning_dialect="openai_responses",
    price_family="openai",
)
_AZURE: Final = KnownHost(
    # https://learn.microsoft.com/azure/ai-foundry/openai/reference: the key in a header of its own
    {"auth_header": "api-key", "max_tools": 128, "strict_tools": True, "system_anywhere": True},
    price_family="azure",
)
_NOTHING: Final = KnownHost()
# By the host's name, or the end of it.
_HOSTS: Final[Mapping[str, KnownHost]] = {
    "api.openai.com": OPENAI,
    "openai.azure.com": _AZURE,
    "services.ai.azure.com": _AZURE,
    # https://openrouter.ai/docs/features/prompt-caching, .../api-reference/parameters
    "openrouter.ai": KnownHost({"cache_control": True, "top_k": True}),
    # https://api-docs.deepseek.com/guides/thinking_mode: a tool's result is refused without the reasoning before it
    "api.deepseek.com": KnownHost(
        {"max_tokens_field": "max_tokens", "reasoning_field": "reasoning_content"}, price_family="deepseek"
    ),
    # "thinking is enabled but reasoning_content is missing in assistant tool call message"
    "api.moonshot.ai": KnownHost(
        {"max_tokens_field": "max_tokens", "reasoning_field": "reasoning_content"}, price_family="moonshot"
    ),
    # Refuses what it does not know (stream_options.include_usage, max_completion_tokens), and sends usage unasked.
    # "Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9."; "Unexpected role 'user' after role 'tool'"
    "api.mistral.ai": KnownHost(
        {
            "max_tokens_field": "max_tokens",
            "stream_usage": False,
            "tool_id_length": 9,
            "assistant_after_tools": True,
        },
        price_family="mistral",
    ),
    # https://console.groq.com/docs/api-reference, https://docs.x.ai/docs/api-reference: at most 128 tools
    "api.groq.com": KnownHost({"max_tools": 128}, price_family="groq"),
    "api.x.ai": KnownHost({"max_tools": 128}, price_family="xai"),
    "api.fireworks.ai": KnownHost({"max_tokens_field": "max_tokens", "top_k": True}, price_family="fireworks_ai"),
    "api.together.xyz": KnownHost({"max_tokens_field": "max_tokens", "top_k": True}, price_family="together_ai"),
    "api.cerebras.ai": KnownHost(price_family="cerebras"),
}


def known(dialect: str, base_url: str) -> KnownHost:
    """What is known of the host at ``base_url``, spoken to in ``dialect``; nothing of any other."""
    host = (urlsplit(base_url).hostname or "") if dialect in _DIALECTS else ""
    while host:
        if host in _HOSTS:
            return _HOSTS[host]
        host = host.partition(".")[2]
    return _NOTHING
