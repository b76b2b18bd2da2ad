"""Which rows of routing the audit log watches; what seals or is sealed is left out."""

from __future__ import annotations

from accounting.audit import watch

from .models import Credential, Model, Override, Provider, Tier, TierPattern


def register() -> None:
    """Called once, when the app is ready."""
    watch(Provider, masked=["headers"])
    watch(Credential, left_out={"sealed"})
    for model in (Model, Override, Tier, TierPattern):
        watch(model)
