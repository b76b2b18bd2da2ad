"""Providers and their write-only keys; models."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.utils import timezone

from routing.models import Credential, Model, Provider, Tier
from routing.table import load
from tests.routing.mappings import ALL_KEYS, set_up

pytestmark = pytest.mark.django_db
SECRET = "sk-a-very-secret-value-7788"


def form(provider: Provider, **more: str) -> dict[str, str]:
    keys = provider.credentials.count() if provider.pk else 0
    return {
        "dialect": provider.dialect,
        "base_url": provider.base_url,
        "reasoning_dialect": provider.reasoning_dialect,
        "litellm_provider": "",
        "price_family": provider.price_family,
        "headers": json.dumps(provider.headers),
        "quirks": json.dumps(provider.quirks),
        "grace": "24",
        "credentials-TOTAL_FORMS": str(keys),
        "credentials-INITIAL_FORMS": str(keys),
        **{f"credentials-{n}-id": str(one.pk) for n, one in enumerate(provider.credentials.all() if keys else ())},
        **{f"credentials-{n}-provider": str(provider.pk) for n in range(keys)},
        **more,
    }


def test_a_first_key_switches_on_and_the_demo_steps_aside(admin_client: Client) -> None:
    set_up()
    gemini = Provider.objects.get(name="gemini")
    url = f"/admin/routing/provider/{gemini.pk}/change/"
    page = admin_client.post(url, form(gemini, new_key=SECRET), follow=True).content.decode()
    assert "The demo has stepped aside" in page
    assert load().hosts["gemini"].api_key == SECRET
    assert Tier.objects.get(name="BIG").provider == gemini
    assert not Provider.objects.get(name="demo").enabled


def test_a_key_is_rotated_with_grace_and_put_back(admin_client: Client) -> None:
    set_up(**ALL_KEYS)
    openai = Provider.objects.get(name="openai")
    url = f"/admin/routing/provider/{openai.pk}/change/"
    admin_client.post(url, form(openai, enabled="on", new_key=SECRET, grace="1"))
    assert load().hosts["openai"].api_key == SECRET
    old = openai.credentials.get(retired_at__isnull=False)
    assert old.retired_at is not None
    assert timedelta(minutes=55) < old.retired_at - timezone.now() <= timedelta(hours=1)
    again = f"/admin/routing/provider/credential/{old.pk}/reinstate/"
    assert admin_client.get(again).status_code == 200
    assert load().hosts["openai"].api_key == SECRET, "looking changes nothing"
    admin_client.post(again)
    assert load().hosts["openai"].api_key == ALL_KEYS["OPENAI_API_KEY"]


def test_saving_without_a_key_keeps_the_one_there(admin_client: Client) -> None:
    set_up(**ALL_KEYS)
    openai = Provider.objects.get(name="openai")
    data = form(openai, enabled="on") | {"base_url": "https://llm.example.com/v1"}
    assert admin_client.post(f"/admin/routing/provider/{openai.pk}/change/", data).status_code == 302
    host = load().hosts["openai"]
    assert (host.api_key, host.base_url) == (ALL_KEYS["OPENAI_API_KEY"], "https://llm.example.com/v1")


def test_no_key_is_ever_shown_logged_or_audited(admin_client: Client, caplog: pytest.LogCaptureFixture) -> None:
    set_up(**ALL_KEYS)
    openai = Provider.objects.get(name="openai")
    url = f"/admin/routing/provider/{openai.pk}/change/"
    with caplog.at_level(logging.DEBUG):
        data = form(openai, enabled="on", new_key=SECRET) | {
            "headers": '{"x-key": "header-secret-55"}',
            "quirks": "[1]",
        }
        refused = admin_client.post(url, data).content.decode()
        assert "JSON object" in refused
        assert SECRET not in refused
        admin_client.post(url, data | {"quirks": "{}"})
        pages = [admin_client.get(one).content.decode() for one in (url, "/admin/routing/provider/")]
    sealed = list(Credential.objects.values_list("sealed", flat=True))
    audited = json.dumps(list(LogEntry.objects.values("changes", "object_repr", "additional_data", "serialized_data")))
    for text in (*pages, caplog.text, audited):
        assert SECRET not in text
        assert not [one for one in sealed if one in text]
    assert "header-secret-55" not in audited
    assert "…7788" in pages[1]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("base_url", "not a url", "A URL such as"),
        ("quirks", '{"speed": 1}', "no field"),
        ("headers", "[1]", "JSON object"),
    ],
)
def test_what_is_malformed_is_told(admin_client: Client, field: str, value: str, said: str) -> None:
    set_up(**ALL_KEYS)
    openai = Provider.objects.get(name="openai")
    page = admin_client.post(
        f"/admin/routing/provider/{openai.pk}/change/", form(openai, enabled="on") | {field: value}
    )
    assert said in page.content.decode()


def test_an_empty_list_for_an_object_breaks_nothing(admin_client: Client) -> None:
    set_up(**ALL_KEYS)
    openai = Provider.objects.get(name="openai")
    data = form(openai, enabled="on") | {"headers": "[]", "quirks": "[]"}
    admin_client.post(f"/admin/routing/provider/{openai.pk}/change/", data)
    assert load().hosts["openai"].enabled


def test_a_known_host_is_spoken_to_as_it_wants(admin_client: Client) -> None:
    set_up(**ALL_KEYS)
    row = Provider(name="mistral", dialect="openai_chat", base_url="https://api.mistral.ai/v1")
    admin_client.post("/admin/routing/provider/add/", {"name": "mistral"} | form(row, enabled="on"))
    assert load().hosts["mistral"].quirks.stream_usage is False
    made = Provider.objects.get(name="mistral")
    assert (made.price_family, made.quirks) == ("mistral", {})
    assert made.models.filter(name="mistral-large-latest").exists()
    page = admin_client.get(f"/admin/routing/provider/{made.pk}/change/").content.decode()
    assert "stream_usage: False" in page


def test_actions_on_many_rows(admin_client: Client) -> None:
    set_up(**ALL_KEYS)
    ids = [str(pk) for pk in Model.objects.filter(name__startswith="o1").values_list("pk", flat=True)]
    admin_client.post("/admin/routing/model/", {"action": "switch_off", "_selected_action": ids})
    assert not Model.objects.filter(pk__in=ids, enabled=True).exists()
    openai = Provider.objects.get(name="openai")
    Model.objects.filter(name="gpt-5.1").delete()
    act = {"action": "add_current_models", "_selected_action": [str(openai.pk)]}
    admin_client.post("/admin/routing/provider/", act)
    assert openai.models.filter(name="gpt-5.1").exists()


def test_models_are_searched_and_shown_with_what_the_list_says(admin_client: Client) -> None:
    set_up(**ALL_KEYS)
    page = admin_client.get("/admin/routing/model/?q=gpt-5.1").content.decode()
    assert "272,000" in page
    one = Model.objects.get(name="gpt-5.1")
    page = admin_client.get(f"/admin/routing/model/{one.pk}/change/").content.decode()
    assert "thinking as effort" in page
    assert admin_client.get("/admin/routing/model/add/").status_code == 200
