"""People and the teams they spend for."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models

from .freshness import Announcing, AnnouncingQuerySet


class Team(Announcing):
    """People who share a budget."""

    name = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class People(UserManager.from_queryset(AnnouncingQuerySet)):  # type: ignore[misc]  # a base that is made at run time
    """Django's user manager, whose bulk writes announce themselves."""

    use_in_migrations = False


class User(AbstractUser, Announcing):
    """A person with an account: staff members are the gateway's admins."""

    unannounced = frozenset({"last_login", "password"})

    teams = models.ManyToManyField(Team, through="Membership", related_name="people", blank=True)

    objects: ClassVar[People] = People()

    class Meta(AbstractUser.Meta):
        ordering = ["username"]

    def leads(self, team_id: int) -> bool:
        """Whether this person answers for the team's spend."""
        return self.memberships.filter(team_id=team_id, role=Membership.Role.LEAD).exists()


class Membership(Announcing):
    """A person's place in a team. The first one made is the team that a key without a team of its own spends for."""

    class Role(models.TextChoices):
        MEMBER = "member"
        LEAD = "lead"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["user", "team"], name="one_membership_per_team")]

    @property
    def is_lead(self) -> bool:
        return self.role == self.Role.LEAD

    def __str__(self) -> str:
        return f"{self.user} in {self.team} ({self.role})"
