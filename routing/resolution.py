"""(caller, asked model) -> where the request goes, and why. Pure: it reads the table and nothing else.

The rules, in the order they are tried (people of claude-code-proxy know them):

1. ``provider/model`` names a provider: it goes there unmapped. So does ``prefix/model`` for a prefix LiteLLM knows,
   where a LiteLLM provider is set up.
2. The caller's own overrides of a pattern of names, then the team's.
3. A tier's patterns (``*haiku*`` -> SMALL, any other Claude name -> BIG): the caller's override of that tier, the
   team's, else the tier's own target.
4. A bare name on a provider's known list goes to that provider.

Raises from ``routing.errors``: ModelUnknown, ModelNotAllowed, NotConfigured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from accounting.identity import Caller

from . import catalog
from .errors import ModelNotAllowed, ModelUnknown, NotConfigured, RoutingError
from .table import Detour, Goal, Host, RoutingTable
from .upstream.target import Capabilities, Target

MAX_NAME: Final = 256  # characters; no provider's model has a longer name
_UNKNOWN_DATE: Final = datetime(1970, 1, 1, tzinfo=UTC)  # as Anthropic's API says it
_CONTEXT_SUFFIX = re.compile(r"\[[^\]]*\]$")  # Claude Code's "[1m]": which context window it counts with


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where a request goes. ``tier`` is "" where no tier was on the way; ``reasons`` are sentences, first rule first.

    ``price_family`` is the prefix under which LiteLLM's list holds the model's price, "" where it is not known.
    """

    target: Target
    asked_model: str
    tier: str
    price_family: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One line of ``GET /v1/models``. ``capabilities`` are those of the model that ``id`` leads to."""

    id: str
    display_name: str
    created_at: datetime
    dialect: str
    capabilities: Capabilities


class _Way(NamedTuple):
    goal: Goal
    tier: str
    reasons: tuple[str, ...]


def resolve(table: RoutingTable, caller: Caller | None, model: str) -> Resolution:
    """Raises ModelUnknown, NotConfigured or ModelNotAllowed. ``caller`` None stands for nobody in particular."""
    asked = model.strip()
    if not asked or len(asked) > MAX_NAME:
        raise ModelUnknown(f"model: {asked[:80] or '(empty)'}")
    name = _CONTEXT_SUFFIX.sub("", asked)
    found = _explicit(table, name)
    if found is None:
        way = _mapped(table, caller, name) or _listed(table, name)
        if way is None:
            raise ModelUnknown(f"model: {asked}")
        host = table.hosts[way.goal.provider]
        found = host, host.target(way.goal.model or name), way
    host, target, way = found
    _permit(host, target, caller, asked, way.tier)
    return Resolution(
        target=target,
        asked_model=asked,
        tier=way.tier,
        price_family=host.price_family or target.litellm_provider,
        reasons=way.reasons,
    )


def _explicit(table: RoutingTable, name: str) -> tuple[Host, Target, _Way] | None:
    prefix, slash, rest = name.partition("/")
    if not (slash and rest):
        return None
    host = table.hosts.get(prefix)
    why = f"'{prefix}/' names the provider '{prefix}', so nothing is mapped."
    if host is None:
        carrier = _carrier(table, prefix)
        if carrier is None:
            return None
        host, rest = carrier, rest if carrier.litellm_provider else name
        why = f"'{prefix}/' is a provider LiteLLM knows; the provider '{host.name}' carries it."
    return host, host.target(rest), _Way(Goal(host.name, rest), "", (why,))


def _carrier(table: RoutingTable, prefix: str) -> Host | None:
    """The enabled provider that carries one of LiteLLM's prefixes: one set up for it, before one for all of them."""
    found = None
    for host in table.hosts.values():
        if host.is_litellm and host.enabled:
            if host.litellm_provider == prefix:
                return host
            if not host.litellm_provider and prefix in catalog.prefixes():
                found = host
    return found


