"""What a model can do, and which models there are: LiteLLM's bundled lists, read as data (``accounting.pricelist``)."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson

from accounting import pricelist

from .upstream.target import Capabilities, Reasoning

_DATE = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2})$")
_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_USUAL_EFFORTS: Final = frozenset({"low", "medium", "high"})

# In which terms a model that reasons takes thinking, by the dialect it is spoken to in; the first pattern wins.
_REASONING: Final[tuple[tuple[str, str, Reasoning], ...]] = (
    ("openai_chat", "*", "effort"),
    ("openai_responses", "*", "effort"),
    ("litellm", "*claude*", "budget"),
    ("litellm", "*", "effort"),
    ("gemini", "gemini-2.*", "budget"),
    ("gemini", "gemini-robotics-er-1*", "budget"),
    ("gemini", "*", "level"),
    ("anthropic", "*", "budget"),
)
# Least and most thinking tokens of models that think in budgets; a least of 0 can be turned off.
# Source: https://ai.google.dev/gemini-api/docs/thinking#set-budget
_BUDGETS: Final[tuple[tuple[str, tuple[int, int]], ...]] = (
    ("gemini-2.5-pro*", (128, 32_768)),
    ("gemini-2.5-flash*", (0, 24_576)),
)
# Levels Gemini's models take beyond, or short of, the usual three: (pattern, levels).
_LEVELS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("gemini-3-pro*", ("low", "high")),
    ("gemini-*flash*", ("minimal", "low", "medium", "high")),
)
# Models that cache up to a breakpoint, where LiteLLM's list says that they cache: those it hands ``cache_control`` to.
_BREAKPOINTS: Final = {"litellm": ("*claude*", "*amazon.nova*")}
# Families whose models, when they reason, refuse temperature, top_p and stop.
_FIXED_SAMPLING: Final = frozenset({"openai", "azure"})
# Kinds of models that hold no conversation with tools, by a word in their names.
_ASIDE = re.compile(
    r"audio|realtime|search|transcribe|tts|image|live|embedding|moderation|computer-use|deep-research|robotics|learnlm"
    r"|lyria|gemma|omni|exp-|customtools|container|daybreak|rosalind|cyber|instruct|^gpt-3|^gpt-4(?:-|$)"
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the list says of one model."""

    name: str
    entry: Mapping[str, Any]

    @property
    def reasons(self) -> bool:
        return bool(self.entry.get("supports_reasoning"))

    @property
    def only_responses(self) -> bool:
        """Whether OpenAI serves it through the Responses API alone."""
        return self.entry.get("mode") == "responses"


@lru_cache(maxsize=1)
def prefixes() -> frozenset[str]:
    """The providers LiteLLM can hold a conversation with, by their prefixes: ``bedrock``, ``vertex_ai``, ..."""
    providers = _bundled("provider_endpoints_support_backup.json")["providers"]
    return frozenset(name for name, about in providers.items() if about["endpoints"].get("chat_completions"))


def _bundled(name: str) -> Any:
    spec = importlib.util.find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("LiteLLM is not installed: its model list is missing.")
    return orjson.loads((Path(spec.submodule_search_locations[0]) / name).read_bytes())


def without_date(name: str) -> str:
    """``gpt-4o-2024-08-06`` and ``claude-haiku-4-5-20251001`` without their dates."""
    return _DATE.sub("", name)


@lru_cache(maxsize=4096)
def find(family: str, name: str) -> Known | None:
    """The entry of a family's model: its own, that of the undated name, or of the nearest shorter name.

    ``gpt-4o-audio-preview-2024-12-17`` is good for what ``gpt-4o`` is where the list has nothing nearer. That tells
    what a model can do, never what it costs: for money see ``accounting.pricelist.find``.
    """
    candidate = name if family else ""
    while candidate:
        if (listed := pricelist.find(family, candidate)) is not None:
            return Known(listed.name.removeprefix(f"{family}/"), listed.data)
        candidate = candidate.rpartition("-")[0]
    return None


