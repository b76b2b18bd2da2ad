from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.upstream.conversation import CONTINUE_PREFILL
from routing.upstream.dialects.openai_responses import OpenAIResponses
from routing.upstream.errors import Refused, Unsupported
from routing.upstream.events import JSON
from routing.upstream.target import Capabilities, Quirks
from tests.routing.upstream.factories import a_request, a_target
from tests.support.provider import Seal
from tests.support.provider.dialect import Asked
from tests.support.provider.rules import openai_responses as rules

DIALECT = OpenAIResponses()
REASONS = Capabilities(
    max_output=128_000, reasoning="effort", efforts=("none", "low", "medium", "high"), sampling=False, web_search=True
)
PLAIN = Capabilities(max_output=32_768, web_search=True)
BASH = {"name": "Bash", "description": "Runs it", "input_schema": {"type": "object", "properties": {"command": {}}}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ="}


def _sent(
    *messages: JSON, model: str = "gpt-5.1", capabilities: Capabilities = REASONS, target: Any = None, **fields: Any
) -> JSON:
    """The body that goes out, after OpenAI's own rules have looked at it."""
    target = target or a_target("openai_responses", model, capabilities=capabilities)
    session = fields.pop("session_id", "")
    request = a_request(session_id=session, **fields | ({"messages": list(messages)} if messages else {}))
    body: JSON = orjson.loads(DIALECT.call(target, request).body)
    rules.check(Asked("/v1/responses", {}, {}, body, target.model, body["stream"]), Seal())
    return body


def _user(*blocks: Any) -> JSON:
    return {"role": "user", "content": list(blocks)}


def _call(call_id: str, **arguments: Any) -> JSON:
    return {"type": "tool_use", "id": call_id, "name": "Bash", "input": arguments}


def _result(call_id: str, content: Any, **fields: Any) -> JSON:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **fields}


