"""Models from the provider's own list: by the API and in the admin, page by page, and its errors in its own words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.test import Client

from accounting.models import Generation
from routing import discovery
from routing.models import Model, Provider
from routing.table import load
from tests.routing.mappings import ALL_KEYS, set_up
from tests.support.provider import ScriptedProvider

CLAUDES = [f"claude-sonnet-{number}" for number in range(20, 45)]
KNOWN = [
    *("gpt-4o", "gpt-4o-2024-08-06", "gpt-9-turbo", "text-embedding-9"),
    *("gemini-2.5-flash", "gemini-9-pro", "gemini-embedding-9"),
    *CLAUDES,
]


@pytest.fixture
def provider(db: None) -> Iterator[ScriptedProvider]:
    Generation.objects.get_or_create(pk=1)
    with ScriptedProvider(known=KNOWN) as scripted:
        set_up(
            **ALL_KEYS,
            OPENAI_BASE_URL=f"{scripted.base_url}/v1",
            GEMINI_API_BASE=scripted.base_url,
            ANTHROPIC_API_BASE=scripted.base_url,
        )
        yield scripted


def row(name: str) -> Provider:
    return Provider.objects.get(name=name)


def names(models: Any) -> list[str]:
    return [model.name for model in models]


def test_openais_list_is_compared_with_what_is_known(provider: ScriptedProvider) -> None:
    Model.objects.create(provider=row("openai"), name="gpt-long-gone")
    Model.objects.create(provider=row("openai"), name="gpt-off-anyway", enabled=False)
    found = discovery.discover(row("openai"))
    assert {"gpt-9-turbo", "gemini-9-pro"} <= set(names(found.new))
    assert "gpt-4o" in found.known
    assert "gpt-4o-2024-08-06" not in names(found.new), "its undated name is known"
    assert "text-embedding-9" in names(found.aside)
    assert "gpt-long-gone" in found.gone
    assert "gpt-off-anyway" not in found.gone


@pytest.mark.parametrize(("name", "prefix", "most"), [("anthropic", "claude-sonnet-", 7), ("gemini", "gemini-", 1)])
def test_every_page_of_a_list_is_read(provider: ScriptedProvider, name: str, prefix: str, most: int) -> None:
    whole = discovery.discover(row(name))
    provider.desk.page = most
    provider.clear()
    assert discovery.discover(row(name)) == whole
    listed = [one for one in KNOWN if one.startswith(prefix)]
    assert len(provider.requests) == -(-len(listed) // most) > 1


def test_gemini_says_what_holds_no_conversation_and_how_large_the_rest_is(provider: ScriptedProvider) -> None:
    found = discovery.discover(row("gemini"))
    (new,) = found.new
    assert (new.name, new.context_window, new.max_output) == ("gemini-9-pro", 1_048_576, 65_536)
    assert names(found.aside) == ["gemini-embedding-9"]


def test_a_provider_without_a_list_says_so(provider: ScriptedProvider) -> None:
    with pytest.raises(discovery.NotListed, match="no list"):
        discovery.discover(row("demo"))


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("openai", 401, "Incorrect API key provided"),
        ("anthropic", 401, "invalid x-api-key"),
        ("gemini", 400, "API key not valid"),
    ],
)
def test_a_refusal_is_told_in_the_providers_own_words(
    provider: ScriptedProvider, name: str, status: int, words: str
) -> None:
    provider.desk.api_key = "another"
    with pytest.raises(discovery.NotListed) as refused:
        discovery.discover(row(name))
    assert (refused.value.status, words in refused.value.message) == (status, True), refused.value.message
    assert ALL_KEYS["OPENAI_API_KEY"] not in refused.value.message


def test_a_provider_that_is_not_there(provider: ScriptedProvider) -> None:
    provider.stop()
    with pytest.raises(discovery.NotListed, match="cannot be reached"):
        discovery.discover(row("openai"))


def test_what_is_chosen_is_taken_over_and_on_record(provider: ScriptedProvider, admin_client: Client) -> None:
    gemini = row("gemini")
    Model.objects.create(provider=gemini, name="gemini-long-gone")
    url = f"/admin/routing/provider/{gemini.pk}/discover/"
    page = admin_client.get(url).content.decode()
    for said in ("gemini-9-pro", "1,048,576", "gemini-long-gone", "gemini-embedding-9"):
        assert said in page
    data = {"add": ["gemini-9-pro", "not-on-the-list"], "switch_off": ["gemini-long-gone", "gemini-2.5-flash"]}
    told = admin_client.post(url, data, follow=True).content.decode()
    assert "1 model(s) added, 1 switched off" in told
    table = load()
    assert table.hosts["gemini"].known["gemini-9-pro"].facts["context_window"] == 1_048_576
    assert table.owners["gemini-9-pro"] == ("gemini",)
    assert not table.hosts["gemini"].known["gemini-long-gone"].enabled
    assert table.hosts["gemini"].known["gemini-2.5-flash"].enabled
    noted = LogEntry.objects.get(object_repr="gemini/gemini-9-pro")
    assert str(noted.actor) == "admin"


def test_the_page_shows_the_providers_error_and_no_key(provider: ScriptedProvider, admin_client: Client) -> None:
    provider.desk.api_key = "another"
    page = admin_client.get(f"/admin/routing/provider/{row('openai').pk}/discover/").content.decode()
    assert "HTTP 401" in page
    assert "Incorrect API key" in page
    assert ALL_KEYS["OPENAI_API_KEY"] not in page
    posted = admin_client.post(f"/admin/routing/provider/{row('openai').pk}/discover/", {"add": ["x"]}, follow=True)
    assert "Incorrect API key" in posted.content.decode()
