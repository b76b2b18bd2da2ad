"""The cache in Redis, which pages do without while Redis is away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

_log = logging.getLogger(__name__)
_SECONDS = 2.0  # for Redis to answer: a page waits for it


def _patient(name: str) -> Callable[..., Any]:
    def method(self: PatientRedisCache, *args: Any, **options: Any) -> Any:
        try:
            return getattr(RedisCache, name)(self, *args, **options)
        except (RedisError, OSError) as error:
            _log.warning("Redis does not answer, so this process caches for itself: %s", error)
            return getattr(self.memory, name)(*args, **options)

    return method


class PatientRedisCache(RedisCache):
    """Django's cache in Redis; while Redis does not answer, one in this process's memory.

    So people can sign in then, and guessing is still slowed, by each worker for itself.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        waits = {"socket_timeout": _SECONDS, "socket_connect_timeout": _SECONDS}
        super().__init__(server, params | {"OPTIONS": waits | params.get("OPTIONS", {})})
        self.memory = LocMemCache(
            "while Redis is away", {key: value for key, value in params.items() if key != "OPTIONS"}
        )

    add = _patient("add")
    get = _patient("get")
    set = _patient("set")
    touch = _patient("touch")
    delete = _patient("delete")
    get_many = _patient("get_many")
    has_key = _patient("has_key")
    incr = _patient("incr")
    set_many = _patient("set_many")
    delete_many = _patient("delete_many")
    clear = _patient("clear")
