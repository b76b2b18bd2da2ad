"""Where a request comes from: the peer's address, or what a trusted reverse proxy says of it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def client_address(peer: str, forwarded_for: str = "") -> str:
    """The client's IP address: ``peer``, or behind a trusted proxy (``TRUSTED_PROXIES``) the last address in
    ``forwarded_for`` (the X-Forwarded-For header) that such a proxy did not add itself; "" if not known.
    """
    if not _is_trusted(peer):
        return peer
    for hop in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()]):
        peer = hop
        if not _is_trusted(hop):
            break
    return peer


def address_of(request: HttpRequest) -> str:
    """``client_address`` of a request to a page."""
    return client_address(str(request.META.get("REMOTE_ADDR") or ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))


def address_for_the_record(request: HttpRequest) -> str | None:
    """``address_of``, None where that is none: a proxy may hand on whatever a client wrote."""
    found = address_of(request)
    try:
        return str(ip_address(found))
    except ValueError:
        return None


def _is_trusted(address: str) -> bool:
    if not settings.TRUSTED_PROXIES:
        return False
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in ip_network(network, strict=False) for network in settings.TRUSTED_PROXIES)
