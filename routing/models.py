"""Providers, what they offer, and which names lead where: the rows that ``routing.table`` compiles."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounting.models import MoneyField, Team
from accounting.models.freshness import Announcing

from . import hosts
from .validators import validate_capabilities, validate_headers, validate_quirks, validate_slug, validate_url


class Dialect(models.TextChoices):
    """The wire dialects: what a provider speaks."""

    ANTHROPIC = "anthropic", "Anthropic messages"
    OPENAI_CHAT = "openai_chat", "OpenAI chat completions"
    OPENAI_RESPONSES = "openai_responses", "OpenAI Responses"
    GEMINI = "gemini", "Gemini"
    LITELLM = "litellm", "through LiteLLM"
    DEMO = "demo", "Demo (built in, answers by itself)"


class Provider(Announcing):
    """One place that answers: a host, how it is spoken to, and under which name it is asked for.

    ``base_url`` includes the version for the OpenAI dialects, and is the host root for Anthropic and Gemini.
    ``reasoning_dialect`` is the dialect for models that reason, blank where it is the same.
    ``litellm_provider`` is the prefix LiteLLM knows it by (``bedrock``); blank on a LiteLLM provider takes every prefix
    that LiteLLM knows. ``price_family`` is where in LiteLLM's list its prices and capabilities are found.
    """

    name = models.CharField(
        max_length=60, unique=True, validators=[validate_slug], help_text="What stands before the '/'."
    )
    dialect = models.CharField(max_length=20, choices=Dialect.choices)
    reasoning_dialect = models.CharField(
        max_length=20,
        choices=Dialect.choices,
        blank=True,
        default="",
        help_text="For models that reason; blank: the same. OpenAI's own are best asked through Responses.",
    )
    base_url = models.CharField(
        max_length=500,
        blank=True,
        default="",
        validators=[validate_url],
        help_text="OpenAI: with its /v1. Anthropic and Gemini: the host's root. LiteLLM: blank is its own default.",
    )
    enabled = models.BooleanField(default=True)
    litellm_provider = models.CharField(max_length=60, blank=True, default="")
    price_family = models.CharField(
        max_length=60,
        blank=True,
        default="",
        help_text="The prefix under which LiteLLM's list holds its models; blank: costs are not known.",
    )
    headers = models.JSONField(default=dict, blank=True, validators=[validate_headers])
    quirks = models.JSONField(default=dict, blank=True, validators=[validate_quirks])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new row at a host that is known (``hosts``) is filled in where it is blank."""
        if self._state.adding:
            known = hosts.known(self.dialect, self.base_url)
            self.reasoning_dialect = self.reasoning_dialect or known.reasoning_dialect
            self.price_family = self.price_family or known.price_family
        super().save(*args, **kwargs)


class Credential(Announcing):
    """A provider's key, sealed (``accounting.secrets``). ``hint`` is what may be shown of it.

    The newest that is not retired is in use. Rotation sets ``retired_at`` of the older to the end of a grace time.
    """

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="credentials")
    sealed = models.TextField(editable=False)
    hint = models.CharField(max_length=12, editable=False, default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.provider} {self.hint}"

    @property
    def is_live(self) -> bool:
        return self.retired_at is None or self.retired_at > timezone.now()


class Model(Announcing):
    """A known model of a provider: its bare name leads to it.

    Blank ``context_window``, ``max_output`` (tokens) and absent ``capabilities`` are taken from LiteLLM's list.
    """

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="models")
    name = models.CharField(max_length=200, help_text="As the provider writes it, without the provider's prefix.")
    display_name = models.CharField(max_length=200, blank=True, default="")
    enabled = models.BooleanField(default=True)
    dialect = models.CharField(
        max_length=20, choices=Dialect.choices, blank=True, default="", help_text="Blank: the provider's."
    )
    context_window = models.PositiveIntegerField(null=True, blank=True)
    max_output = models.PositiveIntegerField(null=True, blank=True)
    capabilities = models.JSONField(default=dict, blank=True, validators=[validate_capabilities])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["provider", "name"]
        constraints = [models.UniqueConstraint(fields=["provider", "name"], name="one_row_per_model")]

    def __str__(self) -> str:
        return f"{self.provider}/{self.name}"


