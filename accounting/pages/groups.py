"""What a single sign-on provider's groups give: a place in a team, the lead of one, or the admin's rights.

A provider's ``groups`` setting maps a group's name to ``Team name``, ``Team name:lead`` or ``@admin``::

    {"eng-platform": "Platform", "eng-platform-leads": "Platform:lead", "gateway-admins": "@admin"}

At each sign-in the person's places are brought in line, for the teams that the mapping names and for no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import transaction

from accounting.models import Membership, Team, User

ADMIN: Final = "@admin"


def groups_in(claims: Mapping[str, Any], claim: str) -> set[str]:
    """The groups that ``claim`` lists. A dotted name may be a path: Keycloak's ``realm_access.roles``."""
    value: Any = claims.get(claim)
    if value is None and "." in claim:
        value = claims
        for step in claim.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return {value}
    return {str(group) for group in value} if isinstance(value, list) else set()


def bring_in_line(user: User, groups: Iterable[str], mapping: Mapping[str, str]) -> None:
    """Gives ``user`` the places that their ``groups`` give by ``mapping``, and takes those that these no longer do."""
    held = set(groups)
    given = {gift for group, gift in mapping.items() if group in held}
    with transaction.atomic():
        if ADMIN in mapping.values():
            _set_admin(user, ADMIN in given)
        for name in sorted({_team_name(gift) for gift in mapping.values() if gift != ADMIN}):
            if f"{name}:lead" in given:
                _place(user, name, Membership.Role.LEAD)
            elif name in given:
                _place(user, name, Membership.Role.MEMBER)
            else:
                Membership.objects.filter(user=user, team__name=name).delete()


def _team_name(gift: str) -> str:
    return gift.removesuffix(":lead")


def _place(user: User, team_name: str, role: Membership.Role) -> None:
    team, _ = Team.objects.get_or_create(name=team_name)
    membership, is_new = Membership.objects.get_or_create(user=user, team=team, defaults={"role": role})
    if not is_new and membership.role != role:
        membership.role = role
        membership.save(update_fields=["role"])


def _set_admin(user: User, is_admin: bool) -> None:
    if (user.is_staff, user.is_superuser) != (is_admin, is_admin):
        user.is_staff = user.is_superuser = is_admin
        user.save(update_fields=["is_staff", "is_superuser"])
