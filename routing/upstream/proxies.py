"""The proxy on the way to a provider, from ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``.

aiohttp's own reading of them (``trust_env``) would also look into ``~/.netrc`` for every request, in a thread, and send
a provider what it finds there. So they are read here: once for each host, by the rules that curl and Go share.

Source: https://everything.curl.dev/usingcurl/proxies/env.html, https://pkg.go.dev/golang.org/x/net/http/httpproxy
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import aiohttp
from yarl import URL


@dataclass(frozen=True, slots=True)
class Proxy:
    """``url`` without credentials; these are in ``headers``, which go to the proxy alone."""

    url: URL
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def proxy_for(url: str) -> Proxy | None:
    """The proxy for ``url``, None for none. Raises ValueError for a variable that is no URL of an HTTP proxy."""
    parts = urlsplit(url)
    return _proxy(parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))


@lru_cache(maxsize=256)
def _proxy(scheme: str, host: str, port: int) -> Proxy | None:
    proxies = getproxies_environment()
    given = proxies.get(scheme) or proxies.get("all")
    if not given or _is_loopback(host) or _is_excepted(host, port, proxies.get("no", "")):
        return None
    url = URL(given if "://" in given else f"http://{given}")
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("a proxy must be an http:// or https:// URL")
    headers = {"proxy-authorization": aiohttp.encode_basic_auth(url.user, url.password or "")} if url.user else {}
    return Proxy(url.with_user(None), headers)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_excepted(host: str, port: int, exceptions: str) -> bool:
    """Whether NO_PROXY names ``host``: itself, a domain above it, its network, any of these with ``port``, or all."""
    return any(_matches(host, port, entry.strip().lower()) for entry in exceptions.split(","))


def _matches(host: str, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        try:
            return ip_address(host) in ip_network(entry, strict=False)
        except ValueError:
            return False
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isdecimal() and (":" not in name or name.startswith("[")):
        if int(wanted) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").lstrip(".")
    return bool(entry) and (host == entry or host.endswith(f".{entry}"))
