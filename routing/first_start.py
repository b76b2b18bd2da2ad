"""Fills an empty database: providers, known models and the mapping, from the environment.

Until a provider has a key, and nobody has changed the mapping, the environment is looked at again at each start, so
that whoever saw the demo answer can put a key into ``.env`` and start again. From then on the database rules.
"""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils import timezone

from accounting.models import Generation, User

from . import catalog, credentials, hosts
from .environment import BIG, LITELLM, PATTERNS, PRESETS, SMALL, Environment, Preset, goals
from .mapping import revising
from .models import Credential, Dialect, Model, Provider, Revision, Tier, TierPattern
from .table import Goal

DEMO = "demo"


def fill(environment: Environment) -> bool:
    """Applies the environment to a database that nobody has set up; False, and nothing done, where it is set up."""
    with transaction.atomic():
        Generation.objects.select_for_update().get(pk=1)  # two replicas may start at once
        if is_set_up():
            return False
        for preset in PRESETS.values():
            _add_provider(environment, preset)
        Provider.objects.get_or_create(name=LITELLM, defaults={"dialect": Dialect.LITELLM, "enabled": False})
        demo, _ = Provider.objects.get_or_create(name=DEMO, defaults={"dialect": Dialect.DEMO})
        Model.objects.get_or_create(provider=demo, name=DEMO)
        load_mapping(environment, None, "First start, from the environment")
    return True


def is_set_up() -> bool:
    """Whether a provider has a key, another than the demo is on, or somebody has changed the mapping."""
    return (
        Credential.objects.exists()
        or Provider.objects.filter(enabled=True).exclude(dialect=Dialect.DEMO).exists()
        or Revision.objects.filter(actor__isnull=False).exists()
    )


def load_mapping(environment: Environment, actor: User | None, reason: str) -> dict[str, Goal]:
    """Makes BIG and SMALL, and the patterns that lead to them, what the environment says.

    Where it names no provider at all, they lead to the demo. Raises UnknownProvider.
    """
    with revising(actor, reason):
        known = set(Model.objects.filter(provider__name="gemini").values_list("name", flat=True))
        on = Provider.objects.filter(enabled=True).exclude(dialect=Dialect.DEMO)
        usable = set(environment.usable).union(on.values_list("name", flat=True))
        wanted = goals(environment, usable, known)
        if not usable:
            wanted = {BIG: Goal(DEMO, DEMO), SMALL: Goal(DEMO, DEMO)}
        for position, (name, goal) in enumerate(wanted.items()):
            _set_tier(name, goal, position)
        for position, (pattern, tier) in enumerate(PATTERNS):
            TierPattern.objects.get_or_create(
                pattern=pattern, defaults={"tier": Tier.objects.get(name=tier), "position": position}
            )
        if LITELLM in {goal.provider for goal in wanted.values()}:
            Provider.objects.filter(name=LITELLM).update(enabled=True)
        _retire_demo()
    return wanted


def leave_demo(provider: Provider, actor: User | None) -> bool:
    """Once ``provider`` can answer, the demo steps aside: tiers that led to it lead to the provider's usual models.

    False where there was nothing to do, or nothing is known of what the provider offers.
    """
    tiers = list(Tier.objects.filter(provider__dialect=Dialect.DEMO))
    preset = PRESETS.get(provider.name)
    offered = list(provider.models.filter(enabled=True).values_list("name", flat=True))
    if provider.dialect == Dialect.DEMO or not provider.enabled or not (preset or offered):
        return False
    usual = {BIG: preset.big, SMALL: preset.small} if preset else {BIG: offered[0], SMALL: offered[-1]}
    with revising(actor, f"The provider '{provider.name}' is on, so the demo is off"):
        for tier in tiers:
            _set_tier(tier.name, Goal(provider.name, usual.get(tier.name, usual[BIG])), tier.position)
        retired = _retire_demo()
    return bool(tiers) or retired


def _set_tier(name: str, goal: Goal, position: int) -> None:
    provider = Provider.objects.filter(name=goal.provider).first()
    if provider is None:
        raise UnknownProvider(f"{name} names the provider '{goal.provider}', which is not set up.")
    Tier.objects.update_or_create(
        name=name,
        defaults={"provider": provider, "model": goal.model},
        create_defaults={"provider": provider, "model": goal.model, "position": position},
    )


def _retire_demo() -> bool:
    """Switches the demo off where another provider is on and no tier leads to it."""
    others = Provider.objects.filter(enabled=True).exclude(dialect=Dialect.DEMO)
    if not others.exists() or Tier.objects.filter(provider__dialect=Dialect.DEMO).exists():
        return False
    return bool(Provider.objects.filter(dialect=Dialect.DEMO, enabled=True).update(enabled=False))


class UnknownProvider(Exception):
    """A mapping names a provider that is not set up."""


def _add_provider(environment: Environment, preset: Preset) -> None:
    base = environment.bases.get(preset.provider) or preset.host
    provider, _ = Provider.objects.update_or_create(
        name=preset.provider,
        defaults={
            "dialect": preset.dialect,
            "reasoning_dialect": hosts.known(preset.dialect, base).reasoning_dialect,
            "base_url": base,
            "enabled": preset.provider in environment.usable,
            "price_family": preset.provider,
            "quirks": {},
        },
    )
    if key := environment.keys.get(preset.provider):
        credentials.store(provider, key)
    add_known_models(provider, preset.known)


def add_known_models(provider: Provider, names: tuple[str, ...] = (), today: date | None = None) -> int:
    """Puts ``names`` and the current models of LiteLLM's list on the provider's known list; how many were new."""
    current = catalog.current_models(provider.price_family, today or timezone.now().date())
    have = set(provider.models.values_list("name", flat=True))
    new = [name for name in dict.fromkeys([*names, *current]) if name not in have]
    Model.objects.bulk_create(
        [Model(provider=provider, name=name, display_name=catalog.display_name(name)) for name in new]
    )
    return len(new)
