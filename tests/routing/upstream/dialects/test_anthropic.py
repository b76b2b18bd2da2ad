from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.upstream.dialects.anthropic import Anthropic
from routing.upstream.errors import Broken, Busy, Misconfigured, Unavailable, Verbatim
from routing.upstream.events import Event
from routing.upstream.target import Capabilities, Quirks
from tests.routing.upstream.factories import a_request, a_target, told
from tests.routing.upstream.recordings import heard, names, wire_text
from tests.routing.upstream.transcripts import judged

DIALECT = Anthropic()
OPUS = a_target("anthropic", "claude-opus-4-8", base_url="https://api.anthropic.test", api_key="sk-ant-api03-secret")
HAIKU = a_target("anthropic", "claude-haiku-4-5", capabilities=Capabilities(max_output=8192))

START = (
    b'{"type":"message_start","message":{"id":"msg_01A","type":"message","role":"assistant","model":"claude-opus-4-8",'
    b'"content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"output_tokens":1},"new":{}}}'
)
ANSWER = (
    START,
    b'{"type": "ping"}',
    b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
    b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"h\xc3\xa9"}}',
    b'{"type":"content_block_stop","index":0}',
    b'{"type":"an_event_of_tomorrow","with":["anything"]}',
    b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}',
    b'{"type":"message_stop"}',
)
OVERLOADED = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}'


class TestCall:
    def test_the_body_goes_on_byte_for_byte(self) -> None:
        raw = b'{ "max_tokens":1, "model":"claude-opus-4-8", "messages":[], "tomorrow": {"x": 1e3} }'
        request = a_request(**orjson.loads(raw))
        object.__setattr__(request, "raw", raw)
        call = DIALECT.call(OPUS, request)
        assert call.body == raw
        assert call.url == "https://api.anthropic.test/v1/messages"

    def test_only_the_model_is_replaced_where_it_is_mapped(self) -> None:
        request = a_request(tools=[{"name": "Agent", "input_schema": {"properties": {"model": {}}}}], tomorrow=[1])
        sent = orjson.loads(DIALECT.call(HAIKU, request).body)
        assert sent == request.body | {"model": "claude-haiku-4-5"}

    def test_a_mapped_model_gets_no_more_output_than_it_has(self) -> None:
        request = a_request(max_tokens=64000, thinking={"type": "enabled", "budget_tokens": 32000})
        sent = orjson.loads(DIALECT.call(HAIKU, request).body)
        assert sent["max_tokens"] == 8192
        assert sent["thinking"] == {"type": "enabled", "budget_tokens": 8191}

    def test_an_unmapped_model_keeps_a_limit_that_is_too_high(self) -> None:
        target = a_target("anthropic", "claude-opus-4-8", capabilities=Capabilities(max_output=8192))
        request = a_request(max_tokens=64000)
        assert DIALECT.call(target, request).body == request.raw

    def test_versions_and_betas_are_the_clients_own(self) -> None:
        own = {"anthropic-version": "2024-01-01", "anthropic-beta": "a-1,b-2", "user-agent": "claude-cli/2"}
        headers = DIALECT.call(OPUS, a_request(headers=own)).headers
        assert headers == own | {"content-type": "application/json", "x-api-key": "sk-ant-api03-secret"}
        assert DIALECT.call(OPUS, a_request()).headers["anthropic-version"] == "2023-06-01"

    @pytest.mark.parametrize(
        ("betas", "sent"),
        [
            ("", "oauth-2025-04-20"),
            ("a-1", "a-1,oauth-2025-04-20"),
            ("a-1, oauth-2025-04-20", "a-1, oauth-2025-04-20"),
        ],
    )
    def test_an_oauth_token_is_a_bearer(self, betas: str, sent: str) -> None:
        target = a_target("anthropic", api_key="sk-ant-oat01-secret")
        headers = DIALECT.call(target, a_request(headers={"anthropic-beta": betas} if betas else {})).headers
        assert headers["authorization"] == "Bearer sk-ant-oat01-secret"
        assert "x-api-key" not in headers
        assert headers["anthropic-beta"] == sent

    @pytest.mark.parametrize(("name", "value"), [("api-key", "key-of-acme"), ("Authorization", "Bearer key-of-acme")])
    def test_a_host_may_want_the_key_elsewhere(self, name: str, value: str) -> None:
        target = a_target("anthropic", quirks=Quirks(auth_header=name, query={"api-version": "1"}))
        call = DIALECT.call(target, a_request())
        assert call.headers[name.lower()] == value
        assert "x-api-key" not in call.headers
        assert call.url.endswith("/v1/messages?api-version=1")

    def test_the_providers_own_headers_win(self) -> None:
        target = a_target("anthropic", headers={"User-Agent": "tollgate"})
        assert DIALECT.call(target, a_request(headers={"user-agent": "x"})).headers["user-agent"] == "tollgate"

    def test_nothing_of_a_call_is_shown(self) -> None:
        assert "secret" not in repr(DIALECT.call(OPUS, a_request()))
        assert "secret" not in repr(OPUS)


