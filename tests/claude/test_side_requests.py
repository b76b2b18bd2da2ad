"""What Claude Code asks of a gateway beside its conversation: searches, token counts, the list of models."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.gateway import Gateway
from tests.support.provider import Conversation, Found, Reply, ScriptedProvider, Text, ToolCall, WebSearch

from .conftest import Client, Ledger
from .models import DIALECTS, MODELS, REAL_CLIENT

pytestmark = REAL_CLIENT

QUERY = "what opened today"
PAGE = "https://example.com/opened"
COUNTERS = {"anthropic": "/v1/messages/count_tokens", "gemini": "/v1beta/models/gemini-2.5-pro:countTokens"}


def searcher(conversation: Conversation) -> Reply:
    """Has the client search, answers its search's own request, and says what came of it."""
    if conversation.searches:
        return Reply([WebSearch(QUERY, (Found(PAGE, "Opened"),)), Text("A gate opened.", cites=(0,))])
    if conversation.results:
        return Reply([Text(f"Found: {conversation.results[-1]}")])
    if "WebSearch" in conversation.tools:
        return Reply([ToolCall("WebSearch", {"query": QUERY})])
    if "web_search" in conversation.tools:  # a model that cannot search is still told that it may ask for one
        return Reply([ToolCall("web_search", {"query": QUERY})])
    return Reply([Text("Nothing to do.")])


@pytest.mark.parametrize("dialect", ["anthropic", "openai_responses", "gemini"])
def test_web_search(dialect: str, claude: Client, provider: ScriptedProvider, ledger: Ledger) -> None:
    """The tool makes a request of its own, which the provider's search answers; the search is counted."""
    provider.desk.brain = searcher
    run = claude("Search for what opened today.", model=MODELS[dialect])
    assert run.status == 0, run.output
    assert PAGE in run.output
    assert "A gate opened." in run.output
    rows = ledger.rows()
    assert [row["web_searches"] for row in rows] == [0, 1, 0]
    assert all(row["outcome"] == "complete" and row["exact"] for row in rows)


@pytest.mark.parametrize("dialect", ["openai_chat", "litellm"])
def test_web_search_that_nobody_can_do(
    dialect: str, claude: Client, provider: ScriptedProvider, ledger: Ledger
) -> None:
    """The client is told that the search failed, not that it found nothing."""
    provider.desk.brain = searcher
    run = claude("Search for what opened today.", model=MODELS[dialect])
    assert run.status == 0, run.output
    assert "Web search error: unavailable" in run.output
    assert [row["web_searches"] for row in ledger.rows()] == [0, 0, 0]


@DIALECTS
def test_context(model: str, claude: Client, provider: ScriptedProvider, ledger: Ledger) -> None:
    """``/context`` counts tokens and pays for nothing; where the provider has a counter, that one is asked."""
    run = claude("/context", model=model)
    assert run.status == 0, run.output
    counted = re.search(r"\| System tools \| ([\d.]+)(k?) \|", run.output)
    assert counted is not None, run.output
    assert float(counted[1]) * (1000 if counted[2] else 1) > 1_000
    assert ledger.rows() == []
    assert {seen.purpose for seen in provider.requests} <= {"count"}
    dialect = next(name for name, of in MODELS.items() if of == model)
    assert {seen.path for seen in provider.requests} == ({COUNTERS[dialect]} if dialect in COUNTERS else set())


def delegator(conversation: Conversation) -> Reply:
    """Has the client start an agent of its own, which answers at once."""
    if conversation.results:
        return Reply([Text(f"It said: {conversation.results[-1]}")])
    if "Delegate" in conversation.last_user_text:
        asked = {"description": "a subtask", "prompt": "Do the subtask.", "subagent_type": "general-purpose"}
        return Reply([ToolCall("Agent", asked)])
    return Reply([Text("The subtask is done.")])


def test_an_agent_of_the_clients_own(claude: Client, provider: ScriptedProvider, ledger: Ledger) -> None:
    """Its requests are on the ledger under the same session and an id of their own."""
    provider.desk.brain = delegator
    run = claude("Delegate this.", model=MODELS["openai_responses"])
    assert run.status == 0, run.output
    assert "It said: The subtask is done." in run.output
    first, agent, last = ledger.rows()
    assert first["session_id"] == agent["session_id"] == last["session_id"] != ""
    assert (first["agent_id"], last["agent_id"]) == ("", "")
    assert agent["agent_id"]


def test_model_discovery(claude: Client, provider: ScriptedProvider, gateway: Gateway) -> None:
    """The picker's list, as the client keeps it: the gateway's own names and where they go."""
    discovery = {"CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": ""}
    run = claude("Say hi.", model="claude-sonnet-5", **discovery)
    assert run.status == 0, run.output
    kept = json.loads((claude.home / ".claude" / "cache" / "gateway-models.json").read_text())
    assert kept["baseUrl"] == gateway.base_url
    shown = {model["id"]: model["display_name"] for model in kept["models"]}
    assert "gpt-4o (openai)" in shown["claude-sonnet-5"]
    assert "anthropic/claude-sonnet-5" in shown
