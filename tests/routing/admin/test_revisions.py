"""Revisions are read, and gone back to; never edited."""

from __future__ import annotations

import pytest
from django.test import Client

from accounting.models import User
from routing.mapping import revising
from routing.models import Provider, Revision, Tier
from tests.routing.mappings import ALL_KEYS, set_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def first(admin_user: User) -> Revision:
    set_up(**ALL_KEYS, BIG_MODEL="gpt-5.1")
    revision = Revision.objects.latest("id")
    with revising(admin_user, "too dear"):
        Tier.objects.filter(name="BIG").update(provider=Provider.objects.get(name="gemini"), model="gemini-2.5-pro")
    return revision


def test_list_and_page(admin_client: Client, first: Revision) -> None:
    page = admin_client.get("/admin/routing/revision/?q=dear").content.decode()
    assert "too dear" in page
    assert "BIG: openai/gpt-5.1 ⇒ gemini/gemini-2.5-pro" in page
    assert "BIG → openai/gpt-5.1" in admin_client.get(f"/admin/routing/revision/{first.pk}/change/").content.decode()
    assert admin_client.get("/admin/routing/revision/add/").status_code == 403


def test_rollback_shows_itself_first(admin_client: Client, first: Revision) -> None:
    url = f"/admin/routing/revision/{first.pk}/rollback/"
    page = admin_client.get(url).content.decode()
    assert "BIG: gemini/gemini-2.5-pro ⇒ openai/gpt-5.1" in page
    assert Tier.objects.get(name="BIG").model == "gemini-2.5-pro"
    assert admin_client.post(url, {"reason": "it was better"}).status_code == 302
    assert Tier.objects.get(name="BIG").model == "gpt-5.1"
    assert Revision.objects.latest("id").reason == "it was better"


def test_what_cannot_be_restored_says_so(admin_client: Client, first: Revision) -> None:
    Revision.objects.filter(pk=first.pk).update(
        snapshot={"tiers": {"BIG": {"provider": "gone", "model": "", "position": 0}}, "patterns": [], "overrides": []}
    )
    url = f"/admin/routing/revision/{first.pk}/rollback/"
    assert "no provider &#x27;gone&#x27;" in admin_client.get(url).content.decode()
    admin_client.post(url)
    assert Tier.objects.get(name="BIG").model == "gemini-2.5-pro"
