"""Parameters in shared terms: effort, limits, pseudonyms."""

from __future__ import annotations

from typing import Any

import pytest

from routing.upstream import parameters
from routing.upstream.target import Capabilities

from .factories import a_request

REASONING = Capabilities(reasoning="effort", efforts=("minimal", "low", "medium", "high"))


@pytest.mark.parametrize(
    ("fields", "efforts", "word"),
    [
        ({}, ("low", "high"), None),
        ({"thinking": {"type": "disabled"}}, ("none", "low"), "none"),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}}, ("minimal", "high"), "minimal"),
        ({"thinking": {"type": "adaptive"}}, ("low", "medium", "high"), "high"),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}, ("low", "high"), "low"),
        ({"output_config": {"effort": "max"}}, ("low", "medium", "high"), "high"),
        ({"output_config": {"effort": "max"}}, ("high", "xhigh", "low"), "xhigh"),
        ({"output_config": {"effort": "low"}}, ("medium", "high"), "medium"),
        ({"output_config": {"effort": "unheard-of"}, "thinking": {"type": "adaptive"}}, ("low", "high"), "high"),
        ({"thinking": {"type": "enabled", "budget_tokens": 4000}}, ("low", "medium", "high"), "low"),
        ({"thinking": {"type": "enabled", "budget_tokens": 10000}}, ("low", "medium", "high"), "medium"),
        ({"thinking": {"type": "enabled", "budget_tokens": 31999}}, ("low", "medium", "high"), "high"),
        ({"thinking": {"type": "adaptive"}}, (), None),
    ],
)
def test_effort(fields: dict[str, Any], efforts: tuple[str, ...], word: str | None) -> None:
    assert parameters.effort(a_request(**fields), Capabilities(reasoning="effort", efforts=efforts)) == word


def test_a_model_that_does_not_reason_is_told_no_effort() -> None:
    assert parameters.effort(a_request(output_config={"effort": "high"}), Capabilities()) is None


def test_output_is_cut_to_what_the_model_writes() -> None:
    assert parameters.max_output(a_request(max_tokens=64_000), Capabilities(max_output=16_384)) == 16_384
    assert parameters.max_output(a_request(max_tokens=100), Capabilities(max_output=16_384)) == 100
    assert parameters.max_output(a_request(max_tokens=64_000), Capabilities()) == 64_000


def test_thinking_is_shown_only_to_those_who_asked() -> None:
    assert parameters.thinking_shown(a_request(thinking={"type": "adaptive"}))
    assert not parameters.thinking_shown(a_request(thinking={"type": "adaptive", "display": "omitted"}))
    assert not parameters.thinking_shown(a_request(thinking={"type": "disabled"}))
    assert not parameters.thinking_shown(a_request())


def test_the_person_is_the_account_and_leaves_only_as_a_digest() -> None:
    def user(user_id: str) -> str:
        return parameters.end_user(a_request(metadata={"user_id": user_id}))

    first = user('{"device_id":"d","account_uuid":"a","session_id":"1"}')
    assert first == user('{"device_id":"e","account_uuid":"a","session_id":"2"}')
    assert user('{"device_id":"d","account_uuid":"","session_id":"1"}') == user('{"device_id":"d","session_id":"2"}')
    assert len(user("jane@example.org")) == 32
    assert "jane" not in user("jane@example.org")
    assert parameters.end_user(a_request()) == ""


def test_a_session_has_one_cache_key() -> None:
    assert parameters.cache_key(a_request()) == ""
    assert parameters.cache_key(a_request(session_id="s")) == parameters.cache_key(a_request(session_id="s"))
    assert parameters.cache_key(a_request(session_id="s")) != parameters.cache_key(a_request(session_id="t"))


def test_the_answers_schema_under_its_new_and_its_old_name() -> None:
    asked = {"type": "json_schema", "schema": {"type": "object"}}
    assert parameters.json_schema(a_request(output_config={"format": asked})) == {"type": "object"}
    assert parameters.json_schema(a_request(output_format=asked)) == {"type": "object"}
    assert parameters.json_schema(a_request(output_config={"effort": "low"})) is None
