"""What the environment says of providers and mappings: the variables that people of claude-code-proxy already have.

It is read at the first start, and by ``manage.py load_mapping``; otherwise the database rules. Everything here is pure.
The rules' origin is 1rgs/claude-code-proxy.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings

from . import catalog
from .table import Goal

BIG: Final = "BIG"
SMALL: Final = "SMALL"
LITELLM: Final = "litellm"  # the provider that carries every prefix LiteLLM knows
PREFERENCES: Final = {"google": "gemini", "openai": "openai", "anthropic": "anthropic"}
# Names that lead to a tier, in the order they are tried: haiku is small; every other Claude, newer ones too, is big.
PATTERNS: Final = (("*haiku*", SMALL), ("*sonnet*", BIG), ("*opus*", BIG), ("claude*", BIG))
KNOWN_OPENAI: Final = (
    "o3-mini",
    "o1",
    "o1-mini",
    "o1-pro",
    "gpt-4.5-preview",
    "gpt-4o",
    "gpt-4o-audio-preview",
    "chatgpt-4o-latest",
    "gpt-4o-mini",
    "gpt-4o-mini-audio-preview",
    "gpt-4.1",
    "gpt-4.1-mini",
)
KNOWN_GEMINI: Final = ("gemini-2.5-pro-preview-03-25", "gemini-2.0-flash", "gemini-2.5-pro", "gemini-2.5-flash")


@dataclass(frozen=True, slots=True)
class Preset:
    """One of the three providers that the environment can set up.

    ``big`` and ``small`` are the models meant where BIG_MODEL and SMALL_MODEL are not set; "" is the name as asked.
    ``key`` and ``base`` are the names of the variables; ``host`` is the vendor's own base URL.
    """

    provider: str
    dialect: str
    key: str
    base: str
    host: str
    big: str
    small: str
    known: tuple[str, ...] = ()


PRESETS: Final = {
    preset.provider: preset
    for preset in (
        Preset(
            provider="openai",
            dialect="openai_chat",
            key="OPENAI_API_KEY",
            base="OPENAI_BASE_URL",
            host="https://api.openai.com/v1",
            big="gpt-4o",
            small="gpt-4o-mini",
            known=KNOWN_OPENAI,
        ),
        Preset(
            provider="gemini",
            dialect="gemini",
            key="GEMINI_API_KEY",
            base="GEMINI_API_BASE",
            host="https://generativelanguage.googleapis.com",
            big="gemini-2.5-pro-preview-03-25",
            small="gemini-2.0-flash",
            known=KNOWN_GEMINI,
        ),
        Preset(
            provider="anthropic",
            dialect="anthropic",
            key="ANTHROPIC_API_KEY",
            base="ANTHROPIC_API_BASE",
            host="https://api.anthropic.com",
            big="",
            small="",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables, stripped; "" where one is not set."""

    keys: Mapping[str, str] = field(default_factory=dict, repr=False)  # by provider
    bases: Mapping[str, str] = field(default_factory=dict)  # by provider
    preferred: str = ""
    big: str = ""
    small: str = ""

    @property
    def usable(self) -> list[str]:
        """The providers that can be asked: those with a key, and a compatible host of one's own that may need none."""
        return [name for name in PRESETS if self.keys.get(name) or (name == "openai" and self.bases.get(name))]

    def asked(self, tier: str) -> str:
        """What BIG_MODEL or SMALL_MODEL was set to."""
        return self.big if tier == BIG else self.small


def read(variables: Mapping[str, str] | None = None) -> Environment:
    """The environment as settings read it (``NAME_FILE`` and ``.env`` included)."""
    given = settings.PROVIDER_ENVIRONMENT if variables is None else variables
    value = {name: text.strip() for name, text in given.items()}
    return Environment(
        keys={name: value.get(preset.key, "") for name, preset in PRESETS.items()},
        bases={name: value.get(preset.base, "").rstrip("/") for name, preset in PRESETS.items()},
        preferred=value.get("PREFERRED_PROVIDER", "").lower(),
        big=value.get("BIG_MODEL", ""),
        small=value.get("SMALL_MODEL", ""),
    )


def preference(environment: Environment, usable: Collection[str]) -> str:
    """``google``, ``openai`` or ``anthropic``; unset, the first of them that is ``usable``."""
    if environment.preferred:
        return environment.preferred
    return next((name for name, provider in PREFERENCES.items() if provider in usable), "google")


def goals(environment: Environment, usable: Collection[str], known_gemini: Collection[str]) -> dict[str, Goal]:
    """Where BIG and SMALL go. Anthropic preferred: nowhere but Anthropic, under the name that was asked.

    google: a name on the known Gemini list is Gemini's; any other, and every name with openai, is OpenAI's. A name with
    a provider's prefix says for itself whose it is; other prefixes are LiteLLM's business, or, where OPENAI_BASE_URL
    names a compatible host (OpenRouter writes ``meta-llama/llama-4``), part of the name.
    """
    preferred = preference(environment, usable)
    if preferred == "anthropic":
        return {BIG: Goal("anthropic", ""), SMALL: Goal("anthropic", "")}
    preset = PRESETS[PREFERENCES[preferred]]
    gemini = known_gemini if preferred == "google" else ()
    return {
        BIG: _goal(environment, environment.big or preset.big, gemini),
        SMALL: _goal(environment, environment.small or preset.small, gemini),
    }


def _goal(environment: Environment, name: str, gemini: Collection[str]) -> Goal:
    prefix, slash, rest = name.partition("/")
    if slash and prefix in PRESETS:
        return Goal(prefix, rest)
    if slash and prefix in catalog.prefixes() and not environment.bases.get("openai"):
        return Goal(LITELLM, name)
    return Goal("gemini" if name in gemini else "openai", name)