@lru_cache(maxsize=4096)
def capabilities(family: str, name: str, dialect: str) -> Capabilities:
    """What a model can do, in the terms of the dialect it is spoken to in; plain assumptions where nothing is known."""
    known = find(family, name)
    if known is None:
        return Capabilities()
    entry = known.entry
    reasoning = _reasoning(known, name, dialect)
    fixed = reasoning == "effort" and entry.get("litellm_provider") in _FIXED_SAMPLING
    return Capabilities(
        context_window=_positive(entry.get("max_input_tokens")),
        max_output=_positive(entry.get("max_output_tokens")),
        reasoning=reasoning,
        efforts=_efforts(known, name, reasoning),
        thinking_budget=_thinking_budget(name) if reasoning == "budget" else None,
        sampling=bool(entry.get("supports_sampling_params", not fixed)),
        vision=bool(entry.get("supports_vision")),
        pdf=bool(entry.get("supports_pdf_input")),
        tools=bool(entry.get("supports_function_calling", True)),
        parallel_tools=bool(entry.get("supports_parallel_function_calling", True)),
        structured_output=bool(entry.get("supports_response_schema")),
        web_search=bool(entry.get("supports_web_search")),
        cache_control=bool(entry.get("supports_prompt_caching"))
        and any(fnmatchcase(name, pattern) for pattern in _BREAKPOINTS.get(dialect, ())),
    )


def overridden(base: Capabilities, overrides: Mapping[str, Any]) -> Capabilities:
    """``base`` with an admin's own fields (validated JSON) in place of the list's."""
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in overrides.items()
    }
    return replace(base, **fields)


def current_models(family: str, today: date) -> Iterator[str]:
    """The undated names of a family's models that hold conversations and have not ended, in the list's order."""
    seen: set[str] = set()
    for key, entry in pricelist.entries().items():
        name = key.removeprefix(f"{family}/")
        if (
            name not in seen
            and entry.get("litellm_provider") == family
            and entry.get("mode") in ("chat", "responses")
            and "/" not in name
            and ":" not in name
            and name == without_date(name)
            and not _ASIDE.search(name)
            and (not (end := entry.get("deprecation_date")) or date.fromisoformat(end) > today)
        ):
            seen.add(name)
            yield name


def may_converse(name: str) -> bool:
    """False where a model's name tells that it holds no conversation with tools: an embedding, speech, an image."""
    return not _ASIDE.search(name)


def display_name(name: str) -> str:
    """``claude-opus-4-8`` as people write it: Claude Opus 4.8. Names of other makes are left as they are."""
    stem = without_date(name)
    if not stem.startswith("claude-"):
        return name
    words = [part.capitalize() for part in stem.split("-") if not part.isdigit()]
    version = ".".join(part for part in stem.split("-") if part.isdigit())
    return " ".join([*words, version]).strip()


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _reasoning(known: Known, name: str, dialect: str) -> Reasoning:
    if not known.reasons:
        return "none"
    if dialect in ("anthropic", "litellm") and known.entry.get("supports_adaptive_thinking"):
        return "adaptive"
    for spoken, pattern, style in _REASONING:
        if spoken == dialect and fnmatchcase(name, pattern):
            return style
    return "none"


def _thinking_budget(name: str) -> tuple[int, int] | None:
    return next((budget for pattern, budget in _BUDGETS if fnmatchcase(name, pattern)), None)


def _efforts(known: Known, name: str, reasoning: Reasoning) -> tuple[str, ...]:
    if reasoning == "level":
        for pattern, levels in _LEVELS:
            if fnmatchcase(name, pattern):
                usual = frozenset(levels)
                break
        else:
            usual = _USUAL_EFFORTS
    else:
        usual = _USUAL_EFFORTS
    return tuple(
        effort for effort in _EFFORTS if known.entry.get(f"supports_{effort}_reasoning_effort", effort in usual)
    )
