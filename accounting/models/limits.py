"""Limits and budgets, the counters that hold them, and the record of who changed what."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from .freshness import Announcing
from .keys import Key
from .money import MoneyField
from .people import Team

_SCOPE = ("scope", "user_id", "team_id", "key_id", "kind", "period", "model_pattern", "tier")


class Limit(Announcing):
    """What a key, a person, a team or the whole gateway may use.

    A budget has an ``amount`` (US dollars) and a ``period``; the other kinds have a ``count``. ``model_pattern`` (a
    shell pattern of the asked or the real model's name) and ``tier`` narrow it to some requests; empty means all.
    What a limit counts is fixed at its making; ``amount``, ``count`` and the rest may change at any time.
    """

    class Kind(models.TextChoices):
        REQUESTS_PER_MINUTE = "requests_per_minute"
        TOKENS_PER_MINUTE = "tokens_per_minute"
        CONCURRENT_REQUESTS = "concurrent_requests"
        BUDGET = "budget"

    class Period(models.TextChoices):
        DAY = "day"
        WEEK = "week"
        MONTH = "month"
        TOTAL = "total"

    class Scope(models.TextChoices):
        GATEWAY = "gateway"
        TEAM = "team"
        USER = "user"
        KEY = "key"

    name = models.CharField(max_length=100, blank=True)
    scope = models.CharField(max_length=8, choices=Scope.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="limits"
    )
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="limits")
    key = models.ForeignKey(Key, on_delete=models.CASCADE, null=True, blank=True, related_name="limits")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    period = models.CharField(max_length=5, choices=Period.choices, blank=True)
    amount = MoneyField(null=True, blank=True, help_text="US dollars, of a budget.")
    count = models.PositiveBigIntegerField(null=True, blank=True, help_text="Of every other kind.")
    model_pattern = models.CharField(max_length=200, blank=True)
    tier = models.CharField(max_length=50, blank=True)
    soft_percent = models.PositiveSmallIntegerField(
        default=80,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="People are told when a budget is filled so far.",
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["scope", "kind", "id"]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(scope="gateway", user=None, team=None, key=None)
                    | Q(scope="team", user=None, team__isnull=False, key=None)
                    | Q(scope="user", user__isnull=False, team=None, key=None)
                    | Q(scope="key", user=None, team=None, key__isnull=False)
                ),
                name="limit_has_one_subject",
                violation_error_message="Name the one person, team or key that the scope asks for.",
            ),
            models.CheckConstraint(
                condition=(
                    (Q(kind="budget", amount__isnull=False, count=None) & ~Q(period=""))
                    | (~Q(kind="budget") & Q(amount=None, count__isnull=False, period=""))
                ),
                name="limit_has_a_measure",
                violation_error_message="A budget has an amount and a period; any other limit has a count.",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.get_kind_display()} of {self.subject}"

    @property
    def subject(self) -> str:
        """Whose limit it is, for people."""
        match self.scope:
            case self.Scope.USER:
                return f"{self.user}"
            case self.Scope.TEAM:
                return f"team {self.team}"
            case self.Scope.KEY:
                return f"key {self.key}"
            case _:
                return "the gateway"

    def clean(self) -> None:
        """Raises ValidationError where a change would make the counters mean something else."""
        before = None if self.pk is None else type(self).objects.filter(pk=self.pk).values(*_SCOPE).first()
        if before is not None and any(before[name] != getattr(self, name) for name in _SCOPE):
            raise ValidationError("What a limit counts is fixed. Make a new limit, and delete or disable this one.")


class LimitCounter(models.Model):
    """How much of a limit is used in one window of time.

    ``window`` is the window's start in seconds since 1970, 0 where there are none. ``spent`` is what settled rows
    cost, ``reserved`` what open ones hold, ``granted`` what a person added for this window alone, of which ``forgiven``
    by resets. ``arrival`` belongs to the per-minute kinds: the theoretical arrival time of the generic cell rate
    algorithm, in microseconds since 1970 (https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm).
    """

    limit = models.ForeignKey(Limit, on_delete=models.CASCADE, related_name="counters")
    window = models.BigIntegerField(default=0)
    spent = MoneyField(default=0)
    reserved = MoneyField(default=0)
    granted = MoneyField(default=0)
    forgiven = MoneyField(db_default=0)
    in_flight = models.BigIntegerField(default=0)
    arrival = models.BigIntegerField(default=0)
    warned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["limit", "window"], name="one_counter_per_window")]

    def __str__(self) -> str:
        return f"{self.limit_id} @ {self.window}"


class LimitChange(models.Model):
    """Who changed a limit, when, how and why; kept when the limit is gone."""

    class Action(models.TextChoices):
        CREATED = "created"
        CHANGED = "changed"
        GRANTED = "granted"
        RESET = "reset"
        DELETED = "deleted"

    limit = models.ForeignKey(Limit, on_delete=models.SET_NULL, null=True, related_name="changes")
    limit_name = models.CharField(max_length=200)
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=8, choices=Action.choices)
    before = models.CharField(max_length=100, blank=True)
    after = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        change = " ⇒ ".join(filter(None, (self.before, self.after)))
        return f"{self.limit_name}: {self.action} {change}"