class Tier(Announcing):
    """A place on the mapping board. A blank ``model`` hands the asked name on as it is."""

    name = models.CharField(max_length=40, unique=True)
    position = models.PositiveSmallIntegerField(default=0)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="tiers")
    model = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class TierPattern(Announcing):
    """Names that lead to a tier, with ``*`` and ``?``, in any case; the first that matches by position wins."""

    tier = models.ForeignKey(Tier, on_delete=models.CASCADE, related_name="patterns")
    pattern = models.CharField(max_length=200, unique=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.pattern} → {self.tier}"


class Override(Announcing):
    """For one person or one team, a tier or a pattern of names leads elsewhere. A blank ``model`` is the asked name."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="overrides"
    )
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="overrides")
    tier = models.ForeignKey(Tier, on_delete=models.CASCADE, null=True, blank=True, related_name="overrides")
    pattern = models.CharField(max_length=200, blank=True, default="")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="overrides")
    model = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, team__isnull=True) | Q(user__isnull=True, team__isnull=False),
                name="override_is_for_one",
                violation_error_message="An override is for a person or for a team.",
            ),
            models.CheckConstraint(
                condition=Q(tier__isnull=False, pattern="") | (Q(tier__isnull=True) & ~Q(pattern="")),
                name="override_of_one",
                violation_error_message="An override is of a tier or of a pattern of names.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.team}: {self.tier or self.pattern} → {self.provider}/{self.model or '(as asked)'}"


class Revision(models.Model):
    """The whole mapping as it was from ``created_at`` on, who made it so, and why."""

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="revisions"
    )
    actor_name = models.CharField(max_length=150, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    snapshot = models.JSONField()
    diff = models.JSONField(default=list)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Revision {self.pk}"


class Conformance(models.Model):
    """One run of the translation checks against a provider's model; kept by name, so that it outlives the rows.

    ``results`` holds ``routing.conformance.runs.Result`` as JSON, one a check, from the beginning on. ``seen_at`` moves
    while the run is being made, by the database's clock. ``cost`` is in US dollars, None where a call's is not known;
    ``duration_ms`` is None before the end.
    """

    class State(models.TextChoices):
        RUNNING = "running"
        FINISHED = "finished"
        INTERRUPTED = "interrupted"  # whoever made it is gone

    at = models.DateTimeField(default=timezone.now, editable=False)
    state = models.CharField(max_length=11, choices=State.choices)
    seen_at = models.DateTimeField()
    provider = models.CharField(max_length=60)
    model = models.CharField(max_length=200)
    asked_model = models.CharField(max_length=256)
    tier = models.CharField(max_length=40, blank=True, default="")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    by_name = models.CharField(max_length=150, blank=True, default="")
    duration_ms = models.PositiveIntegerField(null=True)
    cost = MoneyField(null=True, blank=True)
    passed = models.PositiveSmallIntegerField(default=0)
    failed = models.PositiveSmallIntegerField(default=0)
    skipped = models.PositiveSmallIntegerField(default=0)
    results = models.JSONField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["provider", "model"], name="conformance_of_a_model")]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "model"], condition=Q(state="running"), name="one_run_of_a_model_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}: {self.passed} of {self.passed + self.failed}"

    @property
    def mood(self) -> str:
        """``good``, ``warn`` or ``bad``; ``""`` where there is no verdict."""
        if self.state != self.State.FINISHED:
            return "warn" if self.state == self.State.INTERRUPTED else ""
        return "bad" if self.failed > 1 else "warn" if self.failed else "good"

    @property
    def done(self) -> int:
        """Checks of which it is known what came of them."""
        return sum(result["outcome"] not in ("waiting", "running") for result in self.results)
