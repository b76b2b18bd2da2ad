"""Redis may be away, or silent: the cache is then the process's own, and people still sign in."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings

from accounting.models import User
from proxysite.cache import PatientRedisCache
from tests.support.gateway import free_port


@pytest.fixture(params=["refuses", "is silent"])
def location(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "refuses":
        yield f"redis://127.0.0.1:{free_port()}"
        return
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"


def _cache(location: str) -> PatientRedisCache:
    return PatientRedisCache(location, {"OPTIONS": {"socket_timeout": 0.1}})


def test_what_is_kept_is_found_again(location: str, caplog: pytest.LogCaptureFixture) -> None:
    cache = _cache(location)
    cache.clear()
    assert cache.get("hits", []) == []
    assert cache.add("lock", True, timeout=5)
    assert not cache.add("lock", True, timeout=5)
    cache.set("hits", [1, 2], 60)
    assert cache.get("hits") == [1, 2]
    assert cache.incr("lock") == 2
    assert cache.delete("lock")
    cache.set_many({"a": 1, "b": 2})
    assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    assert "Redis does not answer" in caplog.text


def test_a_silent_redis_costs_no_more_than_its_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        cache = PatientRedisCache(f"redis://127.0.0.1:{listener.getsockname()[1]}", {})
        began = time.monotonic()
        assert cache.get("x") is None
        assert time.monotonic() - began < 10


@pytest.mark.django_db
def test_people_sign_in_and_guessing_is_still_slowed(settings: Settings, client: Client) -> None:
    location = f"redis://127.0.0.1:{free_port()}"
    settings.CACHES = {"default": {"BACKEND": "proxysite.cache.PatientRedisCache", "LOCATION": location}}
    caches["default"].clear()
    User.objects.create_user("ada", password="a long password")
    wrong = {"login": "ada", "password": "wrong"}
    *_, last = [client.post("/accounts/login/", wrong) for _ in range(6)]
    assert "Too many failed login attempts" in last.content.decode()
    caches["default"].clear()
    assert client.post("/accounts/login/", {"login": "ada", "password": "a long password"}).status_code == 302
