"""Anthropic's rules: the parameters. Messages are judged in :mod:`.anthropic_messages`.

Source: docs.anthropic.com/en/api/messages, the parameter models of anthropic-sdk-python (released and beta), and live
wordings quoted in public issues of anthropics/claude-code, BerriAI/litellm and langchain-ai/langchain.
"""

from __future__ import annotations

import re
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from ..dialect import Asked, Json
from ..seal import Seal
from .anthropic_messages import MessageRules
from .anthropic_refusal import bad, expect, extra, field_required, unthreaded

_PARAMETERS = frozenset(
    {
        "model",
        "messages",
        "max_tokens",
        "system",
        "stream",
        "metadata",
        "stop_sequences",
        "temperature",
        "top_p",
        "top_k",
        "thinking",
        "tools",
        "tool_choice",
        "service_tier",
        "output_config",
        "cache_control",
        "inference_geo",
        "container",
        "diagnostics",
    }
)
_BETA_PARAMETERS = {
    "context_management": ("context-management-", "compact-"),
    "mcp_servers": ("mcp-client-",),
    "output_format": ("structured-outputs-",),
    "speed": ("fast-mode-",),
    "fallbacks": ("server-side-fallback-", "fallbacks-"),
    "thread": ("message-threads-",),
}
"""Parameters that exist only with a beta, by prefix of its name."""
_TOOL_KEYS = frozenset(
    {
        "name",
        "description",
        "input_schema",
        "type",
        "cache_control",
        "strict",
        "input_examples",
        "defer_loading",
        "eager_input_streaming",
        "allowed_callers",
    }
)
_SERVER_TOOLS = (
    "web_search_",
    "web_fetch_",
    "code_execution_",
    "bash_",
    "text_editor_",
    "computer_",
    "memory_",
    "tool_search_tool_",
    "mcp_toolset",
)
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_OUTPUT_LIMITS = (
    ("claude-3-5-haiku", 8_192),
    ("claude-3-haiku", 4_096),
    ("claude-opus-4-1", 32_000),
    ("claude-opus-4-20", 32_000),
    ("claude-opus-4-6", 128_000),
    ("claude-opus-4-7", 128_000),
    ("claude-opus-4-8", 128_000),
    ("claude-sonnet-4-6", 128_000),
    ("claude-sonnet-5", 128_000),
    ("claude-fable", 128_000),
    ("claude-", 64_000),
)
_MODERN = re.compile(r"claude-(opus-4-[6-9]|sonnet-4-[6-9]|sonnet-[5-9]|opus-[5-9]|haiku-[5-9]|fable|mythos)")
"""Models without prefill, with adaptive thinking."""
_LEAST_BUDGET = 1_024
_MOST_CACHED = 4


def check(asked: Asked, seal: Seal) -> None:
    """Raise :class:`~..dialect.Refused` where Anthropic would refuse."""
    body = asked.body
    betas = tuple(part.strip() for part in asked.headers.get("anthropic-beta", "").split(","))
    counting = asked.path.endswith("/count_tokens")
    for key in body:
        if key not in _PARAMETERS and not _with_beta(key, betas):
            raise extra(key)
    if body.get("thread") is not None:
        raise unthreaded()
    for key in ("model", "messages") if counting else ("model", "max_tokens", "messages"):
        if key not in body:
            raise field_required(key)
    if counting and "max_tokens" in body:
        raise extra("max_tokens")
    if not counting:
        _check_limits(body, asked.model)
    _check_sampling(body, asked.model)
    _check_thinking(body, asked.model)
    _check_tools(body)
    _check_choice(body)
    _check_settings(body)
    thinks = (body.get("thinking") or {}).get("type") == "enabled"
    rules = MessageRules(seal, betas, thinks=thinks, prefills=_MODERN.match(asked.model) is None and not thinks)
    rules.check_system(body.get("system"))
    rules.check(body["messages"])
    _check_cached(body)


def _with_beta(key: str, betas: tuple[str, ...]) -> bool:
    return key in _BETA_PARAMETERS and any(beta.startswith(_BETA_PARAMETERS[key]) for beta in betas)


def _check_limits(body: Json, model: str) -> None:
    asked = body["max_tokens"]
    expect(type(asked) is int, "max_tokens: Input should be a valid integer")
    expect(asked >= 1, "max_tokens: Input should be greater than or equal to 1")
    limit = next((most for prefix, most in _OUTPUT_LIMITS if model.startswith(prefix)), None)
    if limit is not None and asked > limit:
        raise bad(f"max_tokens: {asked} > {limit}, which is the maximum allowed number of output tokens for {model}")


