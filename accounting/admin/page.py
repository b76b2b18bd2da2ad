"""What the admin's pages that are not about one row have in common."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, Final

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin

from accounting.csvfiles import csv_file, inert
from accounting.models import User

_PIECE: Final = 1000  # rows


class Page(UnfoldModelAdminViewMixin, TemplateView):
    """A page in the theme. ``title`` is its heading, ``permission_required`` who may see it."""

    title = ""


def actor(request: HttpRequest) -> User:
    """The person at the page; the admin lets nobody else in."""
    user: Any = request.user
    assert isinstance(user, User)  # noqa: S101 - for the type checker: AdminSite.has_permission has seen to it
    return user


def moment(when: datetime) -> SafeString:
    """A time in the viewer's zone, in one line and sortable by eye."""
    return format_html('<span class="tg-moment">{}</span>', timezone.localtime(when).strftime("%Y-%m-%d %H:%M:%S"))


def csv_download(
    request: HttpRequest, name: str, header: list[str], rows: Iterable[Iterable[object]]
) -> StreamingHttpResponse:
    """``rows`` as a file, written while they are read. A cell that a spreadsheet would run is quoted."""

    def pieces() -> Iterator[bytes]:
        waiting: list[list[object]] = [list(header)]
        remaining = iter(rows)
        while waiting:
            out = io.StringIO()
            csv.writer(out).writerows([inert(cell) for cell in row] for row in waiting)
            yield out.getvalue().encode()
            waiting = [list(row) for row in islice(remaining, _PIECE)]

    return csv_file(request, name, pieces())
