"""``python -m benchmarks.reports``: what each report page and report of the API takes, on the database in use.

Everything happens in this process and in one transaction that is rolled back: nothing is written. An admin, the lead
of the busiest team and its busiest member look, so the figures are those of the worst case; views, templates,
middleware and queries are the real ones, the web server's share (under a millisecond) is not in them. Make a database
to measure with ``manage.py generate_usage``.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from time import perf_counter

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxysite.settings")
django.setup()  # before anything that imports models, hence E402

from django.db import connection, transaction
from django.db.models import Sum
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounting.models import DailyUsage, LedgerEntry, Membership, Team, User

_REPORTS = [
    *("", "?period=7", "?period=90", "?period=month", "?by=user&measure=tokens", "YEAR"),
    *("month/", "speed/", "what-if/", "what-if/?period=90", "what-if/YEAR", "sessions/", "sessions/YEAR"),
    *("requests/", "requests/?outcome=upstream_error", "requests/YEAR"),
]
_API = [
    *("usage", "usage?YEAR", "usage?group_by=user&YEAR", "usage?group_by=user,model", "usage?group_by=day,model&YEAR"),
    *("usage?tz=Europe/Berlin&group_by=model", "usage?tz=Europe/Berlin&group_by=day", "usage/summary"),
    *("usage/series?by=model", "usage/series?by=user&YEAR", "usage/series?interval=hour&by=model&DAYS"),
    *("usage/latency", "usage/latency?YEAR", "usage/failures", "usage/forecast", "usage/what-if", "usage/unpriced"),
    *("usage/records", "usage/records?page_size=1000", "usage/sessions", "statusline"),
]


@dataclass(frozen=True, slots=True)
class Measured:
    """``first`` is the page's first answer, ``usual`` the median of those after it; milliseconds."""

    who: str
    path: str
    queries: int
    first: float
    usual: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reports", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="Answers to each question after the first.")
    parser.add_argument("--most", type=float, default=300, help="Milliseconds; exit 1 where a page usually takes more.")
    options = parser.parse_args()
    _describe()
    print(f"{'who':8} {'queries':>7} {'first':>8} {'usual':>8}  page")
    slow = 0
    with transaction.atomic(), override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
        for who, client, paths in _people():
            for path in paths:
                found = _measure(who, client, path, options.rounds)
                slow += found.usual > options.most
                mark = "  <- slow" if found.usual > options.most else ""
                print(f"{who:8} {found.queries:7} {found.first:8.1f} {found.usual:8.1f}  {path}{mark}", flush=True)
        transaction.set_rollback(True)
    return 1 if slow else 0


def _describe() -> None:
    print(f"{timezone.localdate()}, {platform.machine()}, {os.cpu_count()} cores, {connection.vendor}")
    print(f"{LedgerEntry.objects.count():,} ledger rows, {DailyUsage.objects.count():,} daily sums")


def _people() -> Iterator[tuple[str, Client, list[str]]]:
    """Who looks, in which browser, at which pages. The busiest have the most to add up."""
    admin = User.objects.create_user("benchmark-admin", is_staff=True, is_superuser=True)
    team = Team.objects.get(pk=_busiest("team_id"))
    member = User.objects.get(pk=_busiest("user_id"))
    User.objects.filter(pk=member.pk).update(is_active=True)
    lead = User.objects.create_user("benchmark-lead")
    Membership.objects.create(user=lead, team=team, role=Membership.Role.LEAD)
    today = timezone.localdate()
    year, days = (f"since={today - timedelta(days=number)}&until={today}" for number in (364, 6))
    for who, user, prefix in (
        ("admin", admin, "/everything/"),
        ("lead", lead, f"/teams/{team.pk}/"),
        ("member", User.objects.get(pk=member.pk), "/usage/"),
    ):
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        pages = [prefix + page.replace("YEAR", f"?period=own&{year}") for page in _REPORTS]
        yield who, client, pages + ["/api/" + path.replace("YEAR", year).replace("DAYS", days) for path in _API]


def _busiest(column: str) -> int:
    rows = DailyUsage.objects.exclude(**{column: 0}).values(column).annotate(sum_of=Sum("requests"))
    return int(rows.order_by("-sum_of").values_list(column, flat=True)[0])


def _measure(who: str, client: Client, path: str, rounds: int) -> Measured:
    with CaptureQueriesContext(connection) as captured:
        first = _timed(client, path)
    return Measured(who, path, len(captured), first, median(_timed(client, path) for _ in range(rounds)))


def _timed(client: Client, path: str) -> float:
    start = perf_counter()
    response = client.get(path, headers={"host": "127.0.0.1"})
    taken = (perf_counter() - start) * 1000
    assert response.status_code == 200, (path, response.status_code)
    return taken


if __name__ == "__main__":
    sys.exit(main())
