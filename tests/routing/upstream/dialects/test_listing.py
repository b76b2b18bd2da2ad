"""Providers' lists of models, whatever comes."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.upstream.dialect import Listed, ListPage
from routing.upstream.dialects import listing
from routing.upstream.errors import Broken, Unavailable
from routing.upstream.words import own_words, without_key
from tests.routing.upstream.factories import a_target

READERS = [listing.openai, listing.anthropic, listing.gemini]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "models", "id", "name", "has_more", "last_id", "context_length", "displayName"]),
            inner,
        )
    ),
)


def test_openrouter_and_vllm_add_sizes() -> None:
    rows = [
        {"id": "a/b", "name": "A: B", "context_length": 8192},
        {"id": "local", "max_model_len": 4096},
        {"id": "local", "max_model_len": -1},
    ]
    found = listing.openai(orjson.dumps({"data": rows})).models
    assert found == (Listed("a/b", "A: B", 8192), Listed("local", "", 4096), Listed("local"))
    assert listing.openai(orjson.dumps(rows)).models == found, "some hosts send the bare list"


def test_a_provider_without_models() -> None:
    assert listing.gemini(b"{}") == ListPage(())


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("payload", [b"", b"<", b"7", b'{"data": 1, "models": 1}', b'{"data": [1], "models": [1]}'])
def test_what_is_no_list_is_broken(read: Callable[[bytes], ListPage], payload: bytes) -> None:
    with pytest.raises(Broken):
        read(payload)


@pytest.mark.parametrize("read", READERS)
@given(data=JSON)
def test_nothing_else_is_ever_raised(read: Callable[[bytes], ListPage], data: object) -> None:
    try:
        page = read(orjson.dumps(data))
    except Broken:
        return
    assert all(model.name for model in page.models)


def test_no_part_of_a_key_is_shown() -> None:
    key = "sk-proj-AbCdEfGh0123456789"
    assert without_key(f"Wrong key: {key}. See https://example.com", key) == "Wrong key: … See https://example.com"
    assert without_key("Wrong key: sk-proj-AbCdEfGh0*****.", key) == "Wrong key: …"
    assert without_key("abc: a key", "a") == "abc: … key"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "Pay first."}}', "Pay first."),
        (b'{"type": "error", "error": {"type": "x", "message": "No."}}', "No."),
        (b'[{"error": {"message": "Google\'s."}}]', "Google's."),
        (b"<html>a proxy's page</html>", "ours"),
        (b"plain words", "plain words"),
        (b"", "ours"),
        (b"[]", "ours"),
    ],
)
def test_a_refusals_own_words(body: bytes, said: str) -> None:
    error = Unavailable("ours")
    error.body = body
    assert own_words(error, a_target("openai_chat", "gpt-4o")) == said
