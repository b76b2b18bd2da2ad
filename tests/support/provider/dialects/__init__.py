"""The four wire dialects the provider speaks."""

from __future__ import annotations

from ..dialect import Dialect
from .anthropic import Anthropic
from .gemini import Gemini
from .openai_chat import OpenAIChat
from .openai_responses import OpenAIResponses

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect for dialect in (Anthropic(), Gemini(), OpenAIChat(), OpenAIResponses())
}
