"""Callers that stand in for a person or a team where nobody has shown a key: previews, explanations, trials."""

from __future__ import annotations

from typing import Final

from accounting.identity import Caller
from accounting.models import Membership, Team, User

NOBODY: Final = Caller(key_id=0, key_name="", user_id=None, user_name="", team_id=None, team_name="")


def for_user(user: User) -> Caller:
    """A person as if they called with a key without limits of its own."""
    membership: Membership | None = user.memberships.select_related("team").first()
    team = membership.team if membership else None
    return Caller(
        key_id=0,
        key_name="",
        user_id=user.pk,
        user_name=user.get_username(),
        team_id=team.pk if team else None,
        team_name=team.name if team else "",
        is_admin=user.is_staff,
    )


def for_team(team: Team) -> Caller:
    """A team as if one of its services called."""
    return Caller(key_id=0, key_name="", user_id=None, user_name="", team_id=team.pk, team_name=team.name)