class TestCount:
    def test_takes_only_what_counts(self) -> None:
        request = a_request(stream=True, temperature=1, metadata={}, system="s", tools=[], tomorrow=1)
        call = DIALECT.count_call(HAIKU, request)
        assert call.url.endswith("/v1/messages/count_tokens")
        assert orjson.loads(call.body) == {
            "model": "claude-haiku-4-5",
            "messages": [{"role": "user", "content": "hi"}],
            "system": "s",
            "tools": [],
            "tomorrow": 1,
        }

    def test_reads_the_count(self) -> None:
        assert DIALECT.count(b'{"input_tokens": 2095}') == 2095

    @pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"input_tokens": "7"}', b"<html>"])
    def test_anything_else_is_broken(self, payload: bytes) -> None:
        with pytest.raises(Broken):
            DIALECT.count(payload)


def _translator(target: Any = OPUS, *, stream: bool = True, **fields: Any) -> Any:
    return DIALECT.translator(target, a_request(stream=stream, **fields))


def _asked(stream: bytes) -> Any:
    """The translator of a request for the very model that a recorded stream names."""
    named = re.search(rb'"model": ?"([^"]+)"', stream)
    assert named is not None
    return _translator(model=named[1].decode())


class TestStream:
    def test_every_event_passes_byte_for_byte(self) -> None:
        events = told(_translator(), *ANSWER, names=True)
        assert [event.json for event in events] == list(ANSWER)
        assert [event.type for event in events][-3:] == ["an_event_of_tomorrow", "message_delta", "message_stop"]

    def test_the_gateway_reads_usage_from_the_same_events(self) -> None:
        events = told(_translator(), *ANSWER, names=True)
        assert events[0].data["message"]["usage"]["input_tokens"] == 25
        assert events[-2].data["usage"]["output_tokens"] == 15

    def test_a_mapped_model_answers_under_the_asked_name(self) -> None:
        events = told(_translator(HAIKU), START.replace(b"opus-4-8", b"haiku-4-5-20251001"), *ANSWER[1:])
        assert events[0].data == orjson.loads(START)
        assert [event.json for event in events[1:]] == list(ANSWER[1:])

    def test_an_unmapped_model_answers_under_the_asked_name_too(self) -> None:
        dated = START.replace(b"opus-4-8", b"opus-4-8-20260401")
        assert told(_translator(), dated, *ANSWER[1:])[0].data == orjson.loads(START)

    def test_json_spread_over_lines_becomes_one_line(self) -> None:
        spread = b'{"type":\n "ping"}'
        assert b"\n" not in told(_translator(), START, spread, *ANSWER[-2:])[1].json

    def test_nothing_is_said_before_anthropic_speaks(self) -> None:
        assert _translator().opening() == []
        assert _translator().feed("ping", b'{"type": "ping"}') == []

    @pytest.mark.parametrize("length", range(len(ANSWER)))
    def test_an_early_end_is_broken(self, length: int) -> None:
        with pytest.raises(Broken):
            told(_translator(), *ANSWER[:length])

    @pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"7", b"{}", b"null", b'"type"', ANSWER[3]])
    def test_what_is_not_an_event_is_broken(self, payload: bytes) -> None:
        with pytest.raises(Broken):
            _translator().feed("content_block_delta", payload)

    @pytest.mark.parametrize(
        ("kind", "status"), [(b"overloaded_error", 529), (b"rate_limit_error", 429), (b"error_of_tomorrow", 500)]
    )
    def test_an_error_before_the_start_is_a_status(self, kind: bytes, status: int) -> None:
        body = OVERLOADED.replace(b"overloaded_error", kind)
        with pytest.raises(Verbatim) as caught:
            _translator().feed("error", body)
        assert (caught.value.status, caught.value.body) == (status, body)

    def test_an_error_after_the_start_ends_the_stream(self) -> None:
        events = told(_translator(), *ANSWER[:4], OVERLOADED, *ANSWER[4:])
        assert [event.json for event in events] == [*ANSWER[:4], OVERLOADED]
        assert events[-1].type == "error"


