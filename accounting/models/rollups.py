"""Roll-ups: the ledger summed by hour and by day in the transaction that settles a row, and what is read in their place
once a day is over."""

from __future__ import annotations

from typing import Final

from django.db import models

from .money import MoneyField

DIMENSIONS: Final = (
    "user_id",
    "user_name",
    "team_id",
    "team_name",
    "key_id",
    "key_name",
    "asked_model",
    "tier",
    "provider",
    "model",
    "outcome",
)
MEASURES: Final = (
    "requests",
    "estimated",
    "unpriced",
    "streamed",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "web_searches",
    "cost",
    "first_bytes",
    "first_byte_ms",
    "duration_ms",
)


class Rollup(models.Model):
    """Settled rows of one span of time that agree in every dimension, summed.

    ``id`` is a digest of the span and the dimensions, so that an upsert needs one narrow index. ``estimated`` and
    ``unpriced`` count rows whose figures are an estimate, or whose cost is not known (their cost counts as nothing
    here). ``first_byte_ms`` is summed over the ``first_bytes`` rows that have one. An id of 0 stands for nobody.
    """

    id = models.UUIDField(primary_key=True)
    user_id = models.BigIntegerField(default=0)
    user_name = models.CharField(max_length=150, blank=True)
    team_id = models.BigIntegerField(default=0)
    team_name = models.CharField(max_length=100, blank=True)
    key_id = models.BigIntegerField(default=0)
    key_name = models.CharField(max_length=100, blank=True)
    asked_model = models.CharField(max_length=200, blank=True)
    tier = models.CharField(max_length=50, blank=True)
    provider = models.CharField(max_length=100, blank=True)
    model = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=16)

    requests = models.BigIntegerField(default=0)
    estimated = models.BigIntegerField(default=0)
    unpriced = models.BigIntegerField(default=0)
    streamed = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_5m_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    web_searches = models.BigIntegerField(default=0)
    cost = MoneyField(default=0)
    first_bytes = models.BigIntegerField(default=0)
    first_byte_ms = models.BigIntegerField(default=0)
    duration_ms = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class HourlyUsage(Rollup):
    """Usage of the hour that begins at ``hour``."""

    hour = models.DateTimeField()

    class Meta:
        ordering = ["-hour"]
        verbose_name_plural = "hourly usage"
        indexes = [
            models.Index(fields=["hour"], name="hourly_time"),
            models.Index(fields=["user_id", "hour"], name="hourly_user"),
            models.Index(fields=["team_id", "hour"], name="hourly_team"),
            models.Index(fields=["key_id", "hour"], name="hourly_key"),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:%M} {self.user_name} {self.model}"


class DailyUsage(Rollup):
    """Usage of one day, in the time zone of the settings."""

    day = models.DateField()

    class Meta:
        ordering = ["-day"]
        verbose_name_plural = "daily usage"
        indexes = [
            models.Index(fields=["day"], name="daily_time"),
            models.Index(fields=["user_id", "day"], name="daily_user"),
            models.Index(fields=["team_id", "day"], name="daily_team"),
            models.Index(fields=["key_id", "day"], name="daily_key"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.user_name} {self.model}"


class Summary(Rollup):
    """Daily sums, added up further: what a report of many people or many days reads instead of them.

    ``cut`` says which dimensions are kept; the others are empty. It holds a whole day, or a whole month from ``start``
    on, and counts only while a ``Seal`` says so: see ``accounting.summaries``.
    """

    class Grain(models.TextChoices):
        DAY = "day"
        MONTH = "month"

    class Cut(models.TextChoices):
        MODELS = "models"
        PEOPLE = "people"

    id = models.BigAutoField(primary_key=True)  # type: ignore[assignment]  # nothing is ever added to a row: no digest
    cut = models.CharField(max_length=8, choices=Cut.choices)
    grain = models.CharField(max_length=8, choices=Grain.choices)
    start = models.DateField()

    class Meta:
        verbose_name_plural = "summaries"
        indexes = [
            models.Index(fields=["cut", "grain", "start"], name="summary_time"),
            models.Index(fields=["cut", "grain", "team_id", "start"], name="summary_team"),
        ]

    def __str__(self) -> str:
        return f"{self.cut} of the {self.grain} {self.start}"


class Seal(models.Model):
    """The summaries of a day, or of the month that begins with ``start``, are what its daily sums add up to."""

    grain = models.CharField(max_length=8, choices=Summary.Grain.choices)
    start = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["grain", "start"], name="sealed_once")]

    def __str__(self) -> str:
        return f"{self.grain} {self.start}"


class Retention(models.Model):
    """A single row: since when the ledger is complete. What began before that day may have been pruned."""

    complete_since = models.DateField()

    def __str__(self) -> str:
        return f"complete since {self.complete_since}"