class TestInput:
    def test_the_least(self) -> None:
        assert _sent() == {
            "model": "gpt-5.1",
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
            "store": False,
            "stream": False,
            "max_output_tokens": 1024,
            "include": ["reasoning.encrypted_content"],
        }

    def test_the_system_prompt_without_the_attribution(self) -> None:
        blocks = ["x-anthropic-billing-header: cc_version=2.1.197", "You are an agent.", "Be brief."]
        system = [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}} for text in blocks]
        assert _sent(system=system)["instructions"] == "You are an agent.\n\nBe brief."

    def test_a_system_message_in_the_middle_stays_there(self) -> None:
        body = _sent(_user({"type": "text", "text": "a"}), {"role": "system", "content": "b"}, _user())
        assert [(item["role"], item["content"][0]["text"]) for item in body["input"]] == [
            ("user", "a"),
            ("developer", "b"),
        ]

    def test_a_prefill_is_asked_to_be_continued(self) -> None:
        body = _sent(_user({"type": "text", "text": "a"}), {"role": "assistant", "content": "The answer is"})
        assert [item["role"] for item in body["input"]] == ["user", "assistant", "user"]
        assert body["input"][1]["content"] == [{"type": "output_text", "text": "The answer is"}]
        assert body["input"][2]["content"][0]["text"] == CONTINUE_PREFILL

    def test_calls_and_their_results(self) -> None:
        calls = [{"type": "text", "text": "Looking."}, _call("toolu_1", command="ls"), _call("toolu_2")]
        results = [_result("toolu_2", "two"), _result("toolu_1", ""), {"type": "text", "text": "and?"}]
        body = _sent(_user({"type": "text", "text": "go"}), {"role": "assistant", "content": calls}, _user(*results))
        kinds = ["message", "message", "function_call", "function_call", *["function_call_output"] * 2, "message"]
        assert [item["type"] for item in body["input"]] == kinds
        first, second = body["input"][2:4]
        assert (first["name"], first["arguments"]) == ("Bash", '{"command":"ls"}')
        outputs = {item["call_id"]: item["output"] for item in body["input"][4:6]}
        assert outputs == {first["call_id"]: "(no output)", second["call_id"]: "two"}

    def test_a_failed_call_says_so(self) -> None:
        results = _user(_result("toolu_1", "exit 1", is_error=True))
        body = _sent(
            _user({"type": "text", "text": "go"}), {"role": "assistant", "content": [_call("toolu_1")]}, results
        )
        assert body["input"][-1]["output"] == "The tool call failed:\nexit 1"

    def test_an_interrupted_call_gets_a_result(self) -> None:
        said = {"type": "text", "text": "stop"}
        body = _sent(_user(said), {"role": "assistant", "content": [_call("toolu_1")]}, _user(said))
        assert [item["type"] for item in body["input"]] == [
            "message",
            "function_call",
            "function_call_output",
            "message",
        ]

    def test_pictures_and_documents(self) -> None:
        blocks = [
            {"type": "image", "source": PNG},
            {"type": "image", "source": {"type": "url", "url": "https://a.test/b.png"}},
            {"type": "document", "source": PDF, "title": "Plan"},
            {"type": "document", "source": {"type": "url", "url": "https://a.test/c.pdf"}},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        ]
        (message,) = _sent(_user(*blocks))["input"]
        *parts, text = message["content"]
        assert parts == [
            {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,iVBORw0KGgo="},
            {"type": "input_image", "detail": "auto", "image_url": "https://a.test/b.png"},
            {
                "type": "input_file",
                "filename": "Plan.pdf",
                "file_data": "data:application/pdf;base64,JVBERi0xLjQ=",
            },
            {"type": "input_file", "file_url": "https://a.test/c.pdf"},
        ]
        assert "words" in text["text"]

    def test_pictures_in_a_result_stay_in_it(self) -> None:
        content = [{"type": "text", "text": "seen"}, {"type": "image", "source": PNG}]
        body = _sent(
            _user({"type": "text", "text": "go"}),
            {"role": "assistant", "content": [_call("toolu_1")]},
            _user(_result("toolu_1", content)),
        )
        assert [part["type"] for part in body["input"][-1]["output"]] == ["input_text", "input_image"]

    def test_a_model_without_eyes(self) -> None:
        blind = Capabilities(vision=False)
        with pytest.raises(Unsupported, match="`image`"):
            _sent(_user({"type": "image", "source": PNG}), model="o3-mini", capabilities=blind)
        body = _sent(
            _user({"type": "text", "text": "go"}),
            {"role": "assistant", "content": [_call("toolu_1")]},
            _user(_result("toolu_1", [{"type": "image", "source": PNG}])),
            model="gpt-4.1",
            capabilities=blind,
        )
        (part,) = body["input"][-1]["output"]
        assert "image" in part["text"]

    def test_a_file_kept_at_anthropic_is_refused_by_name(self) -> None:
        with pytest.raises(Unsupported, match="file"):
            _sent(_user({"type": "image", "source": {"type": "file", "file_id": "file_1"}}))


class TestTools:
    def test_functions(self) -> None:
        (tool,) = _sent(tools=[BASH])["tools"]
        assert tool == {
            "type": "function",
            "name": "Bash",
            "description": "Runs it",
            "parameters": {"type": "object", "properties": {"command": {}}},
            "strict": False,
        }

    def test_strict_where_it_was_asked_for_and_can_be(self) -> None:
        schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
        tool = BASH | {"strict": True, "input_schema": schema}
        target = a_target("openai_responses", "gpt-5.1", capabilities=REASONS, quirks=Quirks(strict_tools=True))
        (written,) = _sent(tools=[tool], target=target)["tools"]
        assert written["strict"] is True
        assert written["parameters"] == schema | {"additionalProperties": False}
        (loose,) = _sent(tools=[BASH | {"strict": True}], target=target)["tools"]
        assert loose["strict"] is False

    @pytest.mark.parametrize(
        ("choice", "written"),
        [
            ({"type": "auto"}, None),
            ({"type": "any"}, "required"),
            ({"type": "none"}, "none"),
            ({"type": "tool", "name": "Bash"}, {"type": "function", "name": "Bash"}),
            ({"type": "tool", "name": "gone"}, None),
        ],
    )
    def test_choice(self, choice: JSON, written: Any) -> None:
        assert _sent(tools=[BASH], tool_choice=choice).get("tool_choice") == written

    def test_one_call_at_a_time(self) -> None:
        choice = {"type": "auto", "disable_parallel_tool_use": True}
        assert _sent(tools=[BASH], tool_choice=choice)["parallel_tool_calls"] is False

    def test_no_tools_no_list(self) -> None:
        assert not {"tools", "tool_choice"} & _sent(tools=[], tool_choice={"type": "any"}).keys()

    def test_a_model_without_tools(self) -> None:
        with pytest.raises(Unsupported, match="tools"):
            _sent(tools=[BASH], capabilities=Capabilities(tools=False))

    @pytest.mark.parametrize("kind", ["code_execution_20250825", "web_fetch_20250910", "computer_20250124"])
    def test_other_server_tools_are_refused_by_name(self, kind: str) -> None:
        with pytest.raises(Unsupported, match=kind):
            _sent(tools=[{"type": kind, "name": "x"}])


class TestWebSearch:
    def test_its_limits_go_along(self) -> None:
        tool = SEARCH | {
            "max_uses": 3,
            "allowed_domains": ["https://a.test", "b.test"],
            "user_location": {"type": "approximate", "city": "Graz", "country": "AT", "timezone": None},
        }
        body = _sent(tools=[tool])
        assert body["tools"] == [
            {
                "type": "web_search",
                "filters": {"allowed_domains": ["a.test", "b.test"]},
                "user_location": {"type": "approximate", "city": "Graz", "country": "AT"},
            }
        ]
        assert body["max_tool_calls"] == 3
        assert body["include"] == ["web_search_call.action.sources", "reasoning.encrypted_content"]

    def test_chosen_alone_it_is_required(self) -> None:
        choice = {"type": "tool", "name": "web_search"}
        assert _sent(tools=[SEARCH], tool_choice=choice)["tool_choice"] == "required"

    def test_chosen_among_others_it_is_all_that_is_allowed(self) -> None:
        choice = {"type": "tool", "name": "web_search"}
        assert _sent(tools=[BASH, SEARCH], tool_choice=choice)["tool_choice"] == {
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "web_search"}],
        }

    def test_it_needs_more_than_the_least_effort(self) -> None:
        least = Capabilities(reasoning="effort", efforts=("minimal", "low"), sampling=False, web_search=True)
        body = _sent(tools=[SEARCH], thinking={"type": "disabled"}, model="gpt-5", capabilities=least)
        assert body["reasoning"] == {"effort": "low"}

    def test_a_model_that_cannot_is_given_one_that_fails(self) -> None:
        (tool,) = _sent(tools=[SEARCH], model="gpt-4.1", capabilities=Capabilities())["tools"]
        assert (tool["type"], tool["name"]) == ("function", "web_search")