class TestWhole:
    BODY = b'{"id":"msg_01A","type":"message","role":"assistant",\n "model":"claude-opus-4-8","content":[],"usage":{}}'

    def test_passes_byte_for_byte(self) -> None:
        (event,) = told(_translator(stream=False), self.BODY)
        assert (event.type, event.json) == ("message", self.BODY)

    def test_a_mapped_model_answers_under_the_asked_name(self) -> None:
        (event,) = told(_translator(HAIKU, stream=False), self.BODY.replace(b"opus-4-8", b"haiku-4-5-20251001"))
        assert event.data == orjson.loads(self.BODY)

    def test_an_error_with_a_200_is_a_status(self) -> None:
        with pytest.raises(Verbatim):
            told(_translator(stream=False), OVERLOADED)

    @pytest.mark.parametrize("payload", [b"", b"<html>", b"[]", b"{}", b'{"type":"completion"}'])
    def test_anything_else_is_broken(self, payload: bytes) -> None:
        with pytest.raises(Broken):
            _translator(stream=False).feed("", payload)


class TestRefusal:
    HEADERS = {
        "retry-after": "7",
        "x-should-retry": "false",
        "request-id": "req_1",
        "anthropic-ratelimit-requests-remaining": "0",
        "set-cookie": "no",
        "server": "no",
    }

    def test_keeps_status_body_and_the_headers_worth_it(self) -> None:
        error = DIALECT.refusal(OPUS, a_request(), 529, self.HEADERS, OVERLOADED)
        assert isinstance(error, Verbatim)
        assert (error.status, error.body) == (529, OVERLOADED)
        assert error.headers.keys() == self.HEADERS.keys() - {"set-cookie", "server"}

    @pytest.mark.parametrize(
        ("status", "kind"), [(502, Unavailable), (503, Unavailable), (401, Misconfigured), (429, Busy)]
    )
    @pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b'{"error":"no"}', b"[]", b"\xff"])
    def test_a_page_of_a_proxy_is_judged_by_its_status(self, status: int, kind: type[Exception], body: bytes) -> None:
        assert type(DIALECT.refusal(OPUS, a_request(), status, {}, body)) is kind


def test_events_stay_cheap() -> None:
    """No second look at a delta: the very payload is what goes out."""
    translator = _translator()
    for payload in ANSWER[:3]:
        translator.feed("", payload)
    (event,) = translator.feed("content_block_delta", ANSWER[3])
    assert isinstance(event, Event)
    assert event.json is ANSWER[3]


RECORDED = names("anthropic")


def _payloads(stream: bytes) -> list[bytes]:
    events, error = heard(_asked(stream), stream)
    assert error is None
    return [event.json for event in events]


class TestRecorded:
    """What Anthropic says goes through: the payloads on the wire are the events expected."""

    @pytest.mark.parametrize("name", RECORDED)
    def test_every_payload_passes_byte_for_byte(self, name: str) -> None:
        stream = wire_text("anthropic", name)
        said = [line.partition(b":")[2] for line in stream.splitlines() if line.startswith(b"data:")]
        assert [payload.strip() for payload in _payloads(stream)] == [payload.strip() for payload in said]

    @pytest.mark.parametrize("name", RECORDED)
    def test_what_goes_out_is_legal(self, name: str) -> None:
        judged(heard(_translator(), wire_text("anthropic", name))[0])

    @given(st.data())
    def test_it_may_be_cut_anywhere(self, data: st.DataObject) -> None:
        stream = wire_text("anthropic", data.draw(st.sampled_from(RECORDED)))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
        assert [event.json for event in heard(_asked(stream), stream, *cuts)[0]] == _payloads(stream)

    @given(st.data())
    def test_an_early_end_is_broken_wherever_it_comes(self, data: st.DataObject) -> None:
        stream = wire_text("anthropic", data.draw(st.sampled_from(RECORDED)))
        end = max(stream.rindex(b"data:"), 0)
        events, error = heard(_translator(), stream[: data.draw(st.integers(0, end))])
        assert isinstance(error, Broken)
        assert "message_stop" not in [event.type for event in events]
