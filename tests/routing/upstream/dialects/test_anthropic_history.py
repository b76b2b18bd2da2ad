from __future__ import annotations

from typing import Any

import orjson
import pytest

from routing.upstream.carried import UNSIGNED, seal, seal_id
from routing.upstream.dialects.anthropic import Anthropic
from routing.upstream.websearch import citation, result
from tests.routing.upstream.factories import a_request, a_target

DIALECT = Anthropic()
TARGET = a_target("anthropic", "claude-opus-4-8")
FOREIGN = seal("openai_responses:openai", b"encrypted")
OWN = {"type": "thinking", "thinking": "mine", "signature": "EqQBCkgIAhAB=="}
CALL = {"type": "tool_use", "id": "toolu_01A", "name": "Bash", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_01A", "content": "ok"}


def _user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks) or "go on"}


def _assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def _sent(*messages: Any, **fields: Any) -> dict[str, Any]:
    body = DIALECT.call(TARGET, a_request(messages=list(messages), **fields)).body
    sent: dict[str, Any] = orjson.loads(body)
    return sent


def test_anthropics_own_state_goes_back_byte_for_byte() -> None:
    redacted = {"type": "redacted_thinking", "data": "EmwKAhgBEgy"}
    messages = [_user(), _assistant(OWN, redacted, CALL), _user(RESULT)]
    request = a_request(messages=messages)
    assert DIALECT.call(TARGET, request).body == request.raw


def test_a_conversation_that_only_speaks_of_seals_is_not_changed() -> None:
    messages = [_user({"type": "text", "text": "what is tg1-abc?"}), _assistant(OWN, CALL), _user(RESULT)]
    request = a_request(messages=messages)
    assert DIALECT.call(TARGET, request).body == request.raw


@pytest.mark.parametrize("signature", [FOREIGN, UNSIGNED, ""])
def test_foreign_thinking_is_dropped(signature: str) -> None:
    foreign = {"type": "thinking", "thinking": "theirs", "signature": signature}
    sealed = {"type": "redacted_thinking", "data": FOREIGN}
    text = {"type": "text", "text": "hello"}
    sent = _sent(_user(), _assistant(foreign, sealed, text), _user(), _assistant(OWN, CALL), _user(RESULT))
    assert sent["messages"] == [_user(), _assistant(text), _user(), _assistant(OWN, CALL), _user(RESULT)]


def test_a_turn_of_nothing_but_foreign_thinking_goes_altogether() -> None:
    foreign = {"type": "thinking", "thinking": "theirs", "signature": FOREIGN}
    assert _sent(_user(), _assistant(foreign), _user())["messages"] == [_user(), _user()]


def test_state_in_a_tools_id_is_cut_off_at_both_ends_of_the_call() -> None:
    carrying = seal_id("gemini:google", "toolu_0123456789", b"x" * 3000)
    sent = _sent(_user(), _assistant(CALL | {"id": carrying}), _user(RESULT | {"tool_use_id": carrying}))
    assert sent["messages"][1]["content"][0]["id"] == "toolu_0123456789"
    assert sent["messages"][2]["content"][0]["tool_use_id"] == "toolu_0123456789"


@pytest.mark.parametrize("sealed", [UNSIGNED, ""])
def test_what_another_provider_found_is_told_in_words(sealed: str) -> None:
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "tea"}}
    found = {
        "type": "web_search_tool_result",
        "tool_use_id": "srvtoolu_1",
        "content": [result("https://a.test", "A") | {"encrypted_content": sealed}],
    }
    own_citation = citation("https://b.test") | {"encrypted_index": "Eo8B"}
    text = {
        "type": "text",
        "text": "green",
        "citations": [citation("https://a.test") | {"encrypted_index": sealed}, own_citation],
    }
    sent = _sent(_user(), _assistant(search, found, text), _user())
    blocks = sent["messages"][1]["content"]
    assert [block["type"] for block in blocks] == ["text", "text", "text"]
    assert "tea" in blocks[0]["text"]
    assert "https://a.test" in blocks[1]["text"]
    assert blocks[2] == text | {"citations": [own_citation]}


def test_anthropics_own_search_stays() -> None:
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "tea"}}
    own = result("https://a.test") | {"encrypted_content": "EqgB"}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [own]}
    cited = {"type": "text", "text": "green", "citations": [citation("https://a.test")]}
    sent = _sent(_user(), _assistant(search, found, cited), _user())
    assert sent["messages"][1]["content"] == [search, found, {"type": "text", "text": "green"}]


class TestThinkingInTheMiddleOfACall:
    FOREIGN_CALL = (_user(), _assistant({"type": "thinking", "thinking": "t", "signature": FOREIGN}, CALL))
    ENABLED = {"type": "enabled", "budget_tokens": 2000}

    def test_rests_where_the_call_was_anothers(self) -> None:
        management = {"edits": [{"type": "clear_thinking_20251015"}, {"type": "clear_tool_uses_20250919"}]}
        sent = _sent(
            *self.FOREIGN_CALL, _user(RESULT), max_tokens=4000, thinking=self.ENABLED, context_management=management
        )
        assert sent["thinking"] == {"type": "disabled"}
        assert sent["context_management"] == {"edits": [{"type": "clear_tool_uses_20250919"}]}

    def test_goes_on_when_the_person_speaks(self) -> None:
        sent = _sent(*self.FOREIGN_CALL, _user(RESULT), _assistant(OWN, CALL), _user(RESULT), thinking=self.ENABLED)
        assert sent["thinking"] == self.ENABLED
        sent = _sent(*self.FOREIGN_CALL, _user(RESULT), _assistant(CALL), _user(), thinking=self.ENABLED)
        assert sent["thinking"] == self.ENABLED

    def test_adaptive_goes_on(self) -> None:
        sent = _sent(*self.FOREIGN_CALL, _user(RESULT), thinking={"type": "adaptive"})
        assert sent["thinking"] == {"type": "adaptive"}


def test_the_counter_sees_the_same_conversation() -> None:
    foreign = {"type": "thinking", "thinking": "theirs", "signature": FOREIGN}
    call = DIALECT.count_call(TARGET, a_request(messages=[_user(), _assistant(foreign), _user()]))
    assert orjson.loads(call.body)["messages"] == [_user(), _user()]


@pytest.mark.parametrize("messages", [None, {}, ["x"], [{"role": "user"}], [{"content": ["x", {"type": None}]}]])
def test_anything_else_is_anthropics_to_judge(messages: Any) -> None:
    request = a_request(messages=messages, note=FOREIGN)
    assert DIALECT.call(TARGET, request).body == request.raw
