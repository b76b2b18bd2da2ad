"""Static files, the content security policy of each part of the site, the viewer's time zone, who acts from where."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any

from auditlog.middleware import AuditlogMiddleware
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from accounting.addresses import address_for_the_record


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise, for an asynchronous server and a fresh checkout.

    Its answers iterate over a file, which Django's ASGI handler can only take in whole, with a warning; these are whole
    from the start, and small. ``collectstatic``, which makes STATIC_ROOT, may or may not have been run.
    """

    def add_files(self, root: str, prefix: str | None = None) -> None:
        if Path(root).is_dir():
            super().add_files(root, prefix)

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        if found.file is None:
            body = b""
        else:
            with found.file:
                body = found.file.read()
        response = HttpResponse(body, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response


class ContentSecurityPolicy(CSPMiddleware):
    """One strict policy; ``CONTENT_SECURITY_POLICY_BY_PREFIX`` names the paths that need another, and which."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts: PolicyParts = super().get_policy_parts(request, response, report_only)
        if parts.config is None and not report_only:
            for prefix, directives in settings.CONTENT_SECURITY_POLICY_BY_PREFIX.items():
                if request.path_info.startswith(prefix):
                    parts.config = directives
        return parts


class AuditLog(AuditlogMiddleware):
    """Who acts, and from where. auditlog's own believes what anybody writes into X-Forwarded-For."""

    def get_extra_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"actor": self._get_actor(request), "remote_addr": address_for_the_record(request), "remote_port": None}


class ViewerTimeZone:
    """Times are written in the zone that the viewer's browser named (the cookie ``tz``), else in TIME_ZONE."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        zone = _zone(request.COOKIES.get("tz", ""))
        if zone is None:
            return self.get_response(request)
        with timezone.override(zone):
            return self.get_response(request)


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    if not name or len(name) > 64:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None