def _mapped(table: RoutingTable, caller: Caller | None, name: str) -> _Way | None:
    lowered = name.lower()
    detours = list(_detours(table, caller))
    for whose, detour in detours:
        if detour.pattern and fnmatchcase(lowered, detour.pattern):
            return _Way(detour.goal, "", (f"{whose} sends names like '{detour.pattern}' to {detour.goal}.",))
    for pattern, tier in table.patterns:
        if fnmatchcase(lowered, pattern):
            why = f"The name matches '{pattern}', which leads to {tier}."
            for whose, detour in detours:
                if detour.tier == tier:
                    return _Way(detour.goal, tier, (why, f"{whose} sends {tier} to {detour.goal}."))
            goal = table.tiers[tier]
            return _Way(goal, tier, (why, f"{tier} goes to {goal}."))
    return None


def _detours(table: RoutingTable, caller: Caller | None) -> Iterator[tuple[str, Detour]]:
    """The person's own overrides before the team's."""
    if caller is None:
        return
    if caller.user_id is not None:
        for detour in table.detours.get(("user", caller.user_id), ()):
            yield f"The override of {caller.user_name}", detour
    if caller.team_id is not None:
        for detour in table.detours.get(("team", caller.team_id), ()):
            yield f"The override of team {caller.team_name}", detour


def _listed(table: RoutingTable, name: str) -> _Way | None:
    for candidate in (name, catalog.without_date(name)):
        if owners := table.owners.get(candidate):
            why = f"'{candidate}' is on the known list of the provider '{owners[0]}'."
            return _Way(Goal(owners[0], name), "", (why,))
    return None


def _permit(host: Host, target: Target, caller: Caller | None, asked: str, tier: str) -> None:
    if not host.enabled:
        lack = "it is switched off" if host.has_key else "it has no key yet"
        raise NotConfigured(f"model: {asked} goes to the provider '{host.name}', and {lack}: an admin can mend that.")
    known = host.known.get(target.model)
    if known is not None and not known.enabled:
        raise ModelNotAllowed(f"The model '{host.name}/{target.model}' is switched off here.")
    names = (asked, tier, target.model, f"{host.name}/{target.model}")
    if caller is not None and not caller.may_use(*(name for name in names if name)):
        raise ModelNotAllowed(f"This key may not use the model '{asked}'.")


def listing(table: RoutingTable, caller: Caller | None) -> list[ListedModel]:
    """What ``GET /v1/models`` shows: every Claude name and every known model that works for the caller.

    Claude's names come first, for clients that read one page. Claude Code keeps ids with "claude" in them and shows
    the display name, so that says where a name leads.
    """
    lines: dict[str, ListedModel] = {}
    for host in table.hosts.values():
        for known in host.known.values():
            for asked in (known.name, f"{host.name}/{known.name}"):
                try:
                    found = resolve(table, caller, asked)
                except RoutingError:
                    continue
                there = (found.target.provider, found.target.model) == (host.name, known.name)
                title = known.display_name or catalog.display_name(known.name)
                lines.setdefault(asked, _line(found, title, known.created_at, is_itself=there))
                if there:
                    break
    return sorted(lines.values(), key=lambda line: "claude" not in line.id)


def listed(table: RoutingTable, caller: Caller | None, asked: str) -> ListedModel:
    """What ``GET /v1/models/{id}`` shows: any name that works for the caller, on the list or not.

    Raises as ``resolve`` does.
    """
    for line in listing(table, caller):
        if line.id == asked:
            return line
    found = resolve(table, caller, asked)
    target = found.target
    itself = asked in (target.model, f"{target.provider}/{target.model}")
    return _line(found, catalog.display_name(asked.rpartition("/")[2]), _UNKNOWN_DATE, is_itself=itself)


def _line(found: Resolution, title: str, created_at: datetime, *, is_itself: bool) -> ListedModel:
    target = found.target
    said = title if is_itself else f"{title} → {target.model} ({target.provider})"
    return ListedModel(found.asked_model, said, created_at, target.dialect, target.capabilities)