class TestParameters:
    @pytest.mark.parametrize(("asked", "sent"), [(1, 16), (16, 16), (64_000, 64_000), (200_000, 128_000)])
    def test_the_limit_is_what_the_model_takes(self, asked: int, sent: int) -> None:
        assert _sent(max_tokens=asked)["max_output_tokens"] == sent

    @pytest.mark.parametrize(
        ("fields", "reasoning"),
        [
            ({"thinking": {"type": "adaptive"}}, {"effort": "high", "summary": "auto"}),
            (
                {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}},
                {"effort": "medium", "summary": "auto"},
            ),
            (
                {"thinking": {"type": "enabled", "budget_tokens": 4000}, "max_tokens": 9000},
                {"effort": "low", "summary": "auto"},
            ),
            ({"thinking": {"type": "disabled"}}, {"effort": "none"}),
            ({"output_config": {"effort": "max"}}, {"effort": "high"}),
        ],
    )
    def test_reasoning(self, fields: JSON, reasoning: JSON) -> None:
        assert _sent(**fields)["reasoning"] == reasoning

    def test_a_model_that_reasons_is_not_sampled(self) -> None:
        body = _sent(temperature=0.2, top_p=0.5, top_k=5)
        assert not {"temperature", "top_p", "top_k"} & body.keys()

    def test_a_model_that_does_not_reason_is(self) -> None:
        body = _sent(temperature=0.2, top_p=0.5, top_k=5, model="gpt-4.1", capabilities=PLAIN)
        assert (body["temperature"], body["top_p"]) == (0.2, 0.5)
        assert not {"top_k", "reasoning", "include"} & body.keys()

    def test_structured_output(self) -> None:
        schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
        body = _sent(output_config={"format": {"type": "json_schema", "schema": schema}})
        form = body["text"]["format"]
        assert (form["type"], form["strict"]) == ("json_schema", True)
        assert form["schema"] == schema | {"additionalProperties": False}

    def test_structured_output_in_words_where_openai_refuses_its_kind(self) -> None:
        form = {"type": "json_schema", "schema": {"type": "array", "items": {"type": "string"}}}
        body = _sent(output_config={"format": form})
        assert "text" not in body
        assert '"items"' in body["instructions"]

    def test_structured_output_in_words_where_there_is_none(self) -> None:
        capabilities = Capabilities(structured_output=False)
        form = {"type": "json_schema", "schema": {"type": "object"}}
        body = _sent(output_config={"format": form}, system="s", model="gpt-4.1", capabilities=capabilities)
        assert "text" not in body
        assert body["instructions"].endswith('{"type":"object"}')

    def test_a_session_keeps_its_cache(self) -> None:
        first, again, other = (_sent(session_id=session)["prompt_cache_key"] for session in ("one", "one", "two"))
        assert first == again != other
        assert len(first) <= 64

    def test_the_person_stays_at_home_unless_the_host_is_to_know(self) -> None:
        metadata = {"user_id": '{"account_uuid":"u-1"}'}
        assert "safety_identifier" not in _sent(metadata=metadata)
        quirks = Quirks(end_user_field="safety_identifier", service_tier=True)
        target = a_target("openai_responses", "gpt-5.1", capabilities=REASONS, quirks=quirks)
        body = _sent(metadata=metadata, service_tier="standard_only", target=target)
        assert len(body["safety_identifier"]) == 32
        assert body["service_tier"] == "default"

    @pytest.mark.parametrize(
        "field",
        [
            {"context_management": {"edits": []}},
            {"stop_sequences": ["END"]},
            {"container": "c"},
            {"a_field_of_tomorrow": 1},
        ],
    )
    def test_what_the_api_does_not_know_stays_behind(self, field: JSON) -> None:
        assert _sent(**field) == _sent()


TEXTS = st.sampled_from(["", " ", "a", "b\n"])
IDS = st.sampled_from(["toolu_1", "toolu_2", "call:3", ""])
BLOCKS = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, TEXTS),
    st.builds(lambda text, by: {"type": "thinking", "thinking": text, "signature": by}, TEXTS, TEXTS),
    st.builds(_call, IDS, command=TEXTS),
    st.builds(_result, IDS, TEXTS | st.just([{"type": "image", "source": PNG}]), is_error=st.booleans()),
    st.just({"type": "image", "source": PNG}),
    st.just({"type": "a_block_of_tomorrow", "text": "x"}),
)
MESSAGES = st.lists(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["user", "assistant", "system"]),
        TEXTS | st.lists(BLOCKS, max_size=4),
    ),
    max_size=8,
)


@given(MESSAGES)
def test_whatever_a_client_sends_openai_would_take_it(messages: list[JSON]) -> None:
    try:
        _sent(*messages, tools=[BASH])
    except Refused as refusal:  # ours, before anything is sent
        if "at least one message" not in refusal.message and "cannot stand in a turn" not in refusal.message:
            raise
