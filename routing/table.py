"""The routing table: what the database says of providers, models and mappings, as frozen values in memory.

It is compiled in one pass, swapped whole, and never changed. Its rows are those of one ``generation`` (see
``accounting.models.freshness``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError

from accounting import pricelist
from accounting.identity import register
from accounting.models import Generation

from . import catalog, credentials, hosts, models
from .errors import TableUnavailable
from .upstream.target import Quirks, Target

POLL_SECONDS: Final = 0.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model's row: what is particular to it at its provider."""

    name: str
    display_name: str
    enabled: bool
    dialect: str
    facts: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Host:
    """A provider's row, its key opened."""

    name: str
    dialect: str
    reasoning_dialect: str
    base_url: str
    enabled: bool
    has_key: bool
    litellm_provider: str
    price_family: str
    known: Mapping[str, KnownModel]
    api_key: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    quirks: Quirks = field(default_factory=Quirks)

    def target(self, name: str) -> Target:
        """Model ``name`` at this provider. Where this is LiteLLM as a whole, ``name`` begins with LiteLLM's prefix."""
        known = self.known.get(name) or self.known.get(catalog.without_date(name))
        prefix, family = self.litellm_provider, self.price_family
        if self.is_litellm and not prefix:
            prefix, _, name = name.partition("/")
            family = family or prefix
        dialect = (known.dialect if known else "") or self._dialect(family, name)
        capabilities = catalog.capabilities(family, name, dialect)
        if known is not None and known.facts:
            capabilities = catalog.overridden(capabilities, known.facts)
        return Target(
            provider=self.name,
            dialect=dialect,
            model=name,
            base_url=self.base_url,
            api_key=self.api_key,
            litellm_provider=prefix,
            headers=self.headers,
            capabilities=capabilities,
            quirks=self.quirks,
        )

    @property
    def is_litellm(self) -> bool:
        return self.dialect == models.Dialect.LITELLM

    def _dialect(self, family: str, name: str) -> str:
        if not self.reasoning_dialect:
            return self.dialect
        listed = catalog.find(family, name)
        return self.reasoning_dialect if listed and (listed.reasons or listed.only_responses) else self.dialect


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a mapping leads: a provider's name, and a model's; "" stands for the name that was asked for."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model or '(the name as asked)'}"


@dataclass(frozen=True, slots=True)
class Detour:
    """One person's or team's override, of a tier or of the names that match a pattern (lower case)."""

    tier: str
    pattern: str
    goal: Goal


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """``hosts`` by name, ``owners`` the enabled hosts that know a bare name, in the order they are preferred.

    ``patterns`` are (pattern in lower case, tier) in the order they are tried. ``detours`` are keyed by
    ("user" or "team", id).
    """

    generation: int
    hosts: Mapping[str, Host]
    tiers: Mapping[str, Goal]
    patterns: tuple[tuple[str, str], ...]
    detours: Mapping[tuple[str, int], tuple[Detour, ...]]
    owners: Mapping[str, tuple[str, ...]]


class _Rows(NamedTuple):
    """Everything a table is made of, as it was at one generation."""

    credentials: list[models.Credential]
    models: list[models.Model]
    providers: list[models.Provider]
    tiers: list[models.Tier]
    patterns: list[models.TierPattern]
    overrides: list[models.Override]

    @classmethod
    def read(cls) -> _Rows:
        return cls(
            credentials=list(models.Credential.objects.all()),
            models=list(models.Model.objects.order_by("provider_id", "id")),
            providers=list(models.Provider.objects.order_by("id")),
            tiers=list(models.Tier.objects.all()),
            patterns=list(models.TierPattern.objects.order_by("position", "id")),
            overrides=list(models.Override.objects.order_by("id")),
        )


def load() -> RoutingTable:
    """The table as the database has it now. LiteLLM's list is read here too, away from the event loop."""
    pricelist.entries()
    catalog.prefixes()
    while True:
        generation = Generation.read()
        rows = _Rows.read()
        # Each query sees what is committed by then: rows of two states may name each other in vain.
        if Generation.read() == generation:
            return _compiled(generation, rows)


