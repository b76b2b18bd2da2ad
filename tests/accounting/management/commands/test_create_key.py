"""``create_key``: a working token on standard output, alone, so that it can be piped."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounting.identity import find
from accounting.management.commands.create_key import expiry
from accounting.models import Key, User


@pytest.mark.django_db
def test_the_token_works() -> None:
    User.objects.create_user("anna")
    out, err = StringIO(), StringIO()
    call_command("create_key", "anna", "--name", "laptop", "--expires", "30d", stdout=out, stderr=err)
    token = out.getvalue().strip()
    caller = find(token)
    assert caller is not None
    assert (caller.user_name, caller.key_name) == ("anna", "laptop")
    assert caller.expires_at is not None
    assert timedelta(days=29) < caller.expires_at - timezone.now() <= timedelta(days=30)
    assert token not in err.getvalue()
    assert token not in str(Key.objects.values().get())


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "said"), [("nobody", "no user 'nobody'"), ("gone", "not active")])
def test_it_fails_with_one_line(name: str, said: str) -> None:
    User.objects.create_user("gone", is_active=False)
    with pytest.raises(CommandError, match=said):
        call_command("create_key", name)


@pytest.mark.django_db
def test_a_bad_date_is_a_usage_error() -> None:
    with pytest.raises(CommandError, match="no date"):
        call_command("create_key", "anna", "--expires", "tomorrow")


def test_expiry_takes_dates_and_durations() -> None:
    assert expiry("2999-01-31") == datetime(2999, 1, 31, 23, 59, 59, 999999, UTC)
    assert expiry("2999-01-31T10:00:00+02:00") == datetime(2999, 1, 31, 8, tzinfo=UTC)
    assert expiry("12h") - timezone.now() < timedelta(hours=12, seconds=1)
    for bad in ("2001-01-01", "0", "soon", "2999-02-30", "-3d", ""):
        with pytest.raises(ArgumentTypeError):
            expiry(bad)
