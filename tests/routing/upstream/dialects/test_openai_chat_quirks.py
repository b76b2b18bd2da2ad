"""Requests to hosts that depart from chat completions, as their rows say."""

from __future__ import annotations

from .test_openai_chat_request import body, target


def test_a_host_that_wants_ids_of_one_length_and_an_answer_to_results() -> None:
    """Mistral: "Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9."; no user behind a tool."""
    calls = [{"type": "tool_use", "id": f"toolu_{n}_of_another", "name": "Bash", "input": {}} for n in (1, 2)]
    results = [{"type": "tool_result", "tool_use_id": call["id"], "content": "x"} for call in calls]
    history = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": calls},
        {"role": "user", "content": [*results, {"type": "text", "text": "and"}]},
    ]
    made = body(target(tool_id_length=9, assistant_after_tools=True), messages=history)["messages"]
    assert [message["role"] for message in made] == ["user", "assistant", "tool", "tool", "assistant", "user"]
    ids = [call["id"] for call in made[1]["tool_calls"]]
    assert ids == [message["tool_call_id"] for message in made[2:4]]
    assert [(len(each), each.isalnum()) for each in ids] == [(9, True)] * 2
    assert ids[0] != ids[1]
    plain = body(messages=history)["messages"]
    assert [message["role"] for message in plain] == ["user", "assistant", "tool", "tool", "user"]


def test_stop_sequences_are_told_only_to_a_host_that_says_where_it_stopped() -> None:
    sequences = ["a", "", "b", "c", "d", "e"]
    assert "stop" not in body(stop_sequences=sequences)
    telling = target(stop_sequences=True)
    assert body(telling, stop_sequences=sequences)["stop"] == ["a", "b", "c", "d"]
    assert body(telling, stop_sequences=["one"])["stop"] == ["one"]
    assert "stop" not in body(telling, stop_sequences=[""])
    reasoning = target(stop_sequences=True, capabilities={"sampling": False})
    assert "stop" not in body(reasoning, stop_sequences=["one"])
