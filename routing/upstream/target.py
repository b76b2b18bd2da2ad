"""Where a request goes: everything a dialect needs to know of a provider and a model, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlencode

Reasoning = Literal["none", "effort", "budget", "level", "adaptive"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can do: data from LiteLLM's model list, editable in the admin, never an ``if`` on a name.

    Sizes are in tokens; None is "not known", and then nothing is clamped or refused on its account.
    ``reasoning`` says in which terms the model takes thinking: ``effort`` (OpenAI's word scale), ``budget`` (a number
    of tokens: Gemini 2.5, older Claude), ``level`` (Gemini 3), ``adaptive`` (newer Claude), or not at all.
    ``thinking_budget`` is the least and the most of a ``budget`` model; a least of 0 means thinking can be turned off.
    """

    context_window: int | None = None
    max_output: int | None = None
    reasoning: Reasoning = "none"
    efforts: tuple[str, ...] = ("low", "medium", "high")
    thinking_budget: tuple[int, int] | None = None
    sampling: bool = True  # temperature, top_p, top_k and stop are taken
    vision: bool = True
    pdf: bool = True
    tools: bool = True
    parallel_tools: bool = True
    structured_output: bool = True
    web_search: bool = False
    cache_control: bool = False  # behind LiteLLM: takes Anthropic's cache breakpoints (Claude and Nova at clouds)


@dataclass(frozen=True, slots=True)
class Quirks:
    """How a host departs from its dialect; declared on the provider's row.

    ``max_tokens_field``: the name under which a chat-completions host takes the output limit; "" picks
    ``max_completion_tokens`` for models that reason and ``max_tokens`` for others. ``auth_header``: "" is the
    dialect's own. ``query`` is added to every URL (Azure's ``api-version``). ``system_anywhere``: takes system messages
    after the first; elsewhere they are said in the user's turn, as Claude Code itself does for older models.
    ``reasoning_field``: where a chat-completions host demands the reasoning behind each call back (DeepSeek:
    "reasoning_content"). ``end_user_field``: where the person's pseudonym goes ("safety_identifier", "user"); ""
    keeps it back. ``stop_sequences``: the host stops at them and names the one (vLLM, SGLang), so they are sent;
    elsewhere the text is cut here. ``tool_id_length``: calls' ids must be so many letters and digits (Mistral: 9), and
    ``assistant_after_tools``: a user's message must not follow results directly (Mistral). ``max_tools``: the most
    tools a request may have, None where that is not known. ``litellm_params``: what LiteLLM wants to know beside the
    credential (``aws_region_name``, ``vertex_project``, ...); never a secret, which belongs into the key.
    """

    max_tokens_field: str = ""
    auth_header: str = ""
    stream_usage: bool = True  # takes stream_options.include_usage
    prompt_cache_key: bool = False
    cache_control: bool = False  # chat completions: takes Anthropic's breakpoints on parts of messages (OpenRouter)
    strict_tools: bool = False
    developer_role: bool = False
    system_anywhere: bool = False
    web_search_options: bool = False  # chat completions: takes web_search_options with models that search
    top_k: bool = False  # chat completions: takes top_k
    stop_sequences: bool = False
    tool_id_length: int = 0
    assistant_after_tools: bool = False
    service_tier: bool = False
    max_tools: int | None = None
    reasoning_field: str = ""
    end_user_field: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    litellm_params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """One model at one provider, and the way there.

    ``base_url`` has no trailing slash. For ``openai_chat`` and ``openai_responses`` it includes the version
    (``https://api.openai.com/v1``); for ``gemini`` and ``anthropic`` it is the host root. ``litellm_provider`` is the
    prefix LiteLLM knows the provider by (``bedrock``), used by the ``litellm`` dialect alone.
    """

    provider: str
    dialect: str
    model: str
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    litellm_provider: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    capabilities: Capabilities = Capabilities()
    quirks: Quirks = Quirks()

    def url(self, path: str, **query: str) -> str:
        """``path`` (with its leading slash) at this provider, with ``query`` and the host's own query parameters."""
        parameters = query | dict(self.quirks.query)
        return f"{self.base_url}{path}?{urlencode(parameters)}" if parameters else self.base_url + path
