"""Provider keys: sealed, rotated with a grace time, and never shown."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from routing import credentials
from routing.models import Credential, Provider
from routing.table import load

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return Provider.objects.create(name="openai", dialect="openai_chat", base_url="https://api.openai.com/v1")


def key() -> str:
    return load().hosts["openai"].api_key


def test_a_key_is_sealed_and_only_hinted_at(provider: Provider) -> None:
    stored = credentials.store(provider, "  sk-abcdefghijklmnop-WXYZ\n")
    assert "abcdefgh" not in stored.sealed
    assert stored.hint == "…WXYZ"
    assert key() == "sk-abcdefghijklmnop-WXYZ"
    assert credentials.hint("short") == "…"


def test_rotation_takes_effect_at_once_and_can_be_taken_back(provider: Provider) -> None:
    old = credentials.store(provider, "old-key")
    credentials.store(provider, "new-key", grace=timedelta(hours=1))
    assert key() == "new-key"
    old.refresh_from_db()
    assert old.is_live
    credentials.reinstate(old)
    assert key() == "old-key"
    assert Credential.objects.count() == 1


def test_what_is_past_its_grace_time_is_gone(provider: Provider) -> None:
    old = credentials.store(provider, "old-key")
    Credential.objects.filter(pk=old.pk).update(retired_at=timezone.now() - timedelta(seconds=1))
    assert key() == ""
    credentials.store(provider, "new-key")
    assert list(Credential.objects.values_list("hint", flat=True)) == ["…"]
    assert key() == "new-key"


def test_a_key_that_no_longer_opens_is_told_of_without_its_value(
    provider: Provider, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    stored = credentials.store(provider, "sk-abcdefghijklmnop")
    settings.ENCRYPTION_KEYS = ["2:another"]
    with caplog.at_level(logging.ERROR):
        assert key() == ""
    assert "No encryption key with number '0'" in caplog.text
    assert stored.sealed not in caplog.text
    settings.ENCRYPTION_KEYS = ["2:another", f"0:{settings.SECRET_KEY}"]
    assert key() == "sk-abcdefghijklmnop"