def _check_sampling(body: Json, model: str) -> None:
    for name in ("temperature", "top_p"):
        value = body.get(name)
        if value is None:
            continue
        expect(isinstance(value, int | float), f"{name}: Input should be a valid number")
        expect(value >= 0, f"{name}: Input should be greater than or equal to 0")
        expect(value <= 1, f"{name}: Input should be less than or equal to 1")
    both = body.get("temperature") is not None and body.get("top_p") is not None
    if both and not model.startswith(("claude-3", "claude-opus-4-20", "claude-sonnet-4-20")):
        raise bad("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
    if body.get("top_k") is not None:
        expect(type(body["top_k"]) is int, "top_k: Input should be a valid integer")
    for number, sequence in enumerate(_list(body, "stop_sequences")):
        expect(isinstance(sequence, str), f"stop_sequences.{number}: Input should be a valid string")
        expect(bool(sequence.strip()), "stop_sequences: each stop sequence must contain non-whitespace")


def _list(body: Json, key: str) -> list[Any]:
    value = body.get(key) or []
    expect(isinstance(value, list), f"{key}: Input should be a valid list")
    return list(value)


def _check_thinking(body: Json, model: str) -> None:
    thinking = body.get("thinking")
    if thinking is None:
        return
    kind = thinking.get("type")
    if kind not in ("enabled", "disabled", "adaptive"):
        raise bad(
            f"thinking: Input tag '{kind}' found using 'type' does not match any of the expected tags: 'adaptive', "
            "'disabled', 'enabled'"
        )
    allowed = {"enabled": {"type", "budget_tokens", "display"}, "adaptive": {"type", "display"}, "disabled": {"type"}}
    for key in thinking:
        if key not in allowed[kind]:
            raise extra(f"thinking.{kind}.{key}")
    if kind == "disabled":
        return
    if kind == "adaptive":
        expect(_MODERN.match(model) is not None, "adaptive thinking is not supported on this model")
    else:
        _check_budget(body, thinking)
    forced = (body.get("tool_choice") or {}).get("type") in ("any", "tool")
    expect(not forced, "Thinking may not be enabled when tool_choice forces tool use.")
    if body.get("temperature") not in (None, 1):
        raise bad(
            "`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at "
            "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
        )
    if body.get("top_k") is not None:
        raise bad("`top_k` must be unset when thinking is enabled.")


def _check_budget(body: Json, thinking: Json) -> None:
    where = "thinking.enabled.budget_tokens"
    if "budget_tokens" not in thinking:
        raise field_required(where)
    budget = thinking["budget_tokens"]
    expect(type(budget) is int, f"{where}: Input should be a valid integer")
    expect(budget >= _LEAST_BUDGET, f"{where}: Input should be greater than or equal to {_LEAST_BUDGET}")
    if "max_tokens" in body and body["max_tokens"] <= budget:
        raise bad(
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at "
            "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size"
        )


def _check_tools(body: Json) -> None:
    names: set[str] = set()
    for number, tool in enumerate(_list(body, "tools")):
        where = f"tools.{number}"
        expect(isinstance(tool, dict), f"{where}: Input should be a valid dictionary")
        kind = tool.get("type")
        if kind not in (None, "custom"):
            known = isinstance(kind, str) and kind.startswith(_SERVER_TOOLS)
            expect(known, f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags")
        else:
            _check_custom(tool, f"{where}.custom")
        name = tool.get("name", kind)
        expect(name not in names, "tools: Tool names must be unique.")
        names.add(name)


def _check_custom(tool: Json, where: str) -> None:
    for key in ("name", "input_schema"):
        if key not in tool:
            raise field_required(f"{where}.{key}")
    for key in tool:
        if key not in _TOOL_KEYS:
            raise extra(f"{where}.{key}")
    good = isinstance(tool["name"], str) and _NAME.fullmatch(tool["name"]) is not None
    expect(good, f"{where}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
    schema = tool["input_schema"]
    expect(isinstance(schema, dict), f"{where}.input_schema: Input should be a valid dictionary")
    if "type" not in schema:
        raise field_required(f"{where}.input_schema.type")
    expect(schema["type"] == "object", f"{where}.input_schema.type: Input should be 'object'")
    if any(key in schema for key in ("oneOf", "allOf", "anyOf")):
        raise bad(f"{where}.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level")
    if next(Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema), None) is not None:
        raise bad(
            f"{where}.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12 "
            "(https://json-schema.org/draft/2020-12). Learn more about tool use at "
            "https://docs.claude.com/en/docs/tool-use."
        )


def _check_choice(body: Json) -> None:
    choice = body.get("tool_choice")
    if choice is None:
        return
    kind = choice.get("type")
    if kind not in ("auto", "any", "tool", "none"):
        raise bad(
            f"tool_choice: Input tag '{kind}' found using 'type' does not match any of the expected tags: 'any', "
            "'auto', 'none', 'tool'"
        )
    expect(bool(body.get("tools")), "tool_choice may only be specified while providing tools.")
    if kind == "tool":
        names = [tool.get("name") for tool in body["tools"]]
        expect(choice.get("name") in names, f"Tool '{choice.get('name')}' not found in provided tools")


def _check_settings(body: Json) -> None:
    metadata = body.get("metadata")
    if metadata is not None:
        for key in metadata:
            if key != "user_id":
                raise extra(f"metadata.{key}")
        if len(metadata.get("user_id") or "") > 256:
            raise bad("metadata.user_id: String should have at most 256 characters")
    config = body.get("output_config") or {}
    for key in config:
        if key not in ("effort", "format", "task_budget"):
            raise extra(f"output_config.{key}")
    efforts = ("low", "medium", "high", "xhigh", "max")
    if config.get("effort") is not None and config["effort"] not in efforts:
        raise bad("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
    tier = body.get("service_tier")
    expect(tier in (None, "auto", "standard_only"), "service_tier: Input should be 'auto' or 'standard_only'")


def _check_cached(body: Json) -> None:
    found = _cached(body.get("system")) + _cached(body.get("tools")) + _cached(body["messages"])
    if found > _MOST_CACHED:
        raise bad(f"A maximum of {_MOST_CACHED} blocks with cache_control may be provided. Found {found}.")


def _cached(value: Any) -> int:
    """Blocks with ``cache_control`` anywhere below, tool inputs and schemas left out."""
    if isinstance(value, list):
        return sum(_cached(member) for member in value)
    if not isinstance(value, dict):
        return 0
    return (value.get("cache_control") is not None) + _cached(value.get("content"))
