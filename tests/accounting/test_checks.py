"""A mistake in what is set about money is told by its number, with the mend."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from accounting.checks import keys, mail, money, networks


def test_what_is_set_by_default_is_fine() -> None:
    assert [*money(None), *networks(None), *keys(None), *mail(None)] == []


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("BUDGET_RESERVATION", "generous", "tollgate.E005"),
        ("LEDGER_LEASE_SECONDS", 0.5, "tollgate.E006"),
        ("BUDGET_WEBHOOK_URL", "hooks.example.com/x", "tollgate.E007"),
    ],
)
def test_each_mistake_has_its_number_and_its_mend(
    settings: LazySettings, name: str, value: object, number: str
) -> None:
    setattr(settings, name, value)
    (message,) = money(None)
    assert message.id == number
    assert message.hint


@pytest.mark.parametrize("name", ["TRUSTED_PROXIES", "METRICS_NETWORKS"])
def test_a_network_that_is_none_is_told_by_its_setting(settings: LazySettings, name: str) -> None:
    setattr(settings, name, ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7", "nginx"])
    (message,) = networks(None)
    assert message.id == "tollgate.E008"
    assert f"{name} names 'nginx'" in message.msg


@pytest.mark.parametrize("name", ["ENCRYPTION_KEYS", "KEY_PEPPERS"])
def test_a_secret_without_its_number_is_told_and_not_shown(settings: LazySettings, name: str) -> None:
    setattr(settings, name, ["very-secret"])
    (message,) = keys(None)
    assert message.id == "tollgate.E009"
    assert name in message.msg
    assert "very-secret" not in message.msg


def test_links_in_mails_must_lead_here(settings: LazySettings) -> None:
    settings.MAIL_IS_SENT, settings.PUBLIC_URL, settings.ALLOWED_HOSTS = True, "", ["*"]
    (message,) = mail(None)
    assert message.id == "tollgate.W007"
    settings.PUBLIC_URL = "https://gateway.example.com"
    assert mail(None) == []
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "", ["gateway.example.com"]
    assert mail(None) == []
