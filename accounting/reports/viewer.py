"""Who looks, and what they may see: the one rule behind every report, record, API answer and live frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from accounting.identity import Caller
from accounting.models import Key, Membership, Team, User


@dataclass(frozen=True, slots=True)
class Viewer:
    """``team_ids`` are the teams whose spend the viewer answers for. ``user_id`` None is a team's service key."""

    user_id: int | None
    team_ids: frozenset[int] = frozenset()
    is_admin: bool = False

    @classmethod
    def of_user(cls, user: User | AnonymousUser, memberships: Iterable[Membership] | None = None) -> Viewer:
        """A person with an account sees their own and what they lead; staff see all; anybody else nothing.

        ``memberships`` are the person's, where they are at hand already.
        """
        if not isinstance(user, User) or not user.is_active:
            return NOBODY
        places = user.memberships.all() if memberships is None else memberships
        return cls(user.pk, frozenset(one.team_id for one in places if one.is_lead), user.is_staff)

    @classmethod
    def of_caller(cls, caller: Caller) -> Viewer:
        """A person's key sees what the person sees; a service key sees its team's usage."""
        if caller.user_id is None:
            return cls(None, frozenset() if caller.team_id is None else frozenset({caller.team_id}))
        return cls.of_user(User.objects.get(pk=caller.user_id))

    @property
    def is_lead(self) -> bool:
        return bool(self.team_ids)

    def sees(self, user_id: int | None, team_id: int | None) -> bool:
        """Whether usage by this person for this team is the viewer's to see."""
        return (
            self.is_admin
            or (user_id is not None and user_id == self.user_id)
            or (team_id is not None and team_id in self.team_ids)
        )

    def condition(self) -> Q:
        """``sees`` as a condition on a table with ``user_id`` and ``team_id``."""
        if self.is_admin:
            return Q()
        seen = Q(pk__in=[])
        if self.user_id is not None:
            seen |= Q(user_id=self.user_id)
        if self.team_ids:
            seen |= Q(team_id__in=self.team_ids)
        return seen

    def sees_all_of(self, user_id: int | None, team_id: int | None) -> bool:
        """Whether all usage of this person, or of this team (None: any), is the viewer's to see."""
        return self.is_admin or (user_id is not None and user_id == self.user_id) or self.answers_for(team_id)

    def answers_for(self, team_id: int | None) -> bool:
        """Whether all of a team's usage is the viewer's to see."""
        return self.is_admin or (team_id is not None and team_id in self.team_ids)

    def seen_people(self) -> QuerySet[User]:
        """Oneself, and the members of the teams one leads."""
        people: QuerySet[User] = User.objects.all()
        if self.is_admin:
            return people
        members = Membership.objects.filter(team_id__in=self.team_ids).values("user_id")
        return people.filter(Q(pk=self.user_id) | Q(pk__in=members))

    def seen_teams(self) -> QuerySet[Team]:
        """The teams one belongs to or leads."""
        teams: QuerySet[Team] = Team.objects.all()
        if self.is_admin:
            return teams
        own = Membership.objects.filter(user=self.user_id).values("team_id")
        return teams.filter(Q(pk__in=self.team_ids) | Q(pk__in=own))

    def seen_keys(self) -> QuerySet[Key]:
        """One's own keys, those that belong to a team one leads, and those of its members."""
        keys: QuerySet[Key] = Key.objects.all()
        return keys if self.is_admin else keys.filter(self.condition() | Q(user__in=self.seen_people()))


NOBODY: Final = Viewer(None)
