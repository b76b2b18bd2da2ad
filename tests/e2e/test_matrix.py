"""Every claim of ``docs/translation.md``, proven: a feature in a dialect in a mode is native, degraded or refused."""

from __future__ import annotations

import httpx
import orjson
import pytest

from tests.support.grammar import Transcript, check_message, check_stream
from tests.support.provider import ScriptedProvider

from .asking import MODELS, Asker
from .matrix import SECTIONS
from .matrix.cells import DIALECTS, Asking, Cell, Exchange, Feature
from .matrix.page import PATH, page

CLAIMS = [
    pytest.param(
        feature, dialect, stream, id=f"{feature.name}-{dialect}-{'streamed' if stream else 'plain'}".replace(" ", "_")
    )
    for section in SECTIONS
    for feature in section.features
    for dialect in DIALECTS
    for stream in (True, False)
    if feature.cell(dialect, stream=stream).kind != "absent"
]


@pytest.mark.parametrize(("feature", "dialect", "stream"), CLAIMS)
def test_a_claim_holds(
    feature: Feature, dialect: str, stream: bool, ask: Asker, client: httpx.Client, provider: ScriptedProvider
) -> None:
    cell = feature.cell(dialect, stream=stream)
    model = feature.models.get(dialect, MODELS[dialect])
    client.headers.update(feature.headers)
    provider.reply(*feature.replies)
    if feature.hook is not None:
        provider.on(feature.hook)
    if feature.way is not None:
        response = feature.way(Asking(ask, provider, model, stream))
    else:
        response = ask.post(model, *feature.messages, stream=stream, **feature.body)
    seen = provider.requests[-1] if provider.requests else None
    exchange = Exchange(
        response,
        _heard(response, relaxed=dialect == "anthropic"),
        None if seen is None else seen.body,
        {} if seen is None else seen.headers,
    )
    if cell.theirs:
        assert [response.text] == provider.refusals, "handed on byte for byte"
        assert cell.theirs in response.text
        return
    assert provider.refusals == [], "the gateway sent what the provider does not take"
    if cell.kind == "refused":
        _check_refusal(cell, exchange)
    else:
        assert cell.check(exchange), f"{cell}\nsent: {exchange.said[:3000]}\nheard: {response.text[:2000]}"


def _heard(response: httpx.Response, *, relaxed: bool) -> Transcript:
    """The judged answer, empty where there is none."""
    if response.headers["content-type"].startswith("text/event-stream"):
        return check_stream(response.content, relaxed=relaxed)
    data = response.json()
    return check_message(data, relaxed=relaxed) if data.get("type") == "message" else Transcript()


def _check_refusal(cell: Cell, exchange: Exchange) -> None:
    assert exchange.response.status_code == 400, exchange.response.text
    assert exchange.sent is None, "refused before anything is sent"
    error = orjson.loads(exchange.response.content)["error"]
    assert error["type"] == "invalid_request_error"
    assert cell.how in error["message"]


def test_every_feature_is_claimed_for_every_dialect() -> None:
    names = [feature.name for section in SECTIONS for feature in section.features]
    assert len(set(names)) == len(names)
    for section in SECTIONS:
        for feature in section.features:
            assert set(feature.cells) == set(DIALECTS), feature.name


def test_the_docs_are_the_table() -> None:
    assert PATH.read_text() == page(), "stale: run `make docs`"
