"""The mapping as people change it: every change has a reason and a revision, can be previewed, and rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from django.db import transaction

from accounting.identity import Caller
from accounting.models import Generation, Team, User

from . import standin, table
from .errors import RoutingError
from .models import Override, Provider, Revision, Tier, TierPattern
from .resolution import resolve

Snapshot = dict[str, Any]


class CannotRestore(Exception):
    """A revision names a provider, person or team that is no more. ``message`` says which."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Change:
    """What a change of the mapping means to ``whom``: asking for ``name`` led to ``before`` and leads to ``after``."""

    whom: str
    name: str
    before: str
    after: str


def snapshot() -> Snapshot:
    """Tiers, patterns and overrides as plain JSON, by names, so that it outlives the rows."""
    return {
        "tiers": {
            tier.name: {"provider": tier.provider.name, "model": tier.model, "position": tier.position}
            for tier in Tier.objects.select_related("provider")
        },
        "patterns": [[row.pattern, row.tier.name] for row in TierPattern.objects.select_related("tier")],
        "overrides": [
            {
                "user": row.user.username if row.user else "",
                "team": row.team.name if row.team else "",
                "tier": row.tier.name if row.tier else "",
                "pattern": row.pattern,
                "provider": row.provider.name,
                "model": row.model,
            }
            for row in Override.objects.select_related("user", "team", "tier", "provider")
        ],
    }


def difference(before: Snapshot, after: Snapshot) -> list[str]:
    """One sentence for each thing that is not as it was."""
    lines = _compared(_tier_lines(before), _tier_lines(after))
    lines += _compared(dict(before["patterns"]), dict(after["patterns"]))
    if not lines and before["patterns"] != after["patterns"]:
        lines.append("The order of the patterns: " + ", ".join(pattern for pattern, _ in after["patterns"]))
    return lines + _compared(_override_lines(before), _override_lines(after))


def _compared(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    lines = [f"{name}: {before[name]} ⇒ {goal}" for name, goal in after.items() if before.get(name, goal) != goal]
    lines += [f"{name}: new, {goal}" for name, goal in after.items() if name not in before]
    return lines + [f"{name}: removed (was {goal})" for name, goal in before.items() if name not in after]


def _tier_lines(taken: Snapshot) -> dict[str, str]:
    return {name: str(table.Goal(tier["provider"], tier["model"])) for name, tier in taken["tiers"].items()}


def _override_lines(taken: Snapshot) -> dict[str, str]:
    return {
        f"{row['tier'] or row['pattern']} for {row['user'] or 'team ' + row['team']}": str(
            table.Goal(row["provider"], row["model"])
        )
        for row in taken["overrides"]
    }


@contextmanager
def revising(actor: User | None, reason: str) -> Iterator[None]:
    """What is changed of the mapping inside becomes one revision; nothing changed, none. One such change at a time."""
    with transaction.atomic():
        Generation.objects.select_for_update().get(pk=1)
        before = snapshot()
        yield
        after = snapshot()
        if before != after:
            Revision.objects.create(
                actor=actor,
                actor_name=actor.get_username() if actor else "",
                reason=reason,
                snapshot=after,
                diff=difference(before, after),
            )


def restore(taken: Snapshot) -> None:
    """Makes tiers, patterns and overrides what they were. Raises CannotRestore. Call inside ``revising``."""
    providers = {row.name: row for row in Provider.objects.all()}
    goals = [*taken["tiers"].values(), *taken["overrides"]]
    if missing := {goal["provider"] for goal in goals} - set(providers):
        raise CannotRestore(f"There is no provider '{sorted(missing)[0]}' any more. Make it again, then roll back.")
    tiers = _restore_tiers(taken, providers)
    _restore_patterns(taken["patterns"], tiers)
    _restore_overrides(taken["overrides"], tiers, providers)
    Tier.objects.exclude(name__in=taken["tiers"]).delete()


def _restore_tiers(taken: Snapshot, providers: Mapping[str, Provider]) -> dict[str, Tier]:
    rows = {row.name: row for row in Tier.objects.all()}
    for name, goal in taken["tiers"].items():
        row = rows.setdefault(name, Tier(name=name))
        wanted = (providers[goal["provider"]].pk, goal["model"], goal["position"])
        if (row.provider_id, row.model, row.position) != wanted:
            row.provider_id, row.model, row.position = wanted
            row.save()
    return rows


def _restore_patterns(wanted: list[list[str]], tiers: Mapping[str, Tier]) -> None:
    """Rows that are as they should be are left alone, so the audit log shows what changed and nothing else."""
    rows = {row.pattern: row for row in TierPattern.objects.all()}
    for pattern in set(rows) - {pattern for pattern, _ in wanted}:
        rows[pattern].delete()
    for position, (pattern, tier) in enumerate(wanted):
        row = rows.get(pattern) or TierPattern(pattern=pattern)
        if row.pk is None or (row.tier_id, row.position) != (tiers[tier].pk, position):
            row.tier, row.position = tiers[tier], position
            row.save()


def _restore_overrides(
    wanted: list[dict[str, str]], tiers: Mapping[str, Tier], providers: Mapping[str, Provider]
) -> None:
    """Their order counts, so what comes after the first difference is made anew."""
    rows, have = list(Override.objects.order_by("id")), snapshot()["overrides"]
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(have, wanted, strict=False))))
    for row in rows[same:]:
        row.delete()
    for goal in wanted[same:]:
        Override.objects.create(
            user=_named(User, "username", goal["user"]),
            team=_named(Team, "name", goal["team"]),
            tier=tiers[goal["tier"]] if goal["tier"] else None,
            pattern=goal["pattern"],
            provider=providers[goal["provider"]],
            model=goal["model"],
        )


