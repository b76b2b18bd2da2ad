"""Claude Code itself, through the gateway: a task of several turns with tools, for every dialect."""

from __future__ import annotations

import pytest

from tests.support.gateway import Gateway
from tests.support.provider import ScriptedProvider, ToolTask

from .conftest import Claude

pytestmark = [pytest.mark.claude, pytest.mark.timeout(180)]

MODELS = {
    "anthropic": "anthropic/claude-sonnet-5",
    "openai_chat": "openai/gpt-4o",
    "openai_responses": "openai/gpt-5.1",
    "gemini": "gemini/gemini-2.5-pro",
    "mapped": "claude-opus-4-8",
}


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_a_task_with_tools(model: str, claude: Claude, task_gateway: Gateway, task_provider: ScriptedProvider) -> None:
    task_provider.clear()
    run = claude("Write the file, then read it back.", model=model)
    assert run.status == 0, run.output
    assert "Done. The file is at" in run.output
    assert (run.folder / ToolTask().file).read_text() == ToolTask().content
    assert task_provider.refusals == []
    rows = task_gateway.rows("SELECT * FROM accounting_ledgerentry WHERE asked_model = ? ORDER BY started_at", model)
    assert len(rows) == 4, "Bash, Write, Read, and the closing words"
    assert {row["outcome"] for row in rows} == {"complete"}
    assert len({row["session_id"] for row in rows}) == 1
    assert all(row["session_id"] and row["exact"] and row["output_tokens"] >= 40 for row in rows)
