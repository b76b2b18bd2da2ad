"""Where a request comes from: the peer's address, or what a trusted reverse proxy says of it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from django.conf import settings


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


def _is_trusted(address: str) -> bool:
    if not settings.TRUSTED_PROXIES:
        return False
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in ip_network(network, strict=False) for network in settings.TRUSTED_PROXIES)
