"""Keys: what a person, or a team's service, shows at the gate."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .freshness import Announcing
from .people import Team


class Key(Announcing):
    """A gateway key. The token itself is shown once, at its making; here stands only a keyed digest of it.

    ``public_id`` is the part of the token that may be shown. ``pepper`` is the number of the pepper the digest was made
    with. ``scopes``: see ``accounting.identity.SCOPES``. ``allowed_models`` and ``allowed_networks`` are lists of
    patterns and CIDR blocks; empty allows all. A key belongs to a person, to a team (a service key), or to both.
    Source of the scheme: netbox `users/models/tokens.py`.
    """

    unannounced = frozenset({"last_used_at"})

    public_id = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.BinaryField(max_length=32, editable=False)
    pepper = models.PositiveIntegerField(editable=False)
    name = models.CharField(max_length=100, default="default")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="keys"
    )
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="keys")
    scopes = models.JSONField(default=list, blank=True)
    allowed_models = models.JSONField(default=list, blank=True)
    allowed_networks = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    replaces = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replaced_by")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False) | Q(team__isnull=False), name="key_belongs_to_somebody"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} (tg_{self.public_id}_…)"

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())