def _named(kind: type[Any], field: str, name: str) -> Any:
    if not name:
        return None
    found = kind.objects.filter(**{field: name}).first()
    if found is None:
        raise CannotRestore(f"There is no {kind.__name__.lower()} '{name}' any more, and an override is theirs.")
    return found


def rollback(revision: Revision, actor: User | None, reason: str = "") -> None:
    """Puts the mapping of ``revision`` in force again, as a revision of its own. Raises CannotRestore."""
    with revising(actor, reason or f"Rolled back to revision {revision.pk}"):
        restore(revision.snapshot)


def preview(change: Callable[[], None]) -> list[Change]:
    """What ``change`` would do, and to whom: it is made, looked at, and taken back; nobody else ever sees it."""
    with transaction.atomic():
        before, names = table.load(), _names_of_interest()
        change()
        after, names = table.load(), names | _names_of_interest()
        changes = [
            Change(whom, name, led, leads)
            for whom, caller in _callers(before, after)
            for name in sorted(names)
            if (led := _leads(before, caller, name)) != (leads := _leads(after, caller, name))
        ]
        transaction.set_rollback(True)
    return changes


def _names_of_interest() -> set[str]:
    """The Claude names that are known, and every pattern, a ``*`` in it being as good a name as any."""
    known = {name for row in Provider.objects.prefetch_related("models") for name in _claude_names(row)}
    return known | set(TierPattern.objects.values_list("pattern", flat=True))


def _claude_names(provider: Provider) -> Iterator[str]:
    return (model.name for model in provider.models.all() if "claude" in model.name)


def _callers(*tables: table.RoutingTable) -> Iterator[tuple[str, Caller | None]]:
    """Everybody in general, then each team and person with overrides of their own."""
    yield "Everyone", None
    owners = {owner for one in tables for owner in one.detours}
    for kind, number in sorted(owners):
        if kind == "team":
            team = Team.objects.get(pk=number)
            yield f"Team {team}", standin.for_team(team)
        else:
            user = User.objects.get(pk=number)
            yield user.get_username(), standin.for_user(user)


def _leads(one: table.RoutingTable, caller: Caller | None, name: str) -> str:
    try:
        target = resolve(one, caller, name).target
    except RoutingError as error:
        return error.message
    return f"{target.provider}/{target.model}"