def _compiled(generation: int, rows: _Rows) -> RoutingTable:
    keys = credentials.opened(rows.credentials)
    known = {
        provider: {row.name: _known(row) for row in group}
        for provider, group in groupby(rows.models, key=lambda row: row.provider_id)
    }
    providers = {row.pk: row for row in rows.providers}
    hosts = {row.name: _host(row, keys.get(row.pk), known.get(row.pk, {})) for row in rows.providers}
    tiers = {row.pk: row for row in rows.tiers}

    def goal(row: models.Tier | models.Override) -> Goal:
        return Goal(providers[row.provider_id].name, row.model)

    detours: dict[tuple[str, int], list[Detour]] = {}
    for row in rows.overrides:
        owner = ("user", row.user_id) if row.user_id is not None else ("team", row.team_id or 0)
        tier = tiers[row.tier_id].name if row.tier_id is not None else ""
        detours.setdefault(owner, []).append(Detour(tier, row.pattern.lower(), goal(row)))
    owners: dict[str, list[str]] = {}
    for host in hosts.values():
        for name in host.known:
            owners.setdefault(name, []).append(host.name)
    return RoutingTable(
        generation=generation,
        hosts=MappingProxyType(hosts),
        tiers=MappingProxyType({row.name: goal(row) for row in tiers.values()}),
        patterns=tuple((row.pattern.lower(), tiers[row.tier_id].name) for row in rows.patterns),
        detours=MappingProxyType({owner: tuple(group) for owner, group in detours.items()}),
        owners=MappingProxyType(
            {name: tuple(sorted(group, key=lambda one: not hosts[one].enabled)) for name, group in owners.items()}
        ),
    )


def _known(row: models.Model) -> KnownModel:
    facts = dict(row.capabilities or {})  # Django validates no empty value: [] may stand here
    facts |= {name: size for name in ("context_window", "max_output") if (size := getattr(row, name)) is not None}
    return KnownModel(row.name, row.display_name, row.enabled, row.dialect, MappingProxyType(facts), row.created_at)


def _host(row: models.Provider, key: str | None, known: dict[str, KnownModel]) -> Host:
    return Host(
        name=row.name,
        dialect=row.dialect,
        reasoning_dialect=row.reasoning_dialect,
        base_url=row.base_url.rstrip("/"),
        enabled=row.enabled,
        has_key=key is not None,
        litellm_provider=row.litellm_provider,
        price_family=row.price_family,
        known=MappingProxyType(known),
        api_key=key or "",
        headers=MappingProxyType(dict(row.headers or {})),
        quirks=Quirks(**{**hosts.known(row.dialect, row.base_url).quirks, **(row.quirks or {})}),
    )


class Tables:
    """A worker's current table. A change loads a new one; requests under way keep theirs."""

    def __init__(self) -> None:
        self._table: RoutingTable | None = None
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
        self._watchers: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[None]] = WeakKeyDictionary()

    @property
    def generation(self) -> int:
        """Of the table in memory; 0 before the first."""
        return self._table.generation if self._table is not None else 0

    async def current(self, generation: int = 0) -> RoutingTable:
        """A table of at least ``generation``: the one in memory, or a new one. The first call starts the watcher.

        Raises TableUnavailable.
        """
        loop = asyncio.get_running_loop()
        if loop not in self._watchers:
            self._watchers[loop] = loop.create_task(self._watch(), name="routing table watcher")
        table = self._table
        if table is not None and table.generation >= generation:
            return table
        return await self._refresh(generation)

    async def newest(self) -> RoutingTable:
        """A table of the generation that the database has now, or the one in memory where it does not answer."""
        try:
            return await self.current(await database_sync_to_async(Generation.read)())
        except (DatabaseError, InterfaceError, TableUnavailable):
            return await self.current()

    async def close(self) -> None:
        """Ends this event loop's watcher."""
        watcher = self._watchers.pop(asyncio.get_running_loop(), None)
        if watcher is not None:
            watcher.cancel()
            await asyncio.wait([watcher])

    def forget(self) -> None:
        """Drops the table, for a test whose database was rolled back; the next request loads it anew."""
        self._table = None

    async def _refresh(self, generation: int) -> RoutingTable:
        """Loads once, however many ask at the same time; the register of callers forgets with it."""
        async with self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            table = self._table
            if table is None or table.generation < generation:
                try:
                    table = await database_sync_to_async(load)()
                except (DatabaseError, InterfaceError) as error:
                    raise TableUnavailable("The gateway cannot read its mapping at the moment.") from error
                self._table = table
                register.at(table.generation)
            return table

    async def _watch(self) -> None:
        """Follows the generation: the net below the look that each request's ledger row takes by itself."""
        read = database_sync_to_async(Generation.read)
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self._refresh(await read())
            except (DatabaseError, InterfaceError, TableUnavailable) as error:
                _log.warning("The routing table stays as it is, for the database does not answer: %s", error)


tables = Tables()
