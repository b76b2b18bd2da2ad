"""Anthropic's request as chat completions."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from routing.upstream.carried import seal, tag
from routing.upstream.conversation import CONTINUE_PREFILL
from routing.upstream.dialects.openai_chat import OpenAIChat
from routing.upstream.dialects.openai_chat_request import chat_body
from routing.upstream.errors import Unsupported
from routing.upstream.target import Capabilities, Quirks, Target
from tests.routing.upstream.factories import a_request, a_target

JSON = dict[str, Any]
TARGET = a_target("openai_chat", model="gpt-x")
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
PDF = {"type": "document", "title": "Plan", "source": {"type": "base64", "media_type": "application/pdf", "data": "BB"}}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def body(target: Target = TARGET, **fields: Any) -> JSON:
    made: JSON = orjson.loads(orjson.dumps(chat_body(target, a_request(**fields))))
    return made


def messages(*said: JSON, target: Target = TARGET, **fields: Any) -> list[JSON]:
    found: list[JSON] = body(target, messages=list(said), **fields)["messages"]
    return found


def target(*, capabilities: JSON | None = None, **quirks: Any) -> Target:
    return a_target("openai_chat", capabilities=Capabilities(**capabilities or {}), quirks=Quirks(**quirks))


def user(*blocks: JSON | str) -> JSON:
    return {"role": "user", "content": [text(block) if isinstance(block, str) else block for block in blocks]}


def assistant(*blocks: JSON | str) -> JSON:
    return {"role": "assistant", "content": [text(block) if isinstance(block, str) else block for block in blocks]}


def text(words: str) -> JSON:
    return {"type": "text", "text": words}


def call(id: str, name: str = "Bash", **arguments: Any) -> JSON:
    return {"type": "tool_use", "id": id, "name": name, "input": arguments}


def result(id: str, content: Any = "done", **fields: Any) -> JSON:
    return {"type": "tool_result", "tool_use_id": id, "content": content, **fields}


# --- where it goes --------------------------------------------------------------------------------------------------


def test_address_and_credential() -> None:
    made = OpenAIChat().call(
        a_target("openai_chat", base_url="https://h.test/v1", headers={"X-Title": "t"}), a_request()
    )
    assert made.url == "https://h.test/v1/chat/completions"
    assert made.headers == {
        "content-type": "application/json",
        "authorization": "Bearer key-of-acme",
        "x-title": "t",
    }
    assert "key-of-acme" not in repr(made)


def test_azure() -> None:
    quirks = Quirks(auth_header="api-key", query={"api-version": "2025-04-01"})
    made = OpenAIChat().call(a_target("openai_chat", base_url="https://h.test/v1", quirks=quirks), a_request())
    assert made.url == "https://h.test/v1/chat/completions?api-version=2025-04-01"
    assert made.headers["api-key"] == "key-of-acme"
    assert "authorization" not in made.headers


def test_a_host_without_a_key_gets_none() -> None:
    assert "authorization" not in OpenAIChat().call(a_target("openai_chat", api_key=""), a_request()).headers


def test_there_is_no_counter() -> None:
    assert OpenAIChat().count_call(TARGET, a_request()) is None


# --- messages -------------------------------------------------------------------------------------------------------


def test_system_is_one_message_without_the_attribution_line() -> None:
    system = [text("x-anthropic-billing-header: cc_version=1; cch=ab12;"), text("You are."), text("Terse.")]
    assert messages(user("hi"), system=system) == [
        {"role": "system", "content": "You are.\n\nTerse."},
        {"role": "user", "content": "hi"},
    ]
    said = messages(user("hi"), system="S", target=target(developer_role=True))
    assert said[0]["role"] == "developer"


def test_a_system_message_in_the_middle() -> None:
    said = (user("a"), {"role": "system", "content": "S"}, assistant("b"), user("c"))
    assert messages(*said, target=target(system_anywhere=True))[:2] == [
        {"role": "user", "content": "a"},
        {"role": "system", "content": "S"},
    ]
    assert messages(*said)[0] == {"role": "user", "content": "a\n\n<system-reminder>\nS\n</system-reminder>"}


def test_images_and_documents() -> None:
    by_url = {"type": "image", "source": {"type": "url", "url": "https://x.test/i.png"}}
    (said,) = messages(user("see", PNG, by_url, PDF))
    assert said["content"] == [
        text("see"),
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://x.test/i.png"}},
        {"type": "file", "file": {"filename": "Plan.pdf", "file_data": "data:application/pdf;base64,BB"}},
    ]


def test_what_the_host_cannot_take_is_refused_by_name() -> None:
    pdf_url = {"type": "document", "source": {"type": "url", "url": "https://x.test/d.pdf"}}
    with pytest.raises(Unsupported, match="document"):
        body(messages=[user(pdf_url)])
    with pytest.raises(Unsupported, match="image"):
        body(target(capabilities={"vision": False}), messages=[user(PNG)])
    with pytest.raises(Unsupported, match="document"):
        body(target(capabilities={"pdf": False}), messages=[user(PDF)])
    with pytest.raises(Unsupported, match="tools"):
        body(target(capabilities={"tools": False}), tools=[{"name": "A", "input_schema": SCHEMA}])


def test_a_turn_with_tools() -> None:
    said = messages(
        user("go"),
        assistant("I look.", call("toolu_call_0123456789abcdef", city="Rome"), call("toolu_01AbCdEfGhIjKlMnOpQrStUv")),
        user("and then?", result("toolu_01AbCdEfGhIjKlMnOpQrStUv"), result("toolu_call_0123456789abcdef", [])),
    )
    first, second = "call_0123456789abcdef", "01AbCdEfGhIjKlMnOpQrStUv"
    assert said[1:] == [
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [
                {"id": first, "type": "function", "function": {"name": "Bash", "arguments": '{"city":"Rome"}'}},
                {"id": second, "type": "function", "function": {"name": "Bash", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": first, "content": "(no output)"},
        {"role": "tool", "tool_call_id": second, "content": "done"},
        {"role": "user", "content": "and then?"},
    ]


def test_calls_alone_have_no_content() -> None:
    assert messages(user("go"), assistant(call("1")), user(result("1")))[1]["content"] is None


def test_ids_are_at_most_40_characters_and_agree() -> None:
    long = "toolu_" + "x" * 60
    said = messages(user("go"), assistant(call(long)), user(result(long)))
    assert said[1]["tool_calls"][0]["id"] == said[2]["tool_call_id"]
    assert len(said[2]["tool_call_id"]) <= 40


def test_pictures_in_results_follow_all_results() -> None:
    said = messages(
        user("go"),
        assistant(call("1"), call("2")),
        user(result("1", [text("a shot"), PNG]), result("2", [PDF]), "what now?"),
    )
    assert [message["role"] for message in said] == ["user", "assistant", "tool", "tool", "user"]
    assert said[2]["content"] == "a shot"
    kinds = [part["type"] for part in said[4]["content"]]
    assert kinds == ["text", "image_url", "text", "file", "text"]


def test_an_agent_outlives_a_picture_its_model_cannot_see() -> None:
    said = messages(
        user("go"), assistant(call("1")), user(result("1", [PNG])), target=target(capabilities={"vision": False})
    )
    assert "which this model cannot read" in said[3]["content"]


def test_a_failed_tool_is_said_to_have_failed() -> None:
    said = messages(user("go"), assistant(call("1")), user(result("1", "no such file", is_error=True)))
    assert said[2]["content"] == "The tool call failed:\nno such file"


def test_a_prefill_is_continued() -> None:
    said = messages(user("go"), assistant('{"a":'))
    assert said[1:] == [{"role": "assistant", "content": '{"a":'}, {"role": "user", "content": CONTINUE_PREFILL}]


def test_own_reasoning_returns_and_foreign_reasoning_does_not() -> None:
    mine = seal(tag(TARGET), orjson.dumps({"field": "reasoning_content"}))
    hidden = seal(tag(TARGET), orjson.dumps({"field": "reasoning", "text": "hidden"}))
    foreign = seal("gemini:google", b"{}")
    said = messages(
        user("go"),
        assistant(
            {"type": "thinking", "thinking": "I think", "signature": mine},
            {"type": "thinking", "thinking": "not mine", "signature": foreign},
            {"type": "thinking", "thinking": "Anthropic's", "signature": "EqQBCgIYAhIM1gbc"},
            {"type": "redacted_thinking", "data": hidden},
            {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3p"},
            "so",
        ),
        user("more"),
    )
    assert said[1] == {
        "role": "assistant",
        "content": "so",
        "reasoning_content": "I think",
        "reasoning": "hidden",
    }


# --- tools ----------------------------------------------------------------------------------------------------------


def test_tools() -> None:
    made = body(tools=[{"name": "A", "description": "does", "input_schema": SCHEMA, "cache_control": {"type": "x"}}])
    assert made["tools"] == [
        {"type": "function", "function": {"name": "A", "parameters": SCHEMA, "description": "does"}}
    ]
    assert "tools" not in body(tools=[])


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        ({"type": "auto"}, {}),
        ({"type": "any"}, {"tool_choice": "required"}),
        ({"type": "none"}, {"tool_choice": "none"}),
        ({"type": "tool", "name": "A"}, {"tool_choice": {"type": "function", "function": {"name": "A"}}}),
        ({"type": "auto", "disable_parallel_tool_use": True}, {"parallel_tool_calls": False}),
        (
            {"type": "any", "disable_parallel_tool_use": True},
            {"tool_choice": "required", "parallel_tool_calls": False},
        ),
    ],
)
def test_tool_choice(asked: JSON, made: JSON) -> None:
    whole = body(tools=[{"name": "A", "input_schema": SCHEMA}], tool_choice=asked)
    assert {key: whole[key] for key in ("tool_choice", "parallel_tool_calls") if key in whole} == made


def test_tool_choice_without_tools_is_left_out() -> None:
    assert "tool_choice" not in body(tool_choice={"type": "any"})


def test_long_names_agree_everywhere() -> None:
    name = "mcp__" + "x" * 100
    made = body(
        tools=[{"name": name, "input_schema": SCHEMA}],
        tool_choice={"type": "tool", "name": name},
        messages=[user("go"), assistant(call("1", name)), user(result("1"))],
    )
    wire = made["tools"][0]["function"]["name"]
    assert len(wire) == 64
    assert made["tool_choice"]["function"]["name"] == wire
    assert made["messages"][1]["tool_calls"][0]["function"]["name"] == wire


def test_strict_where_it_was_asked_for_and_the_host_knows_it() -> None:
    tools = [{"name": "A", "input_schema": SCHEMA, "strict": True}, {"name": "B", "input_schema": SCHEMA}]
    first, second = body(target(strict_tools=True), tools=tools)["tools"]
    assert first["function"]["strict"] is True
    assert first["function"]["parameters"]["additionalProperties"] is False
    assert "strict" not in second["function"]
    assert "strict" not in body(tools=tools)["tools"][0]["function"]


def test_web_search_where_the_host_can() -> None:
    search = {
        "type": "web_search_20250305",
        "name": "web_search",
        "user_location": {"type": "approximate", "city": "Rome", "country": "IT"},
    }
    can = target(capabilities={"web_search": True}, web_search_options=True)
    made = body(can, tools=[search], tool_choice={"type": "tool", "name": "web_search"})
    assert made["web_search_options"] == {
        "user_location": {"type": "approximate", "approximate": {"city": "Rome", "country": "IT"}}
    }
    assert "tools" not in made
    assert "tool_choice" not in made
    cannot = body(
        target(capabilities={"web_search": True}), tools=[search], tool_choice={"type": "tool", "name": "web_search"}
    )
    assert cannot["tools"][0]["function"]["name"] == cannot["tool_choice"]["function"]["name"] == "web_search"


# --- parameters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (target(), "max_tokens"),
        (target(capabilities={"reasoning": "effort"}), "max_completion_tokens"),
        (target(capabilities={"reasoning": "effort"}, max_tokens_field="max_tokens"), "max_tokens"),
        (target(max_tokens_field="max_completion_tokens"), "max_completion_tokens"),
    ],
)
def test_max_tokens_under_the_name_the_model_wants(made: Target, field: str) -> None:
    whole = body(made, max_tokens=99)
    assert {key: value for key, value in whole.items() if key.startswith("max_")} == {field: 99}


def test_max_tokens_is_cut_to_the_models_limit() -> None:
    assert body(target(capabilities={"max_output": 16_384}), max_tokens=64_000)["max_tokens"] == 16_384


def test_sampling_where_the_model_takes_it() -> None:
    asked: JSON = {"temperature": 0, "top_p": 0.5, "top_k": 3}
    made = body(**asked)
    assert (made["temperature"], made["top_p"]) == (0, 0.5)
    assert "top_k" not in made
    assert body(target(top_k=True), **asked)["top_k"] == 3
    assert not {"temperature", "top_p"} & body(target(capabilities={"sampling": False}), **asked).keys()


def test_effort_only_for_models_that_reason() -> None:
    asked: JSON = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}
    assert body(target(capabilities={"reasoning": "effort"}), **asked)["reasoning_effort"] == "high"
    assert "reasoning_effort" not in body(**asked)


def test_structured_output() -> None:
    asked = {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert body(output_config=asked)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": {**SCHEMA, "additionalProperties": False}},
    }
    loose = {"type": "object", "properties": {"a": {"type": "string"}}}
    made = body(output_config={"format": {"type": "json_schema", "schema": loose}})["response_format"]["json_schema"]
    assert (made["strict"], made["schema"]) == (False, loose)
    array = {"type": "array", "items": {"type": "string"}}
    listed = body(output_config={"format": {"type": "json_schema", "schema": array}})
    assert "response_format" not in listed
    assert '"array"' in listed["messages"][0]["content"]
    without = body(target(capabilities={"structured_output": False}), output_config=asked)
    assert "response_format" not in without
    assert '"city"' in without["messages"][0]["content"]


def test_streaming_asks_for_usage_where_the_host_takes_it() -> None:
    assert body(stream=True)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in body(target(stream_usage=False), stream=True)
    assert not {"stream", "stream_options"} & body().keys()


def test_who_asks_leaves_only_as_a_digest_and_only_where_declared() -> None:
    fields: JSON = {"metadata": {"user_id": '{"device_id":"dev-1","account_uuid":"","session_id":"s"}'}}
    plain = chat_body(TARGET, a_request(session_id="session-1", service_tier="standard_only", **fields))
    assert not {"prompt_cache_key", "safety_identifier", "user", "service_tier", "metadata"} & plain.keys()
    declared = target(prompt_cache_key=True, end_user_field="safety_identifier", service_tier=True)
    made = chat_body(declared, a_request(session_id="session-1", service_tier="standard_only", **fields))
    assert made["service_tier"] == "default"
    assert len(made["prompt_cache_key"]) == len(made["safety_identifier"]) == 32
    assert b"dev-1" not in orjson.dumps(made)
    assert b"session-1" not in orjson.dumps(made)


def test_betas_and_unknown_fields_fall_away() -> None:
    made = body(
        context_management={"edits": []},
        speed="fast",
        container="c",
        brand_new={"x": 1},
        messages=[{"role": "user", "content": [{**text("hi"), "cache_control": {"type": "ephemeral"}}]}],
    )
    assert made == {"model": "gpt-x", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 1024}


def test_the_clients_body_is_never_changed() -> None:
    request = a_request(
        system=[text("S")],
        tools=[{"name": "A", "input_schema": {"anyOf": [SCHEMA]}, "strict": True}],
        messages=[user("go", PNG), assistant(call("1"), call("1")), user(result("1", [PNG]))],
        output_config={"format": {"type": "json_schema", "schema": SCHEMA}},
    )
    before = orjson.dumps(request.body)
    chat_body(target(strict_tools=True), request)
    assert orjson.dumps(request.body) == before
