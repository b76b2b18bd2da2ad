"""Requests in Gemini's words."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from routing.upstream.carried import seal, tag
from routing.upstream.dialects.gemini import Gemini
from routing.upstream.dialects.gemini_content import FOREIGN_SIGNATURE, Signatures
from routing.upstream.errors import Unsupported
from routing.upstream.target import Capabilities, Quirks, Target

from ..factories import a_request, a_target

GEMINI = Gemini()
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0="}
READ = {
    "name": "Read",
    "description": "Reads",
    "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}},
}
SHOWN = {"includeThoughts": True}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def target(**capabilities: Any) -> Target:
    return a_target("gemini", "gemini-x", capabilities=Capabilities(**{"web_search": True} | capabilities))


LEVELS = target(reasoning="level")


def body(to: Target = LEVELS, **fields: Any) -> Any:
    return orjson.loads(GEMINI.call(to, a_request(**fields)).body)


def contents(*messages: tuple[str, Any], to: Target = LEVELS, **fields: Any) -> Any:
    said = [{"role": role, "content": content} for role, content in messages]
    return body(to, messages=said, **fields)["contents"]


def call(tool_id: str = "toolu_1", name: str = "Read", **arguments: Any) -> Any:
    return {"type": "tool_use", "id": tool_id, "name": name, "input": arguments}


def result(tool_id: str = "toolu_1", content: Any = "done", **fields: Any) -> Any:
    return {"type": "tool_result", "tool_use_id": tool_id, "content": content, **fields}


class TestTheCall:
    def test_streams_as_server_sent_events_with_the_key_in_its_header(self) -> None:
        request = GEMINI.call(a_target("gemini", "gemini-2.5-pro", headers={"X-Team": "a"}), a_request(stream=True))
        assert request.url == "http://127.0.0.1:9/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"
        assert request.headers == {
            "content-type": "application/json",
            "x-goog-api-key": "key-of-acme",
            "x-team": "a",
        }
        assert "key-of-acme" not in repr(request)

    def test_asks_for_the_whole_without_stream(self) -> None:
        url = GEMINI.call(a_target("gemini", "a/b", quirks=Quirks(query={"v": "1"})), a_request()).url
        assert url == "http://127.0.0.1:9/v1beta/models/a%2Fb:generateContent?v=1"

    def test_another_header_may_carry_the_key(self) -> None:
        to = a_target("gemini", quirks=Quirks(auth_header="Authorization"))
        assert GEMINI.call(to, a_request()).headers["authorization"] == "Bearer key-of-acme"

    def test_a_model_without_a_key_gets_none(self) -> None:
        assert "x-goog-api-key" not in GEMINI.call(a_target("gemini", api_key=""), a_request()).headers

    def test_counts_everything_that_is_input(self) -> None:
        request = GEMINI.count_call(LEVELS, a_request(system="S", tools=[READ], temperature=1))
        counted = orjson.loads(request.body)["generateContentRequest"]
        assert request.url.endswith("/v1beta/models/gemini-x:countTokens")
        assert counted.keys() == {"model", "systemInstruction", "tools", "contents"}
        assert counted["model"] == "models/gemini-x"


class TestContents:
    def test_the_system_prompt_without_the_attribution_line(self) -> None:
        blocks = [{"type": "text", "text": "x-anthropic-billing-header: a"}, {"type": "text", "text": "Be kind."}]
        assert body(system=blocks)["systemInstruction"] == {"parts": [{"text": "Be kind."}]}
        assert "systemInstruction" not in body()

    def test_a_system_message_in_the_middle_keeps_its_place(self) -> None:
        said = contents(
            ("user", "one"), ("system", "Rule."), ("assistant", "two"), ("system", "Other rule."), ("user", "three")
        )
        assert said == [
            {"role": "user", "parts": [{"text": "one"}, {"text": "<system>\nRule.\n</system>"}]},
            {"role": "model", "parts": [{"text": "two"}]},
            {"role": "user", "parts": [{"text": "<system>\nOther rule.\n</system>"}, {"text": "three"}]},
        ]

    def test_begins_and_ends_with_the_user(self) -> None:
        said = contents(("assistant", "hello"), ("user", "hi"), ("assistant", "The answer is"))
        assert [content["role"] for content in said] == ["user", "model", "user", "model", "user"]

    def test_images_and_documents(self) -> None:
        said = contents(
            (
                "user",
                [
                    {"type": "image", "source": PNG},
                    {"type": "image", "source": {"type": "url", "url": "https://example.com/a.webp?x=1"}},
                    {"type": "image", "source": {"type": "url", "url": "https://example.com/a"}},
                    {
                        "type": "document",
                        "title": "Report",
                        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                    },
                    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
                ],
            )
        )
        assert said[0]["parts"] == [
            {"inlineData": {"mimeType": "image/png", "data": "iVBORw0="}},
            {"fileData": {"mimeType": "image/webp", "fileUri": "https://example.com/a.webp?x=1"}},
            {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://example.com/a"}},
            {"text": '[Document "Report"]'},
            {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0="}},
            {"text": "[Document]\nwords"},
        ]

    @pytest.mark.parametrize(
        ("block", "can"),
        [
            ({"type": "image", "source": PNG}, {"vision": False}),
            ({"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}, {"pdf": False}),
            ({"type": "image", "source": {"type": "file", "file_id": "file_1"}}, {}),
            ({"type": "image", "source": {"type": "url", "url": "https://[example.com/a"}}, {}),
        ],
    )
    def test_what_the_model_cannot_take_is_refused_by_name(self, block: Any, can: Any) -> None:
        with pytest.raises(Unsupported, match=f"`{block['type']}`"):
            contents(("user", [block]), to=target(**can))


class TestToolsInHistory:
    def test_results_answer_their_calls_one_by_one_and_what_they_show_follows(self) -> None:
        # litellm#6953: images inside a tool_result lost
        said = contents(
            ("user", "go"),
            ("assistant", [call("toolu_1", path="a"), call("toolu_2", path="a")]),
            (
                "user",
                [
                    {"type": "text", "text": "and now?"},
                    result("toolu_2", [{"type": "image", "source": PNG}]),
                    result("toolu_1", "no such file", is_error=True),
                ],
            ),
            to=target(),
            tools=[READ],
        )
        assert said[1:] == [
            {
                "role": "model",
                "parts": [
                    {"functionCall": {"id": "toolu_1", "name": "Read", "args": {"path": "a"}}},
                    {"functionCall": {"id": "toolu_2", "name": "Read", "args": {"path": "a"}}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"id": "toolu_1", "name": "Read", "response": {"error": "no such file"}}},
                    {
                        "functionResponse": {
                            "id": "toolu_2",
                            "name": "Read",
                            "response": {"output": "(see what follows)"},
                        }
                    },
                    {"text": "[Shown by the result of Read]"},
                    {"inlineData": {"mimeType": "image/png", "data": "iVBORw0="}},
                    {"text": "and now?"},
                ],
            },
        ]

    def test_an_interrupted_call_gets_a_result(self) -> None:
        # litellm#19061
        said = contents(("user", "go"), ("assistant", [call()]), ("user", "stop that"))
        assert "error" in said[2]["parts"][0]["functionResponse"]["response"]
        assert said[2]["parts"][1] == {"text": "stop that"}

    def test_a_foreign_name_is_the_same_in_declaration_history_and_choice(self) -> None:
        # litellm#17904
        name = "mcp__server.name__" + "x" * 80
        sent = body(
            tools=[{**READ, "name": name}],
            tool_choice={"type": "tool", "name": name},
            messages=[
                {"role": "user", "content": "go"},
                {"role": "assistant", "content": [call(name=name)]},
                {"role": "user", "content": [result()]},
            ],
        )
        wire = sent["tools"][0]["functionDeclarations"][0]["name"]
        assert len(wire) <= 64
        assert sent["contents"][1]["parts"][0]["functionCall"]["name"] == wire
        assert sent["contents"][2]["parts"][0]["functionResponse"]["name"] == wire
        assert sent["toolConfig"] == {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [wire]}}


class TestThoughtSignatures:
    # claude-code-router#1032, #1057, #1431
    signatures = Signatures(LEVELS)

    def parts(self, *blocks: Any, to: Target = LEVELS) -> Any:
        calls = [block for block in blocks if block["type"] == "tool_use"]
        said = [("user", "go"), ("assistant", list(blocks)), ("user", [result(one["id"]) for one in calls] or "on")]
        return contents(*said, to=to)[1]["parts"]

    def test_a_call_gets_its_own_id_and_signature_back(self) -> None:
        tool_id = self.signatures.in_id("toolu_a", "call-7", "c2lnbmVk")
        assert tool_id is not None
        said = contents(("user", "go"), ("assistant", [call(tool_id)]), ("user", [result(tool_id)]))
        assert said[1]["parts"] == [
            {"functionCall": {"id": "call-7", "name": "Read", "args": {}}, "thoughtSignature": "c2lnbmVk"}
        ]
        assert said[2]["parts"][0]["functionResponse"]["id"] == "call-7"

    def test_a_signature_too_long_for_an_id_stands_before_its_call(self) -> None:
        assert self.signatures.in_id("toolu_a", "", "x" * 5000) is None
        block = {"type": "thinking", "thinking": "", "signature": self.signatures.in_thinking("call", "x" * 5000)}
        parts = self.parts(block, call())
        assert parts[0]["thoughtSignature"] == "x" * 5000

    def test_thoughts_and_texts_get_theirs_back(self) -> None:
        def thinking(text: str, part: Any, signature: str) -> Any:
            return {"type": "thinking", "thinking": text, "signature": self.signatures.in_thinking(part, signature)}

        assert self.parts(
            thinking("I see", "thought", "dGhvdWdodA=="),
            {"type": "text", "text": "Yes."},
            thinking("", "text", "dGV4dA=="),
        ) == [
            {"text": "I see", "thought": True, "thoughtSignature": "dGhvdWdodA=="},
            {"text": "Yes.", "thoughtSignature": "dGV4dA=="},
        ]
        assert self.parts(thinking("", "text", "dGV4dA==")) == [{"text": "", "thoughtSignature": "dGV4dA=="}]

    def test_the_first_call_of_a_foreign_step_gets_googles_dummy(self) -> None:
        parts = self.parts(call("toolu_1"), call("toolu_2"))
        assert [part.get("thoughtSignature") for part in parts] == [FOREIGN_SIGNATURE, None]

    def test_a_model_of_an_earlier_family_gets_no_dummy(self) -> None:
        assert all("thoughtSignature" not in part for part in self.parts(call(), to=target(reasoning="budget")))

    @pytest.mark.parametrize(
        "signature",
        ["EqQBCgIYAhIM1gbcDa9GJwZA2b3h", seal("openai_responses:acme", b"x"), "tg1-broken", "", None],
        ids=["Anthropic's", "another provider's", "damaged", "empty", "none"],
    )
    def test_other_thinking_is_dropped_silently(self, signature: Any) -> None:
        # sub2api#2380, CLIProxyAPI#2172
        thinking = {"type": "thinking", "thinking": "hm", "signature": signature}
        redacted = {"type": "redacted_thinking", "data": "abc"}
        assert self.parts(thinking, redacted, {"type": "text", "text": "Yes."}) == [{"text": "Yes."}]

    def test_another_providers_state_in_an_id_is_dropped_with_the_id_kept_apart(self) -> None:
        tool_id = "toolu_1-" + seal(tag(a_target("gemini", provider="other")), orjson.dumps(["a", "b"]))
        part = self.parts(call(tool_id))[0]
        assert part["functionCall"]["id"] == "toolu_1"
        assert part["thoughtSignature"] == FOREIGN_SIGNATURE


class TestTools:
    def test_a_declaration(self) -> None:
        nothing = {"name": "Now", "input_schema": {"type": "object", "properties": {}}}
        assert body(tools=[READ, nothing])["tools"] == [
            {
                "functionDeclarations": [
                    {
                        "name": "Read",
                        "description": "Reads",
                        "parameters": {"type": "OBJECT", "properties": {"path": {"type": "STRING"}}},
                    },
                    {"name": "Now", "description": ""},
                ]
            }
        ]

    @pytest.mark.parametrize(
        ("choice", "config"),
        [
            ({"type": "auto"}, None),
            ({"type": "auto", "disable_parallel_tool_use": True}, None),
            ({"type": "any"}, {"mode": "ANY"}),
            ({"type": "none"}, {"mode": "NONE"}),
            ({"type": "tool", "name": "Read"}, {"mode": "ANY", "allowedFunctionNames": ["Read"]}),
        ],
    )
    def test_tool_choice(self, choice: Any, config: Any) -> None:
        sent = body(tools=[READ], tool_choice=choice)
        assert sent.get("toolConfig") == (config and {"functionCallingConfig": config})

    def test_a_web_search_alone_is_googles(self) -> None:
        sent = body(tools=[{**SEARCH, "allowed_domains": ["a.com", "b.org"]}])
        assert sent["tools"] == [{"googleSearch": {}}]
        assert "a.com, b.org" in sent["systemInstruction"]["parts"][0]["text"]

    def test_functions_win_over_a_search_unless_it_is_chosen(self) -> None:
        assert list(body(tools=[SEARCH, READ])["tools"][0]) == ["functionDeclarations"]
        chosen = body(tools=[SEARCH, READ], tool_choice={"type": "tool", "name": "web_search"})
        assert chosen["tools"] == [{"googleSearch": {}}]
        assert "toolConfig" not in chosen

    def test_a_model_that_cannot_search_is_not_asked_to(self) -> None:
        assert "tools" not in body(target(web_search=False), tools=[SEARCH])

    def test_another_server_tool_is_refused_by_name(self) -> None:
        with pytest.raises(Unsupported, match="code_execution_20250825"):
            body(tools=[{"type": "code_execution_20250825", "name": "code_execution"}])

    def test_functions_are_refused_where_the_model_calls_none(self) -> None:
        with pytest.raises(Unsupported, match="tools"):
            body(target(tools=False), tools=[READ])


class TestGenerationConfig:
    def config(self, to: Target = LEVELS, **fields: Any) -> Any:
        return body(to, **fields)["generationConfig"]

    def test_sampling_under_googles_names_with_the_limits_of_the_model(self) -> None:
        asked = {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "stop_sequences": ["1"]}
        found = self.config(target(max_output=500), **asked)
        assert found == {"maxOutputTokens": 500, "temperature": 0.5, "topP": 0.9, "topK": 40}, "Gemini tells no stop"

    def test_a_top_k_of_0_is_anthropics_word_for_none(self) -> None:
        assert "topK" not in self.config(target(), top_k=0)

    def test_a_model_without_sampling_gets_none(self) -> None:
        assert self.config(target(sampling=False), temperature=0.5, stop_sequences=["x"]) == {"maxOutputTokens": 1024}

    @pytest.mark.parametrize(
        ("known", "thinking", "effort", "config"),
        [
            (None, None, None, None),
            (None, {"type": "adaptive"}, None, {"thinkingBudget": -1, **SHOWN}),
            (None, {"type": "adaptive"}, "low", {"thinkingBudget": 2048, **SHOWN}),
            (None, {"type": "adaptive"}, "max", {"thinkingBudget": -1, **SHOWN}),
            (None, {"type": "adaptive", "display": "omitted"}, None, {"thinkingBudget": -1}),
            (None, {"type": "enabled", "budget_tokens": 31999}, None, {"thinkingBudget": 24576, **SHOWN}),
            (None, {"type": "enabled", "budget_tokens": 100}, None, {"thinkingBudget": 512, **SHOWN}),
            ((128, 32768), {"type": "enabled", "budget_tokens": 31999}, None, {"thinkingBudget": 31999, **SHOWN}),
            ((128, 32768), {"type": "disabled"}, None, {"thinkingBudget": 128}),
            ((0, 24576), {"type": "disabled"}, None, {"thinkingBudget": 0}),
            ((0, 24576), None, "high", {"thinkingBudget": 0}),
        ],
    )  # fmt: skip
    def test_thinking_in_budgets(self, known: Any, thinking: Any, effort: Any, config: Any) -> None:
        to = target(reasoning="budget", thinking_budget=known)
        assert self.config(to, thinking=thinking, output_config={"effort": effort}).get("thinkingConfig") == config

    @pytest.mark.parametrize(
        ("levels", "thinking", "effort", "config"),
        [
            (("low", "high"), None, None, {"thinkingLevel": "LOW"}),
            (("minimal", "low", "high"), {"type": "disabled"}, "high", {"thinkingLevel": "MINIMAL"}),
            (("low", "high"), {"type": "adaptive"}, None, {"thinkingLevel": "HIGH", **SHOWN}),
            (("low", "high"), {"type": "adaptive"}, "max", {"thinkingLevel": "HIGH", **SHOWN}),
            (("low", "medium", "high"), {"type": "adaptive"}, "medium", {"thinkingLevel": "MEDIUM", **SHOWN}),
            (("low", "high"), {"type": "enabled", "budget_tokens": 2000}, None, {"thinkingLevel": "LOW", **SHOWN}),
            (("none", "low", "high", "max"), {"type": "disabled"}, None, {"thinkingLevel": "LOW"}),
            (("none", "low", "high", "max"), {"type": "adaptive"}, "max", {"thinkingLevel": "HIGH", **SHOWN}),
            ((), {"type": "adaptive"}, None, SHOWN),
        ],
    )  # fmt: skip
    def test_thinking_in_levels(self, levels: Any, thinking: Any, effort: Any, config: Any) -> None:
        to = target(reasoning="level", efforts=levels)
        assert self.config(to, thinking=thinking, output_config={"effort": effort})["thinkingConfig"] == config

    def test_a_model_that_does_not_think_is_not_told_to(self) -> None:
        assert "thinkingConfig" not in self.config(target(reasoning="none"), thinking={"type": "adaptive"})

    def test_a_structured_answer(self) -> None:
        wanted = {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {"a": {"const": "b"}}}}}
        config = self.config(output_config=wanted)
        assert config["responseMimeType"] == "application/json"
        assert config["responseSchema"] == {"type": "OBJECT", "properties": {"a": {"type": "STRING", "enum": ["b"]}}}

    def test_a_structured_answer_beside_tools_is_asked_for_in_words(self) -> None:
        wanted = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
        sent = body(output_config=wanted, tools=[READ], system="S")
        assert "responseSchema" not in sent["generationConfig"]
        assert '{"type":"object"}' in sent["systemInstruction"]["parts"][-1]["text"]
