"""Provider keys: sealed when stored, opened only into the routing table, shown never."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounting.secrets import Unsealable, seal, unseal

from .models import Credential, Provider

GRACE: Final = timedelta(hours=24)
_log = logging.getLogger(__name__)


def store(provider: Provider, value: str, *, grace: timedelta = GRACE) -> Credential:
    """Puts ``value`` in use for ``provider``. The older ones stay for ``grace``, so that one can be put back in use."""
    now = timezone.now()
    with transaction.atomic():
        provider.credentials.filter(retired_at__isnull=True).update(retired_at=now + grace)
        provider.credentials.filter(retired_at__lte=now).delete()
        return Credential.objects.create(provider=provider, sealed=seal(value.strip()), hint=hint(value.strip()))


def reinstate(credential: Credential) -> None:
    """Puts an older credential, still in its grace time, back in use; the newer ones are gone."""
    with transaction.atomic():
        credential.provider.credentials.filter(id__gt=credential.pk).delete()
        credential.retired_at = None
        credential.save(update_fields=["retired_at"])


def hint(value: str) -> str:
    """What may be shown of a key: its last four characters, and nothing of a short one."""
    return f"…{value[-4:]}" if len(value) >= 16 else "…"


def opened(credentials: Iterable[Credential]) -> dict[int, str]:
    """The key in use, by provider id. One that no encryption key opens is left out; a system check tells of it."""
    keys: dict[int, str] = {}
    newest_first = sorted(credentials, key=lambda one: (one.retired_at is None, one.created_at, one.pk), reverse=True)
    for credential in newest_first:
        if credential.provider_id in keys or not credential.is_live:
            continue
        try:
            keys[credential.provider_id] = unseal(credential.sealed)
        except Unsealable as error:
            _log.error("The credential %s of provider %s: %s", credential.pk, credential.provider_id, error)
    return keys
