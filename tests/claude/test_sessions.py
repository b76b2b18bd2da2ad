"""Claude Code's sessions, through the gateway: interrupted, outgrown, and carried on with another provider."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import dataclass

import pytest

from tests.support.provider import Answer, Conversation, Fail, Reply, ScriptedProvider, Text, Thinking, ToolCall

from .conftest import Client, Ledger
from .models import DIALECTS, MODELS, REAL_CLIENT

pytestmark = REAL_CLIENT

OVERFLOW = "This one is too much."
LONG = "word " * 2_000
SUMMARY = "<analysis>Short.</analysis>\n<summary>The person asked something and was answered.</summary>"
PATIENCE = 60.0


def spoken(conversation: Conversation) -> Reply:
    return Reply([Text("Heard.")])


def long_story(conversation: Conversation) -> Reply:
    """Some 200 seconds of words: nobody waits for its end."""
    return Reply([Text("word " * 2_000)], delta=5, pace=0.1)


# --- interrupt and go on --------------------------------------------------------------------------------------------


@DIALECTS
def test_interrupted_in_the_middle(model: str, claude: Client, provider: ScriptedProvider, ledger: Ledger) -> None:
    """Ctrl-C while words stream: the provider hears of it, the row says so, and the session goes on."""
    provider.desk.brain = long_story
    interrupt(claude, "Tell me a long story.", model, "content_block_delta")
    provider.wait_for_disconnect(timeout=PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while [row["state"] for row in ledger.rows()] != ["settled"]:
        assert time.monotonic() < deadline, ledger.rows()
        time.sleep(0.1)
    (row,) = ledger.rows()
    assert row["outcome"] == "interrupted"
    assert not row["exact"]
    assert row["input_tokens"] > 0

    provider.desk.brain = spoken
    run = claude("And now something shorter.", "--continue", model=model)
    assert (run.status, run.output.strip()) == (0, "Heard.")
    assert ledger.rows()[-1]["outcome"] == "complete"
    assert "Tell me a long story." in provider.inferences[-1].raw.decode()


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses", "gemini"])
def test_interrupted_while_a_tool_runs(
    dialect: str, claude: Client, provider: ScriptedProvider, ledger: Ledger
) -> None:
    """Ctrl-C while a command runs: a call without its result is in the history, and no provider minds it."""
    command = {"command": "sleep 600", "description": "Wait"}
    provider.desk.brain = lambda conversation: Reply([ToolCall("Bash", command)])
    interrupt(claude, "Wait a while.", MODELS[dialect], '"message_stop"')
    provider.desk.brain = spoken
    run = claude("Never mind.", "--continue", model=MODELS[dialect])
    assert (run.status, run.output.strip()) == (0, "Heard.")
    assert "Wait a while." in provider.inferences[-1].raw.decode()
    assert [row["outcome"] for row in ledger.rows()] == ["complete", "complete"]


def interrupt(claude: Client, prompt: str, model: str, sign: str) -> None:
    """Starts the client and presses Ctrl-C as soon as its stream shows ``sign``."""
    stream = ("--output-format", "stream-json", "--include-partial-messages", "--verbose")
    begun = claude.begin(prompt, *stream, model=model)
    try:
        assert begun.stdout is not None
        told = any(sign in line for line in begun.stdout)
        assert told, begun.communicate()[1]
        begun.send_signal(signal.SIGINT)
        begun.communicate(timeout=PATIENCE)
    finally:
        begun.kill()


# --- outgrown -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Outgrown:
    """Refuses, once, what the person says last, in the provider's own words; then summarises when asked to."""

    refused: bool = False

    def __call__(self, conversation: Conversation) -> Answer:
        if "<summary>" in conversation.last_user_text:
            return Reply([Text(SUMMARY)])
        if OVERFLOW in conversation.last_user_text and not self.refused:
            self.refused = True
            return Fail("context")
        return spoken(conversation)


@DIALECTS
def test_compacts_by_itself_after_an_overflow(
    model: str, claude: Client, provider: ScriptedProvider, ledger: Ledger
) -> None:
    provider.desk.brain = spoken
    assert claude(f"The first question. {LONG}", model=model).status == 0
    assert claude("The second.", "--continue", model=model).status == 0  # a single exchange is not compacted
    provider.desk.brain = outgrown = Outgrown()
    run = claude(OVERFLOW, "--continue", model=model)
    assert outgrown.refused
    assert (run.status, run.output.strip()) == (0, "Heard.")
    last = provider.inferences[-1].raw.decode()
    assert "was answered" in last, "the summary stands in the history's place"
    assert OVERFLOW in last
    assert LONG not in last
    outcomes = [row["outcome"] for row in ledger.rows()]
    assert outcomes == ["complete", "complete", "upstream_error", "complete", "complete"], "refusal, summary, answer"


def test_the_compact_command(claude: Client, provider: ScriptedProvider) -> None:
    model = MODELS["openai_responses"]
    provider.desk.brain = spoken
    assert claude(f"One. {LONG}", model=model).status == 0
    assert claude("Two.", "--continue", model=model).status == 0
    provider.desk.brain = Outgrown()
    assert claude("/compact", "--continue", model=model).status == 0
    run = claude("Three.", "--continue", model=model)
    assert (run.status, run.output.strip()) == (0, "Heard.")
    assert "was answered" in (last := provider.inferences[-1].raw.decode())
    assert LONG not in last


# --- another provider at every turn ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OneCallATurn:
    """Thinks, calls a tool, thinks and speaks. ``turn`` is the number of the turn, from 1: one call each so far."""

    turn: int

    def __call__(self, conversation: Conversation) -> Reply:
        if len(conversation.results) < self.turn:
            command = {"command": f"echo of turn {self.turn}", "description": "Speak"}
            return Reply([Thinking(f"Call {self.turn}."), ToolCall("Bash", command)])
        return Reply([Thinking(f"Words {self.turn}."), Text(f"Turn {self.turn}: {conversation.results[-1]}")])


def test_a_conversation_changes_provider_at_every_turn(
    claude: Client, provider: ScriptedProvider, ledger: Ledger
) -> None:
    """There and back: no provider is shown another's state, and each gets its own back where the client kept it."""
    order = ["anthropic", "openai_responses", "gemini", "openai_chat", "litellm", "openai_responses", "anthropic"]
    session = ""
    for turn, dialect in enumerate(order, 1):
        provider.desk.brain = OneCallATurn(turn)
        options = ("--resume", session) if session else ()
        options = (*options, "--output-format", "json")
        run = claude(f"Turn {turn}, please.", *options, model=MODELS[dialect], MAX_THINKING_TOKENS="4000")
        assert run.status == 0, run.output
        said = json.loads(run.output)
        session = said["session_id"]
        assert said["result"] == f"Turn {turn}: of turn {turn}"
        assert provider.refusals == [], dialect
    last = provider.inferences[-1].raw.decode()
    assert all(f"of turn {turn}" in last for turn in range(1, len(order) + 1)), "nothing of the conversation is lost"
    assert "tg1-" not in last, "Anthropic sees nothing of the others' state"
    rows = ledger.rows()
    assert [row["outcome"] for row in rows] == ["complete"] * 2 * len(order)
    assert [row["asked_model"] for row in rows[::2]] == [MODELS[dialect] for dialect in order]
