"""A model of each dialect, by the name that the client is started with."""

from __future__ import annotations

from typing import Final

import pytest

MODELS: Final = {
    "anthropic": "anthropic/claude-sonnet-5",
    "openai_chat": "openai/gpt-4o",
    "openai_responses": "openai/gpt-5.1",
    "gemini": "gemini/gemini-2.5-pro",
    "litellm": "hosted_vllm/qwen3-32b",
}
DIALECTS: Final = pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
# A real client takes seconds, on a busy machine many: nothing here is about time.
REAL_CLIENT: Final = [pytest.mark.claude, pytest.mark.timeout(600)]
