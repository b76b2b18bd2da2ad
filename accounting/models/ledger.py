"""The ledger: one row a request, opened before its first byte, settled before its last."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounting.uuids import first_of

from .keys import Key
from .money import MoneyField
from .people import Team

_NOT_COMPLETE: Final = ~Q(outcome="complete") & ~Q(outcome="")  # settled, and the rarer the better


class LedgerQuerySet(models.QuerySet["LedgerEntry"]):
    """The ledger's own questions."""

    def ended(self, outcome: str) -> LedgerQuerySet:
        """Rows with this outcome. Those of all but ``complete`` are read by index, however few they are."""
        found = self.filter(outcome=outcome)
        # The index has this condition, and a database uses it where a query says as much.
        return found if outcome in ("complete", "") else found.filter(_NOT_COMPLETE)

    def between(self, start: datetime, end: datetime) -> LedgerQuerySet:
        """Rows that began in [start, end). The key says so too, and spares PostgreSQL the other months' partitions."""
        after = first_of(end + timedelta(milliseconds=1))
        return self.filter(started_at__gte=start, started_at__lt=end, id__gte=first_of(start), id__lt=after)


class RateCard(models.Model):
    """The prices a cost was reckoned with. Never changed: rows that cost the same share one.

    ``digest`` is of ``rates``. ``rates`` are US dollars per token as decimal strings (``per_search``: per search);
    a price that is not known is absent. ``source`` says where they come from.
    """

    digest = models.CharField(max_length=32, primary_key=True)
    source = models.CharField(max_length=200)
    rates = models.JSONField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.source} ({self.digest[:8]})"


class Worker(models.Model):
    """A process that writes the ledger. While ``seen_at`` keeps moving, its open rows are its own to settle."""

    id = models.UUIDField(primary_key=True)
    host = models.CharField(max_length=200, help_text="Boot and process namespace: where ``pid`` means something.")
    pid = models.BigIntegerField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.pid} at {self.host}"


class LedgerEntry(models.Model):
    """One request.

    The counters are tokens and disjoint; ``reasoning_tokens`` alone is a part of ``output_tokens``, not beside it.
    While the row is open they hold an estimate, and so does ``cost``; a row whose worker died keeps it (``lost``).
    ``exact`` says that the figures are the provider's own. ``cost`` is NULL where a price is not known. ``reserved``
    is what the row holds back from budgets while it is open, and ``holds`` from which: see ``accounting.admission``.

    Names stand as text beside ids, and the ids have no constraint: deleting a person rewrites no history, and two
    people who bore one name in turn stay two. The primary key is a UUIDv7, made in the process and in order of time;
    on PostgreSQL the table is partitioned on it by month.
    """

    class State(models.TextChoices):
        OPEN = "open"
        SETTLED = "settled"

    class Outcome(models.TextChoices):
        COMPLETE = "complete"
        INTERRUPTED = "interrupted"  # the client left
        UPSTREAM_ERROR = "upstream_error"
        GATEWAY_ERROR = "gateway_error"  # a defect of the gateway's own
        REJECTED = "rejected"  # refused by the gateway: never reached a provider
        LOST = "lost"  # its worker died; the figures are an estimate

    id = models.UUIDField(primary_key=True)
    request_id = models.CharField(max_length=80)
    state = models.CharField(max_length=8, choices=State.choices)
    outcome = models.CharField(max_length=16, choices=Outcome.choices, blank=True)
    error = models.CharField(max_length=80, blank=True, help_text="The class of what went wrong.")
    exact = models.BooleanField(default=False)

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    user_name = models.CharField(max_length=150, blank=True)
    team = models.ForeignKey(Team, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+")
    team_name = models.CharField(max_length=100, blank=True)
    key = models.ForeignKey(Key, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+")
    key_name = models.CharField(max_length=100, blank=True)

    asked_model = models.CharField(max_length=200, blank=True)
    tier = models.CharField(max_length=50, blank=True)
    provider = models.CharField(max_length=100, blank=True)
    model = models.CharField(max_length=200, blank=True)
    price_family = models.CharField(max_length=60, blank=True)
    service_tier = models.CharField(max_length=30, blank=True)
    streamed = models.BooleanField(default=False)
    session_id = models.CharField(max_length=100, blank=True)
    agent_id = models.CharField(max_length=100, blank=True)
    parent_agent_id = models.CharField(max_length=100, blank=True)
    client = models.CharField(max_length=200, blank=True)

    input_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_5m_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    web_searches = models.IntegerField(default=0)

    cost = MoneyField(null=True)
    rate_card = models.ForeignKey(
        RateCard, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    reserved = MoneyField(default=0)
    holds = models.TextField(null=True)

    attempts = models.PositiveSmallIntegerField(default=1)
    worker = models.UUIDField(null=True)
    started_at = models.DateTimeField()
    first_byte_ms = models.IntegerField(null=True)
    duration_ms = models.IntegerField(null=True)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        verbose_name_plural = "ledger entries"
        indexes = [
            models.Index(fields=["started_at"], name="ledger_time"),
            models.Index(fields=["user", "started_at"], name="ledger_user_time"),
            models.Index(fields=["team", "started_at"], name="ledger_team_time"),
            models.Index(fields=["key", "started_at"], name="ledger_key_time"),
            models.Index(fields=["request_id"], name="ledger_request"),
            models.Index(fields=["session_id", "started_at"], name="ledger_session", condition=~Q(session_id="")),
            models.Index(fields=["worker"], name="ledger_open", condition=Q(state="open")),
            models.Index(fields=["outcome", "started_at"], name="ledger_outcome_time", condition=_NOT_COMPLETE),
        ]

    def __str__(self) -> str:
        return self.request_id

    @property
    def total_input_tokens(self) -> int:
        return self.input_tokens + self.cache_read_tokens + self.cache_write_5m_tokens + self.cache_write_1h_tokens
