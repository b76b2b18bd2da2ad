"""Who there is: oneself, people and teams."""

from __future__ import annotations

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db.models import Prefetch, Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.validators import UniqueValidator

from accounting.models import Membership, Team, User

from .base import Resource, View
from .errors import Conflict
from .keys import KeySerializer
from .permissions import IsAdminOrReads
from .serializers import Shape


class PlaceSerializer(serializers.ModelSerializer[Membership]):
    """A person's place in a team."""

    team = serializers.CharField(source="team.name")
    team_id = serializers.IntegerField()

    class Meta:
        model = Membership
        fields = ("team_id", "team", "role")


class PersonSerializer(serializers.ModelSerializer[User]):
    """A person; ``is_staff`` are the gateway's admins."""

    username = serializers.CharField(
        max_length=150, validators=[UnicodeUsernameValidator(), UniqueValidator(User.objects.all())]
    )
    teams = PlaceSerializer(source="memberships", many=True, read_only=True)

    class Meta:
        model = User
        fields = ("id", "username", "first_name", "last_name", "email", "is_active", "is_staff", "teams")
        read_only_fields = ("id",)


class MeSerializer(Shape):
    person = PersonSerializer(allow_null=True, help_text="null for a service key.")
    key = KeySerializer(allow_null=True, help_text="The key that asked; null for a session.")
    role = serializers.ChoiceField(choices=["member", "lead", "admin", "service"])


class MeView(View):
    read_scope = None  # any key may ask what it is

    @extend_schema(operation_id="me", summary="Who is asking", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        caller, person = self.caller, self.person
        key = self.viewer.seen_keys().select_related("user", "team").get(pk=caller.key_id) if caller else None
        role = "service" if person is None else "lead" if self.viewer.is_lead else "member"
        answer = {"person": person, "key": key, "role": "admin" if self.viewer.is_admin else role}
        return Response(MeSerializer(answer).data)


@extend_schema_view(
    list=extend_schema(operation_id="people", summary="People one may see"),
    retrieve=extend_schema(operation_id="person", summary="One person"),
)
class PersonResource(Resource):
    serializer_class = PersonSerializer
    lookup_field = "username"
    also = [IsAdminOrReads]

    def get_queryset(self) -> QuerySet[User]:
        places = Membership.objects.select_related("team")
        if not self.viewer.is_admin:  # of other teams of a member, a lead need not know
            places = places.filter(team__in=self.viewer.seen_teams())
        return self.viewer.seen_people().prefetch_related(Prefetch("memberships", places))

    @extend_schema(operation_id="person_create", summary="Add a person", responses={201: PersonSerializer})
    def create(self, request: Request) -> Response:
        """Without a password: they sign in by single sign-on or by a password reset, or use keys alone."""
        wanted = PersonSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        person = User(**wanted.validated_data)
        person.set_unusable_password()
        person.save()
        return Response(PersonSerializer(person).data, status=201)

    @extend_schema(operation_id="person_change", summary="Change a person", responses=PersonSerializer)
    def partial_update(self, request: Request, username: str) -> Response:
        """`is_active: false` stops all of the person's keys for the next request."""
        person = self.get_object()
        wanted = PersonSerializer(person, data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        if person.pk == self.viewer.user_id and not (given.get("is_staff", True) and given.get("is_active", True)):
            raise Conflict("Nobody takes away their own rights: ask another admin.")
        return Response(PersonSerializer(wanted.save()).data)


class MemberSerializer(serializers.ModelSerializer[Membership]):
    user = serializers.CharField(source="user.username")

    class Meta:
        model = Membership
        fields = ("user", "role")


class TeamSerializer(serializers.ModelSerializer[Team]):
    """A team; ``members`` is there for those who answer for it."""

    members = MemberSerializer(source="memberships", many=True, read_only=True)

    class Meta:
        model = Team
        fields = ("id", "name", "created_at", "members")
        read_only_fields = ("id", "created_at")


class RoleSerializer(Shape):
    role = serializers.ChoiceField(choices=Membership.Role.choices)


@extend_schema_view(
    list=extend_schema(operation_id="teams", summary="Teams one may see"),
    retrieve=extend_schema(operation_id="team", summary="One team"),
)
class TeamResource(Resource):
    serializer_class = TeamSerializer
    also = [IsAdminOrReads]

    def get_queryset(self) -> QuerySet[Team]:
        places = Membership.objects.select_related("user")
        if not self.viewer.is_admin:  # a member sees their own place alone
            places = places.filter(Q(team__in=self.viewer.team_ids) | Q(user=self.viewer.user_id))
        return self.viewer.seen_teams().prefetch_related(Prefetch("memberships", places))

    @extend_schema(operation_id="team_create", summary="Add a team", responses={201: TeamSerializer})
    def create(self, request: Request) -> Response:
        wanted = TeamSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        return Response(TeamSerializer(wanted.save()).data, status=201)

    @extend_schema(operation_id="team_change", summary="Rename a team", responses=TeamSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        team = self.get_object()
        wanted = TeamSerializer(team, data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        return Response(TeamSerializer(wanted.save()).data)

    @extend_schema(operation_id="team_delete", summary="Delete a team", responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Its keys and limits go with it; its usage stays on the ledger by name."""
        self.get_object().delete()
        return Response(status=204)

    @extend_schema(
        operation_id="member_set",
        summary="Put somebody in a team, or change their role",
        request=RoleSerializer,
        responses=MemberSerializer,
    )
    def put_member(self, request: Request, pk: int, username: str) -> Response:
        team, person = self.get_object(), get_object_or_404(User, username=username)
        wanted = RoleSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        place, _ = Membership.objects.update_or_create(team=team, user=person, defaults=wanted.validated_data)
        return Response(MemberSerializer(place).data)

    @extend_schema(operation_id="member_remove", summary="Take somebody out of a team", responses={204: None})
    def remove_member(self, request: Request, pk: int, username: str) -> Response:
        get_object_or_404(Membership, team=self.get_object(), user__username=username).delete()
        return Response(status=204)
