from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from routing.upstream.errors import Busy, Misconfigured, Refused, TimedOut, TooLarge, Unavailable, UpstreamError
from routing.upstream.refusals import by_status, retry_after
from tests.routing.upstream.factories import a_target


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "1"}, 1.0),
        ({"retry-after": ""}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 -0000"}, 0.0),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_retry_after_as_a_date() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    found = retry_after({"retry-after": moment})
    assert found is not None
    assert 55 < found <= 60


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, Misconfigured),
        (400, Refused),
        (401, Misconfigured),
        (402, Misconfigured),
        (403, Misconfigured),
        (404, Misconfigured),
        (408, TimedOut),
        (413, TooLarge),
        (422, Refused),
        (429, Busy),
        (500, Unavailable),
        (502, Unavailable),
        (504, TimedOut),
        (524, TimedOut),
        (529, Busy),
    ],
)
def test_by_status(status: int, kind: type[UpstreamError]) -> None:
    error = by_status(a_target("demo"), status, {})
    assert type(error) is kind
    assert error.provider_status == status
    assert "acme" in error.message
    assert str(status) in error.message


@pytest.mark.parametrize("status", [429, 503])
def test_the_time_to_wait_is_handed_on(status: int) -> None:
    assert by_status(a_target("demo"), status, {"retry-after": "9"}).retry_after == 9
