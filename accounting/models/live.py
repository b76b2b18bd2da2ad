"""What each worker carries right now, for live pages where no Redis carries it between workers."""

from __future__ import annotations

from django.db import models


class LiveSnapshot(models.Model):
    """One worker's latest word. ``serial`` grows with each; ``lines`` are ``accounting.live.tally.Line`` as lists."""

    worker = models.UUIDField(primary_key=True)
    serial = models.BigIntegerField()
    at = models.DateTimeField(db_index=True)
    lines = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.worker} #{self.serial}"
