"""The end of a key: revoked at once, or replaced by another while the old one lives on for a grace time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from .identity import mint
from .models import Key, Limit, LimitCounter


class NotRotatable(Exception):
    """The key is no longer live, or was replaced already. ``str()`` is for people."""


def rotate(key: Key, grace: timedelta, *, until: datetime | None = None) -> tuple[Key, str]:
    """A new key that may do what ``key`` may, and its token. ``key`` itself lives on for ``grace``, at most.

    The new one has as long a life as the old one was given, and ends by ``until``. Limits of the old key hold it too,
    with what is spent of them so far: a rotation is no way out of a budget. Raises NotRotatable.
    """
    with transaction.atomic():
        old = Key.objects.select_for_update().get(pk=key.pk)
        if not old.is_live:
            raise NotRotatable("This key is no longer in use.")
        if old.replaced_by.filter(revoked_at=None).exists():
            raise NotRotatable("This key has been replaced already.")
        now = timezone.now()
        lifetime = old.expires_at - old.created_at if old.expires_at else None
        ends = [moment for moment in (lifetime and now + lifetime, until) if moment is not None]
        new, token = mint(
            old.user,
            team=old.team,
            name=old.name,
            expires_at=min(ends, default=None),
            scopes=old.scopes,
            allowed_models=old.allowed_models,
            allowed_networks=old.allowed_networks,
            replaces=old,
        )
        for limit in old.limits.all():
            _copy(limit, new)
        end = now + grace
        old.expires_at = end if old.expires_at is None else min(old.expires_at, end)
        old.save(update_fields=["expires_at"])
    return new, token


def revoke(key: Key) -> None:
    """Ends ``key`` for the very next request. A key that is revoked stays so, with the time of the first time."""
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])


def _copy(limit: Limit, key: Key) -> None:
    """The limit for the new key, with as much left. What the old key spent is the old key's on the ledger."""
    counters = list(limit.counters.all())
    limit.pk = None
    limit.key = key
    limit._state.adding = True
    limit.save()
    LimitCounter.objects.bulk_create(
        LimitCounter(
            limit=limit,
            window=old.window,
            granted=old.granted - old.spent,
            forgiven=old.forgiven - old.spent,
            arrival=old.arrival,
        )
        for old in counters
    )
