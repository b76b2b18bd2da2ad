"""Proxies from the environment: which hosts go through one, and that a whole answer does."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterator

import pytest

from routing.upstream import proxies
from routing.upstream.errors import Misconfigured, Unavailable
from routing.upstream.proxies import proxy_for

from .hosts import WHOLE, all_events, response, serving, target

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    proxies._proxy.cache_clear()
    yield
    proxies._proxy.cache_clear()


def test_each_scheme_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.corp:3128")
    found = proxy_for("https://api.openai.com/v1/responses")
    assert found is not None
    assert str(found.url) == "http://proxy.corp:3128"
    assert found.headers == {}
    assert proxy_for("http://vllm.corp:8000/v1") is None


@pytest.mark.parametrize("given", ["http://me:p%40ss@proxy.corp:3128", "me:p%40ss@proxy.corp:3128"])
def test_a_credential_is_taken_apart_and_never_shown(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", given)
    found = proxy_for("https://api.openai.com/v1")
    assert found is not None
    secret = b64encode(b"me:p@ss").decode()
    assert (str(found.url), found.headers) == ("http://proxy.corp:3128", {"proxy-authorization": f"Basic {secret}"})
    assert secret not in repr(found)


@pytest.mark.parametrize(
    ("exceptions", "url", "direct"),
    [
        ("", "https://api.openai.com", False),
        ("*", "https://api.openai.com", True),
        ("corp, .example.com", "https://llm.corp", True),
        ("corp, .example.com", "https://a.b.example.com", True),
        ("corp, .example.com", "https://example.com", True),
        ("corp", "https://notcorp", False),
        ("*.corp", "https://llm.corp", True),
        ("LLM.Corp", "https://llm.corp", True),
        ("llm.corp:8000", "https://llm.corp:8000/v1", True),
        ("llm.corp:8000", "https://llm.corp/v1", False),
        ("llm.corp:443", "https://llm.corp/v1", True),
        ("10.0.0.0/8", "https://10.2.3.4", True),
        ("10.0.0.0/8", "https://11.2.3.4", False),
        ("10.0.0.0/8,what/ever", "https://llm.corp", False),
        ("fd00::/8", "https://[fd00::1]:8000/v1", True),
        ("[fd00::1]:8000", "https://[fd00::1]:8000/v1", True),
        ("fd00::1", "https://[fd00::1]/v1", True),
        ("", "http://127.0.0.1:9000/v1", True),
        ("", "http://localhost:9000/v1", True),
        ("", "http://[::1]:9000/v1", True),
        (" ,.,:", "https://api.openai.com", False),
    ],
)
def test_who_is_asked_without_one(exceptions: str, url: str, direct: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy.corp:3128")
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert (proxy_for(url) is None) is direct


async def test_an_answer_comes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a plain host the proxy is sent the whole URL, and its own credential beside the provider's."""
    heads: list[bytes] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(response(WHOLE))
        await writer.drain()

    async with serving(relay) as address:
        monkeypatch.setenv("HTTP_PROXY", address.replace("://", "://me:secret@"))
        (event,) = await all_events(target("http://llm.corp"), stream=False)
    assert event.type == "message"
    assert heads[0].startswith(b"POST http://llm.corp/v1/messages ")
    assert b"Basic " + b64encode(b"me:secret") in heads[0]


async def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a secure host it is asked for a tunnel, and sees its own credential alone."""
    heads: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(response(b"", status="407 Proxy Authentication Required"))
        await writer.drain()

    async with serving(refuse) as address:
        monkeypatch.setenv("HTTPS_PROXY", address.replace("://", "://me:secret@"))
        with pytest.raises(Unavailable, match="the proxy on the way there answered 407"):
            await all_events(target("https://llm.corp"))
    assert heads[0].startswith(b"CONNECT llm.corp:443 ")
    assert b"Basic " + b64encode(b"me:secret") in heads[0]
    assert b"key-of-acme" not in heads[0]


async def test_a_proxy_that_is_no_url_is_the_admins_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://proxy.corp:1080")
    with pytest.raises(Misconfigured, match="HTTPS_PROXY"):
        await all_events(target("https://llm.corp"))
