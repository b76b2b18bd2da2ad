from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounting.identity import find, mint
from accounting.models import Generation, Key, Limit, LimitCounter, Team, User
from accounting.rotation import NotRotatable, revoke, rotate

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def key() -> Key:
    user = User.objects.create(username="max")
    made, _ = mint(user, team=Team.objects.create(name="Platform"), name="ci", scopes=["usage"])
    made.allowed_models, made.allowed_networks = ["claude-*"], ["10.0.0.0/8"]
    made.save()
    return made


def test_the_new_key_may_do_what_the_old_one_may(key: Key) -> None:
    new, token = rotate(key, DAY)
    caller = find(token)
    assert caller is not None
    assert (caller.key_name, caller.team_name, caller.scopes) == ("ci", "Platform", frozenset({"usage"}))
    assert caller.allowed_models == ("claude-*",)
    assert caller.allowed_networks == ("10.0.0.0/8",)
    assert new.replaces == key


def test_grace_never_lengthens_a_life(key: Key) -> None:
    key.expires_at = timezone.now() + timedelta(hours=1)
    key.save()
    ends = key.expires_at
    rotate(key, DAY)
    key.refresh_from_db()
    assert key.expires_at == ends


def test_the_new_key_lives_as_long_as_the_old_one_was_given(key: Key) -> None:
    key.expires_at = key.created_at + timedelta(days=30)
    key.save()
    new, _ = rotate(key, DAY)
    assert new.expires_at is not None
    assert abs(new.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


def test_no_grace_ends_the_old_key_now(key: Key) -> None:
    rotate(key, timedelta(0))
    key.refresh_from_db()
    assert not key.is_live


def test_a_rotation_is_no_way_out_of_a_budget(key: Key) -> None:
    limit = Limit.objects.create(scope="key", key=key, kind="budget", period="month", amount=Decimal(10))
    LimitCounter.objects.create(limit=limit, window=1_700_000_000, spent=Decimal("9.5"), reserved=Decimal(1))
    new, _ = rotate(key, DAY)
    (copied,) = new.limits.all()
    assert (copied.amount, copied.period) == (Decimal(10), "month")
    (counter,) = copied.counters.all()
    assert (counter.window, counter.spent, counter.reserved) == (1_700_000_000, Decimal(0), Decimal(0))
    assert copied.amount + counter.granted == Decimal("0.5")
    assert key.limits.get().pk == limit.pk


@pytest.mark.parametrize("state", ["revoked", "expired", "replaced"])
def test_only_a_live_key_that_has_no_successor_is_rotated(key: Key, state: str) -> None:
    if state == "revoked":
        revoke(key)
    elif state == "expired":
        Key.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    else:
        rotate(key, DAY)
    before = Key.objects.count()
    with pytest.raises(NotRotatable):
        rotate(key, DAY)
    assert Key.objects.count() == before


def test_where_the_successor_was_revoked_another_may_follow(key: Key) -> None:
    first, _ = rotate(key, DAY)
    revoke(first)
    second, _ = rotate(key, DAY)
    assert second.replaces == key


def test_revoking_is_announced_and_keeps_its_first_time(key: Key) -> None:
    before = Generation.read()
    revoke(key)
    assert Generation.read() > before
    first = key.revoked_at
    revoke(key)
    key.refresh_from_db()
    assert key.revoked_at == first
