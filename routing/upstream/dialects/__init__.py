"""The wire dialects, by the name that a provider's row gives: one file each, and the shell that carries it."""

from __future__ import annotations

from .. import http
from ..dialect import Dialect, Shell
from . import demo, litellm
from .anthropic import Anthropic
from .demo import Demo
from .gemini import Gemini
from .litellm import LiteLLM
from .openai_chat import OpenAIChat
from .openai_responses import OpenAIResponses

DIALECTS: dict[str, Dialect] = {
    "anthropic": Anthropic(),
    "demo": Demo(),
    "gemini": Gemini(),
    "litellm": LiteLLM(),
    "openai_chat": OpenAIChat(),
    "openai_responses": OpenAIResponses(),
}
SHELLS: dict[str, Shell] = {
    "anthropic": http.shell,
    "demo": demo.shell,
    "gemini": http.shell,
    "litellm": litellm.shell,
    "openai_chat": http.shell,
    "openai_responses": http.shell,
}
