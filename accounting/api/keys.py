"""Keys: make, name, restrict, rotate, revoke. A token is in the answer that makes it, and never again."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounting import rotation
from accounting.identity import DEFAULT_SCOPES, SCOPES, Caller, mint
from accounting.models import Key, Limit, Team, User

from .base import Resource
from .errors import Conflict
from .serializers import Shape

_MAX_PATTERNS: Final = 100
_MAX_GRACE: Final = timedelta(days=30)
_DEFAULT_GRACE: Final = timedelta(hours=24)


class KeySerializer(serializers.ModelSerializer[Key]):
    id = serializers.CharField(source="public_id", help_text="The public part of the token: tg_<id>_…")
    user = serializers.CharField(source="user.username", default=None, allow_null=True)
    team = serializers.CharField(source="team.name", default=None, allow_null=True)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=list(SCOPES)))
    allowed_models = serializers.ListField(child=serializers.CharField(), help_text="Patterns; empty allows all.")
    allowed_networks = serializers.ListField(child=serializers.CharField(), help_text="CIDR blocks; empty allows all.")
    live = serializers.BooleanField(source="is_live")
    replaces = serializers.CharField(source="replaces.public_id", default=None, allow_null=True)

    class Meta:
        model = Key
        fields = (
            "id",
            "name",
            "user",
            "team",
            "scopes",
            "allowed_models",
            "allowed_networks",
            "live",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
            "replaces",
        )


class NewKeySerializer(KeySerializer):
    """A key, with the token that is shown this once."""

    token = serializers.CharField()

    class Meta(KeySerializer.Meta):
        fields = (*KeySerializer.Meta.fields, "token")  # type: ignore[assignment]  # one more than in the base


class KeyChangeSerializer(Shape):
    """What may be said of a key, and changed later."""

    name = serializers.CharField(required=False, max_length=100)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=list(SCOPES)), required=False, min_length=1, max_length=len(SCOPES)
    )
    allowed_models = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=_MAX_PATTERNS
    )
    allowed_networks = serializers.ListField(
        child=serializers.CharField(max_length=50), required=False, max_length=_MAX_PATTERNS
    )

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("This is in the past.")
        return value

    def validate_allowed_networks(self, value: list[str]) -> list[str]:
        for network in value:
            try:
                ip_network(network, strict=False)
            except ValueError as error:
                raise serializers.ValidationError(f"{network!r} is no CIDR block.") from error
        return value


class KeyRequestSerializer(KeyChangeSerializer):
    """By default a key of one's own. ``service`` makes one that belongs to ``team`` and to nobody in it."""

    name = serializers.CharField(max_length=100)
    team = serializers.CharField(required=False, max_length=100, help_text="The team the key spends for.")
    service = serializers.BooleanField(default=False)
    user = serializers.CharField(required=False, max_length=150, help_text="Whose key it is; for admins.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["service"] and ("team" not in attrs or "user" in attrs):
            raise serializers.ValidationError({"service": ["A service key has a team, and no person."]})
        return attrs


class RotationSerializer(Shape):
    grace_seconds = serializers.IntegerField(
        default=int(_DEFAULT_GRACE.total_seconds()),
        min_value=0,
        max_value=int(_MAX_GRACE.total_seconds()),
        help_text="How long the old key lives on.",
    )


@extend_schema_view(
    list=extend_schema(operation_id="keys", summary="Keys one may see"),
    retrieve=extend_schema(operation_id="key", summary="One key"),
)
class KeyResource(Resource):
    serializer_class = KeySerializer
    lookup_field = "public_id"

    def get_queryset(self) -> QuerySet[Key]:
        return self.viewer.seen_keys().select_related("user", "team", "replaces")

    @extend_schema(
        operation_id="key_create", summary="Make a key", request=KeyRequestSerializer, responses={201: NewKeySerializer}
    )
    def create(self, request: Request) -> Response:
        wanted = KeyRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        user, team = self._owner(given)
        restrictions = {name: given.get(name, []) for name in ("allowed_models", "allowed_networks")}
        scopes, expires_at = given.get("scopes", DEFAULT_SCOPES), given.get("expires_at")
        hand_on(self.caller, scopes=scopes, expires_at=expires_at, **restrictions)
        if self.caller is not None and Limit.objects.filter(key_id=self.caller.key_id).exists():
            raise PermissionDenied("This key has limits of its own, which one that it makes would not have.")
        key, token = mint(user, team=team, name=given["name"], expires_at=expires_at, scopes=scopes, **restrictions)
        return _shown_once(key, token)

    @extend_schema(
        operation_id="key_change",
        summary="Name or restrict a key",
        request=KeyChangeSerializer(partial=True),
        responses=KeySerializer,
    )
    def partial_update(self, request: Request, public_id: str) -> Response:
        key = self._held()
        wanted = KeyChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        for name, value in wanted.validated_data.items():
            setattr(key, name, value)
        if set(wanted.validated_data) - {"name"}:
            hand_on_key(self.caller, key)
        if wanted.validated_data:
            key.save(update_fields=list(wanted.validated_data))
        return Response(KeySerializer(key).data)

    @extend_schema(
        operation_id="key_rotate",
        summary="Replace a key",
        request=RotationSerializer,
        responses={201: NewKeySerializer},
    )
    def rotate(self, request: Request, public_id: str) -> Response:
        """A new key that may do what the old one may; the old one lives on for a grace time."""
        key = self._held()
        wanted = RotationSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        hand_on_key(self.caller, key)
        try:
            new, token = rotation.rotate(
                key,
                timedelta(seconds=wanted.validated_data["grace_seconds"]),
                until=self.caller.expires_at if self.caller else None,
            )
        except rotation.NotRotatable as error:
            raise Conflict(str(error)) from error
        return _shown_once(new, token)

    @extend_schema(operation_id="key_revoke", summary="Revoke a key", responses=KeySerializer)
    def destroy(self, request: Request, public_id: str) -> Response:
        """In force for the next request. Leads may revoke their members' keys. The key's row and history stay."""
        key = self.get_object()
        rotation.revoke(key)
        return Response(KeySerializer(key).data)

    def _owner(self, given: dict[str, Any]) -> tuple[User | None, Team | None]:
        """Raises ValidationError or PermissionDenied."""
        team = None
        if "team" in given:
            team = self.viewer.seen_teams().filter(name=given["team"]).first()
            if team is None:
                raise serializers.ValidationError({"team": ["There is no such team, or not for you."]})
        if given["service"]:
            if team is None or not self.viewer.answers_for(team.pk):
                raise PermissionDenied("A service key is made by its team's lead or by an admin.")
            return None, team
        user = self.person
        if "user" in given:
            user = self.viewer.seen_people().filter(username=given["user"]).first()
            if user is None:
                raise serializers.ValidationError({"user": ["There is no such person, or not for you."]})
        if user is None:
            raise serializers.ValidationError({"service": ["A service key can make service keys only."]})
        if user.pk != self.viewer.user_id and not self.viewer.is_admin:
            raise PermissionDenied("Only an admin may make a key for somebody else.")
        if team is not None and not user.memberships.filter(team=team).exists():
            raise serializers.ValidationError({"team": [f"{user.username} is not in this team."]})
        return user, team

    def _held(self) -> Key:
        """The key, where the viewer may have its token: their own, their team's service keys; an admin, any."""
        key: Key = self.get_object()
        viewer = self.viewer
        own = key.user_id is not None and key.user_id == viewer.user_id
        if viewer.is_admin or own or (key.user_id is None and viewer.answers_for(key.team_id)):
            return key
        raise PermissionDenied("This is somebody else's key: you may revoke it.")


def hand_on_key(caller: Caller | None, key: Key) -> None:
    hand_on(
        caller,
        scopes=key.scopes,
        expires_at=key.expires_at,
        allowed_models=key.allowed_models,
        allowed_networks=key.allowed_networks,
    )


def hand_on(
    caller: Caller | None,
    *,
    scopes: list[str],
    expires_at: datetime | None,
    allowed_models: list[str],
    allowed_networks: list[str],
) -> None:
    """A key hands on no more than it has, else every key that may manage were a key that may do anything.

    Raises PermissionDenied. A person who is signed in (``caller`` None) hands on what they like.
    """
    if caller is None:
        return
    if not set(scopes) <= caller.scopes:
        raise PermissionDenied("This key may not hand on scopes that it lacks.")
    if caller.expires_at is not None and (expires_at is None or expires_at > caller.expires_at):
        raise PermissionDenied("This key may not make a key that outlives it.")
    for name, held, handed in (
        ("models", caller.allowed_models, allowed_models),
        ("networks", caller.allowed_networks, allowed_networks),
    ):
        if held and not (handed and set(handed) <= set(held)):
            raise PermissionDenied(f"This key is restricted to some {name}, and so must be those it makes.")


def _shown_once(key: Key, token: str) -> Response:
    data = KeySerializer(key).data | {"token": token}
    return Response(data, status=201, headers={"Cache-Control": "no-store"})
