"""What every non-Anthropic dialect may rely on: ``Conversation``'s guarantees, whatever a client sends."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.upstream.conversation import INTERRUPTED, Conversation, ToolResult, normalise, tool_result
from routing.upstream.errors import Refused, Unsupported
from routing.upstream.messages import MessagesRequest

JSON = dict[str, Any]


def conversation(messages: list[JSON], system: Any = None, **options: Any) -> Conversation:
    body: JSON = {"model": "m", "max_tokens": 10, "messages": messages}
    if system is not None:
        body["system"] = system
    return normalise(MessagesRequest(body, b"", "m", False, 10), **options)


def turns(messages: list[JSON], **options: Any) -> list[tuple[str, list[JSON]]]:
    return [(turn.role, list(turn.blocks)) for turn in conversation(messages, **options).turns]


def text(words: str) -> JSON:
    return {"type": "text", "text": words}


def call(id: str, name: str = "Bash") -> JSON:
    return {"type": "tool_use", "id": id, "name": name, "input": {}}


def result(id: str, content: Any = "done") -> JSON:
    return {"type": "tool_result", "tool_use_id": id, "content": content}


def user(*blocks: JSON) -> JSON:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: JSON) -> JSON:
    return {"role": "assistant", "content": list(blocks)}


def test_system_drops_the_attribution_line_and_blank_texts() -> None:
    system = [
        text("x-anthropic-billing-header: cc_version=2.1.197.123;"),
        {"type": "text", "text": "You are terse.", "cache_control": {"type": "ephemeral"}},
        text(" \n"),
        text("Second."),
    ]
    assert conversation([user(text("hi"))], system).system == ("You are terse.", "Second.")
    assert conversation([user(text("hi"))], "One.").system == ("One.",)


def test_strings_become_blocks_blanks_go_and_roles_merge() -> None:
    said = turns(
        [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [text(""), text("  ")]},
            user({"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}, "x_extra": 1}),
            assistant(text("c")),
        ]
    )
    assert said == [("user", [text("a"), text("b")]), ("assistant", [text("c")])]


def test_a_system_message_stays_where_it_was_said() -> None:
    said = turns([user(text("a")), {"role": "system", "content": "S"}, assistant(text("b")), user(text("c"))])
    assert [role for role, _ in said] == ["user", "system", "assistant", "user"]


def test_a_system_message_never_parts_calls_from_their_results() -> None:
    said = turns(
        [
            user(text("a")),
            assistant(call("1"), call("2")),
            user(text("beside"), result("2")),
            {"role": "system", "content": "S"},
            user(result("1"), text("after")),
        ]
    )
    assert said[2:] == [
        ("user", [result("1"), result("2"), text("beside")]),
        ("system", [text("S")]),
        ("user", [text("after")]),
    ]


def test_a_call_without_result_is_answered_as_interrupted() -> None:
    said = turns([user(text("a")), assistant(call("1"), call("2")), user(result("2"), text("stop"))])
    assert said[2][1] == [
        {"type": "tool_result", "tool_use_id": "1", "content": INTERRUPTED, "is_error": True},
        result("2"),
        text("stop"),
    ]
    last = turns([user(text("a")), assistant(call("1"))])
    assert last[2][0] == "user"
    assert last[2][1][0]["tool_use_id"] == "1"


def test_a_result_without_call_becomes_text_and_keeps_its_pictures() -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "https://x.test/i.png"}}
    said = turns([user(result("gone", [text("found"), picture]), text("a"))])
    assert [block["type"] for block in said[0][1]] == ["text", "image", "text"]
    assert said[0][1][0]["text"].endswith("\nfound")


def test_ids_used_twice_are_told_apart_with_their_results() -> None:
    said = turns(
        [
            user(text("a")),
            assistant(call("1", "A"), call("1", "B")),
            user(result("1", "ra"), result("1", "rb"), result("1", "rc")),
            assistant(call("1", "C")),
            user(result("1", "rd")),
        ]
    )
    assert [block["id"] for block in said[1][1]] == ["1", "1_2"]
    assert [(block["tool_use_id"], block["content"]) for block in said[2][1][:2]] == [("1", "ra"), ("1_2", "rb")]
    assert said[2][1][2]["type"] == "text"
    assert (said[3][1][0]["id"], said[4][1][0]["tool_use_id"]) == ("1_3", "1_3")


def test_results_follow_the_order_of_the_calls_even_under_one_id() -> None:
    said = turns([assistant(call("2"), call("1"), call("2")), user(result("1"), result("2", "a"), result("2", "b"))])
    assert [(block["tool_use_id"], block["content"]) for block in said[1][1]] == [
        ("2", "a"),
        ("1", "done"),
        ("2_2", "b"),
    ]


def test_thinking_is_kept_only_where_the_dialect_wants_it() -> None:
    messages = [
        user(text("a")),
        assistant({"type": "thinking", "thinking": "hm", "signature": "mine"}),
        assistant({"type": "thinking", "thinking": "hm", "signature": "theirs"}),
        user(text("b")),
    ]
    assert turns(messages) == [("user", [text("a"), text("b")])]
    kept = turns(messages, keep_thinking=lambda block: block.get("signature") == "mine")
    assert [block["signature"] for block in kept[1][1]] == ["mine"]


def test_prefill_and_an_assistant_that_speaks_first_are_flagged() -> None:
    found = conversation([assistant(text("a")), user(text("b")), assistant(text("{"))])
    assert found.prefilled
    assert found.opens_with_assistant
    assert not conversation([user(text("b"))]).prefilled


def test_documents_and_search_results_that_are_text_become_text() -> None:
    document = {
        "type": "document",
        "title": "Plan",
        "context": "draft",
        "source": {"type": "text", "media_type": "text/plain", "data": "one"},
        "citations": {"enabled": True},
    }
    found = {"type": "search_result", "title": "T", "source": "https://x.test", "content": [text("two")]}
    encoded = {"type": "document", "source": {"type": "base64", "media_type": "text/plain", "data": "dHdv"}}
    (turn,) = turns([user(document, found, encoded)])
    assert [block["text"] for block in turn[1]] == [
        '[Document "Plan", draft]\none',
        '[Search result "T", https://x.test]\ntwo',
        "[Document]\ntwo",
    ]


def test_server_tools_in_history_become_text() -> None:
    said = turns(
        [
            user(text("a")),
            assistant(
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
                {
                    "type": "web_search_tool_result",
                    "tool_use_id": "srvtoolu_1",
                    "content": [
                        {"type": "web_search_result", "title": "T", "url": "https://x.test", "encrypted_content": "E"}
                    ],
                },
                {"type": "web_search_tool_result", "content": {"type": "e", "error_code": "unavailable"}},
            ),
            user(text("b")),
        ]
    )
    words = "\n".join(block["text"] for block in said[1][1])
    assert 'web_search was called with {"query":"q"}' in words
    assert "T\nhttps://x.test" in words
    assert "unavailable" in words
    assert "E" not in words.split()


def test_unknown_blocks_give_their_words_and_never_a_400() -> None:
    said = turns([user({"type": "brand_new", "text": "words"}, {"type": "newer", "flag": True}, text("a"))])
    assert said == [("user", [text("words"), text("a")])]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "container_upload", "file_id": "file_1"},
        {"type": "video", "source": {"type": "base64", "data": ""}},
    ],
)
def test_media_that_cannot_be_sent_on_are_refused_by_name(block: JSON) -> None:
    with pytest.raises(Unsupported, match=block["type"]):
        conversation([user(block)])
    with pytest.raises(Unsupported, match=block["type"]):
        tool_result(result("1", [block]))


def test_an_image_in_an_assistant_turn_is_refused() -> None:
    with pytest.raises(Unsupported, match="image"):
        turns([assistant({"type": "image", "source": {"type": "url", "url": "https://x.test"}})])


def test_nothing_to_answer_is_refused() -> None:
    with pytest.raises(Refused):
        turns([user(text(" "))])


def test_tool_results_flatten() -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "u"}, "cache_control": {"type": "ephemeral"}}
    found = tool_result({"type": "tool_result", "is_error": True, "content": [text("l1"), picture, text("l2")]})
    assert found == ToolResult("l1\nl2", ({"type": "image", "source": {"type": "url", "url": "u"}},), True)
    assert found.said == "The tool call failed:\nl1\nl2"
    assert tool_result({"type": "tool_result"}).said == "(no output)"
    assert tool_result({"type": "tool_result", "content": [text("  kept ")]}).said == "  kept "


_ids = st.sampled_from(["1", "2", "3", ""])
_blocks = st.one_of(
    st.builds(text, st.sampled_from(["", " ", "words"])),
    st.builds(call, _ids),
    st.builds(result, _ids),
    st.just({"type": "thinking", "thinking": "t", "signature": "s"}),
    st.just({"type": "server_tool_use", "name": "web_search", "input": {}}),
    st.dictionaries(st.sampled_from(["type", "text", "content"]), st.one_of(st.none(), st.text(max_size=3))),
)
_messages = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "assistant", "system"]),
            "content": st.one_of(st.text(max_size=3), st.lists(_blocks, max_size=5)),
        }
    ),
    max_size=8,
)


@given(_messages, st.booleans())
def test_the_guarantees_hold_for_any_messages(messages: list[JSON], keep: bool) -> None:
    try:
        found = conversation(messages, keep_thinking=lambda block: keep)
    except Refused:
        return
    roles = [turn.role for turn in found.turns]
    assert all(first != second for first, second in pairwise(roles))
    seen: list[str] = []
    due: list[str] = []
    for turn in found.turns:
        assert turn.blocks
        results = [block["tool_use_id"] for block in turn.blocks if block["type"] == "tool_result"]
        assert results == due
        assert [block["type"] for block in turn.blocks[: len(due)]] == ["tool_result"] * len(due)
        due = [block["id"] for block in turn.blocks if block["type"] == "tool_use"]
        seen += due
        for block in turn.blocks:
            assert block["type"] != "text" or block["text"].strip()
    assert not due
    assert len(seen) == len(set(seen))
