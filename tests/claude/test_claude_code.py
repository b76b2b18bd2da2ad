"""Claude Code itself, through the gateway: a task of several turns with tools, for every dialect."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.provider import ScriptedProvider, ToolTask

from .conftest import Client, Ledger
from .models import MODELS, REAL_CLIENT

pytestmark = REAL_CLIENT

STEPS = 4  # two commands at once, Write, Read, and the closing words


@pytest.mark.parametrize("model", [*MODELS.values(), "claude-opus-4-8"], ids=[*MODELS, "mapped"])
def test_a_task_with_tools(model: str, claude: Client, provider: ScriptedProvider, ledger: Ledger) -> None:
    """Two calls in one turn, their results in one, and thinking before every step."""
    task = provider.desk.brain = ToolTask(parallel=True, thinking=True)
    run = claude("Write the file, then read it back.", model=model)
    assert run.status == 0, run.output
    assert "Done. The file is at" in run.output
    assert (claude.folder / task.file).read_text() == task.content
    rows = ledger.rows()
    assert len(rows) == STEPS
    assert {row["asked_model"] for row in rows} == {model}
    assert {row["outcome"] for row in rows} == {"complete"}
    assert len({row["session_id"] for row in rows}) == 1
    assert all(row["session_id"] and row["exact"] and row["output_tokens"] >= 40 for row in rows)


@pytest.mark.parametrize("dialect", ["anthropic", "openai_responses", "gemini"])
def test_thinking_comes_back_as_it_was_written(dialect: str, claude: Client, provider: ScriptedProvider) -> None:
    """The state behind every step is in the last request: the provider, which refuses a forged one, took it."""
    provider.desk.brain = ToolTask(thinking=True)
    run = claude("Write the file, then read it back.", model=MODELS[dialect], MAX_THINKING_TOKENS="4000")
    assert run.status == 0, run.output
    returned = list(_STATE[dialect](provider.inferences[-1].body))
    assert len(returned) == STEPS - 1, "Bash, Write and Read were each thought about"
    assert all(provider.seal.wrote(_SEALS[dialect], state) for state in returned)


def _of_anthropic(body: Any) -> list[str]:
    contents = [message["content"] for message in body["messages"] if message["role"] == "assistant"]
    return [block["signature"] for content in contents for block in content if block["type"] == "thinking"]


def _of_responses(body: Any) -> list[str]:
    return [item["encrypted_content"] for item in body["input"] if item["type"] == "reasoning"]


def _of_gemini(body: Any) -> list[str]:
    parts = [part for content in body["contents"] if content["role"] == "model" for part in content["parts"]]
    return [part["thoughtSignature"] for part in parts if "functionCall" in part]


_STATE = {"anthropic": _of_anthropic, "openai_responses": _of_responses, "gemini": _of_gemini}
_SEALS = {"anthropic": "anthropic-thinking", "openai_responses": "openai-reasoning", "gemini": "gemini-thought"}
