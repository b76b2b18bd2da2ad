"""The API of where requests go: providers, the mapping and its revisions, and why a name leads where it does."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounting.admission.policies import Policies
from accounting.api.base import Pages, Resource, View
from accounting.api.errors import Conflict
from accounting.api.limits import FillSerializer
from accounting.api.permissions import IsAdmin, IsAdminOrReads
from accounting.api.serializers import Shape
from accounting.identity import Caller
from accounting.ledger import Booking
from accounting.models import User
from accounting.reports.limits import Fill, measure, seen_limits

from . import credentials, mapping
from .errors import RoutingError
from .models import Dialect, Provider, Revision
from .resolution import Resolution, resolve
from .table import load


class ProviderSerializer(serializers.ModelSerializer[Provider]):
    """What everybody may know of a provider."""

    class Meta:
        model = Provider
        fields = ("name", "dialect", "enabled")


class ProviderDetailSerializer(serializers.ModelSerializer[Provider]):
    """For admins. `api_key` goes in and never comes out; `credential` is what may be shown of the one in use."""

    api_key = serializers.CharField(write_only=True, required=False, max_length=10_000)
    credential = serializers.SerializerMethodField()

    class Meta:
        model = Provider
        fields = (
            "name",
            "dialect",
            "reasoning_dialect",
            "base_url",
            "enabled",
            "litellm_provider",
            "price_family",
            "quirks",
            "created_at",
            "api_key",
            "credential",
        )

    def get_credential(self, provider: Provider) -> str:
        # In Python, on what was fetched for the whole list; the newest is the first.
        return next((one.hint for one in provider.credentials.all() if one.is_live), "")


@extend_schema_view(
    list=extend_schema(operation_id="providers", summary="Providers", responses=ProviderSerializer(many=True)),
    retrieve=extend_schema(operation_id="provider", summary="One provider", responses=ProviderDetailSerializer),
)
class ProviderResource(Resource):
    lookup_field = "name"
    also = [IsAdminOrReads]
    serializer_class = ProviderSerializer

    def get_permissions(self) -> list[Any]:
        return [*super().get_permissions(), *([IsAdmin()] if self.action == "retrieve" else [])]

    def get_queryset(self) -> QuerySet[Provider]:
        return Provider.objects.prefetch_related("credentials")

    def get_serializer_class(self) -> type[serializers.ModelSerializer[Provider]]:
        return ProviderSerializer if self.action == "list" else ProviderDetailSerializer

    @extend_schema(operation_id="provider_create", summary="Add a provider", responses={201: ProviderDetailSerializer})
    def create(self, request: Request) -> Response:
        wanted = ProviderDetailSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        return self._saved(Provider(), dict(wanted.validated_data), 201)

    @extend_schema(operation_id="provider_change", summary="Change a provider", responses=ProviderDetailSerializer)
    def partial_update(self, request: Request, name: str) -> Response:
        """A new `api_key` is in use at once; the one before it can be put back for a day."""
        provider = self.get_object()
        wanted = ProviderDetailSerializer(provider, data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        return self._saved(provider, dict(wanted.validated_data))

    @extend_schema(operation_id="provider_delete", summary="Remove a provider", responses={204: None})
    def destroy(self, request: Request, name: str) -> Response:
        """Refused while the mapping leads there. Its usage stays on the ledger by name."""
        try:
            self.get_object().delete()
        except ProtectedError as error:
            raise Conflict("The mapping leads to this provider: change that first.") from error
        return Response(status=204)

    def _saved(self, provider: Provider, given: dict[str, Any], status: int = 200) -> Response:
        api_key = given.pop("api_key", None)
        for name, value in given.items():
            setattr(provider, name, value)
        provider.full_clean()
        with transaction.atomic():
            provider.save()
            if api_key:
                credentials.store(provider, api_key)
        return Response(ProviderDetailSerializer(self.get_queryset().get(pk=provider.pk)).data, status=status)


class GoalSerializer(Shape):
    """Where a tier leads; an empty model hands on the name that was asked for."""

    provider = serializers.CharField(max_length=60)
    model = serializers.CharField(max_length=200, allow_blank=True, default="")
    position = serializers.IntegerField(default=0, min_value=0, max_value=32_767)


class PatternSerializer(Shape):
    """Names like ``pattern`` (``*`` and ``?``) lead to ``tier``; the first that matches wins."""

    pattern = serializers.CharField(max_length=200)
    tier = serializers.CharField(max_length=40)


class OverrideSerializer(Shape):
    """For one person or one team, a tier or a pattern leads elsewhere."""

    user = serializers.CharField(max_length=150, allow_blank=True, default="")
    team = serializers.CharField(max_length=100, allow_blank=True, default="")
    tier = serializers.CharField(max_length=40, allow_blank=True, default="")
    pattern = serializers.CharField(max_length=200, allow_blank=True, default="")
    provider = serializers.CharField(max_length=60)
    model = serializers.CharField(max_length=200, allow_blank=True, default="")

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        if bool(attrs["user"]) == bool(attrs["team"]):
            raise serializers.ValidationError("An override is for a person or for a team.")
        if bool(attrs["tier"]) == bool(attrs["pattern"]):
            raise serializers.ValidationError("An override is of a tier or of a pattern of names.")
        return attrs


class MappingSerializer(Shape):
    """The whole mapping, by names: what is read can be changed and sent back."""

    tiers = serializers.DictField(child=GoalSerializer())
    patterns = PatternSerializer(many=True)
    overrides = OverrideSerializer(many=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names = set(attrs["tiers"])
        if long := [name for name in names if not 0 < len(name) <= 40 or "\0" in name]:
            raise serializers.ValidationError({"tiers": [f"{long[0][:50]!r} is no name for a tier."]})
        patterns = [row["pattern"] for row in attrs["patterns"]]
        if len(set(patterns)) < len(patterns):
            raise serializers.ValidationError({"patterns": ["A pattern is there twice."]})
        for field in ("patterns", "overrides"):
            if unknown := {row["tier"] for row in attrs[field] if row["tier"]} - names:
                raise serializers.ValidationError({field: [f"There is no tier '{min(unknown)}'."]})
        return attrs


class MappingChangeSerializer(MappingSerializer):
    reason = serializers.CharField(max_length=2000, help_text="Why; it stands in the revision.")
    preview = serializers.BooleanField(default=False, help_text="Tell what would change for whom, and change nothing.")


class ChangeSerializer(Shape):
    whom = serializers.CharField()
    name = serializers.CharField(help_text="The name that is asked for.")
    before = serializers.CharField()
    after = serializers.CharField()


class MappingAnswerSerializer(MappingSerializer):
    changes = ChangeSerializer(many=True, help_text="What it meant, or would mean, and for whom.")


class MappingView(View):
    also = [IsAdminOrReads]

    @extend_schema(operation_id="mapping", summary="The mapping", responses=MappingSerializer)
    def get(self, request: Request) -> Response:
        """Overrides are one's own and one's teams'; an admin sees all."""
        return Response(_told(mapping.snapshot(), self))

    @extend_schema(
        operation_id="mapping_change",
        summary="Change the mapping",
        request=MappingChangeSerializer,
        responses=MappingAnswerSerializer,
    )
    def put(self, request: Request) -> Response:
        """In force for the next request, as a revision that can be rolled back; with `preview`, only told."""
        wanted = MappingChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        taken: mapping.Snapshot = {
            "tiers": {name: dict(goal) for name, goal in given["tiers"].items()},
            "patterns": [[row["pattern"], row["tier"]] for row in given["patterns"]],
            "overrides": [dict(row) for row in given["overrides"]],
        }
        try:
            changes = mapping.preview(lambda: mapping.restore(taken))
            if not given["preview"]:
                with mapping.revising(self.person, given["reason"]):
                    mapping.restore(taken)
        except mapping.CannotRestore as error:
            raise serializers.ValidationError(error.message) from error
        now = _told(taken if given["preview"] else mapping.snapshot(), self)
        return Response(now | {"changes": ChangeSerializer(changes, many=True).data})


def _told(taken: mapping.Snapshot, view: View) -> dict[str, Any]:
    overrides = taken["overrides"]
    if not view.viewer.is_admin:
        own = view.person.username if view.person else None
        teams = set(view.viewer.seen_teams().values_list("name", flat=True))
        overrides = [row for row in overrides if row["user"] == own or row["team"] in teams]
    patterns = [{"pattern": pattern, "tier": tier} for pattern, tier in taken["patterns"]]
    return {"tiers": taken["tiers"], "patterns": patterns, "overrides": overrides}


class RevisionSerializer(serializers.ModelSerializer[Revision]):
    """Who changed the mapping when and why; ``diff`` has a sentence for each thing that changed."""

    actor = serializers.CharField(source="actor_name")
    diff = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Revision
        fields = ("id", "created_at", "actor", "reason", "diff")


class RollbackSerializer(Shape):
    reason = serializers.CharField(required=False, max_length=2000)


class RevisionPages(Pages):
    ordering = ("-id",)


@extend_schema_view(
    list=extend_schema(operation_id="revisions", summary="The mapping's revisions, the latest first"),
    retrieve=extend_schema(operation_id="revision", summary="One revision"),
)
class RevisionResource(Resource):
    serializer_class = RevisionSerializer
    pagination_class = RevisionPages
    also = [IsAdmin]
    queryset = Revision.objects.all()

    @extend_schema(
        operation_id="rollback",
        summary="Put a revision's mapping in force again",
        request=RollbackSerializer,
        responses=RevisionSerializer,
    )
    def rollback(self, request: Request, pk: int) -> Response:
        """As a revision of its own, which is answered; where nothing had changed since, the latest."""
        revision = self.get_object()
        wanted = RollbackSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            mapping.rollback(revision, self.person, wanted.validated_data.get("reason", ""))
        except mapping.CannotRestore as error:
            raise Conflict(error.message) from error
        return Response(RevisionSerializer(Revision.objects.latest("id")).data)


class ExplainParameters(Shape):
    model = serializers.CharField(max_length=256)
    user = serializers.CharField(required=False, max_length=150, help_text="Somebody one may see. Default: oneself.")


class TargetSerializer(Shape):
    provider = serializers.CharField()
    model = serializers.CharField()
    dialect = serializers.ChoiceField(choices=Dialect.choices)


class LimitFillSerializer(Shape):
    id = serializers.IntegerField(source="limit.pk")
    name = serializers.CharField(source="limit")
    kind = serializers.CharField(source="limit.kind")
    fill = FillSerializer(source="*")


class ExplanationSerializer(Shape):
    asked_model = serializers.CharField()
    target = TargetSerializer(allow_null=True, help_text="null: it leads nowhere, and `error` says why.")
    tier = serializers.CharField()
    reasons = serializers.ListField(child=serializers.CharField(), help_text="The rules, the first first.")
    error = serializers.CharField(allow_null=True)
    limits = LimitFillSerializer(many=True, help_text="What holds such a request, as far as one may see it.")


class ExplainView(View):
    @extend_schema(
        operation_id="explain",
        summary="Where a request for a model would go, and why",
        parameters=[ExplainParameters],
        responses=ExplanationSerializer,
    )
    def get(self, request: Request) -> Response:
        parameters = ExplainParameters(data=request.query_params.dict())
        parameters.is_valid(raise_exception=True)
        asked = parameters.validated_data["model"]
        caller = self._caller(parameters.validated_data.get("user"))
        found: Resolution | None = None
        error: str | None = None
        try:
            found = resolve(load(), caller, asked)
        except RoutingError as refused:
            error = refused.message
        answer = {
            "asked_model": asked,
            "target": found and found.target,
            "tier": found.tier if found else "",
            "reasons": found.reasons if found else (),
            "error": error,
            "limits": self._limits(caller, asked, found),
        }
        return Response(ExplanationSerializer(answer).data)

    def _caller(self, username: str | None) -> Caller:
        """Oneself by the key that asks; anybody else as with a key without restrictions."""
        if username is None and self.caller is not None:
            return self.caller
        person = self.person
        if username is not None:
            person = self.viewer.seen_people().filter(username=username).first()
        if person is None:
            raise serializers.ValidationError({"user": ["There is no such person, or not for you."]})
        return _anyones(person)

    def _limits(self, caller: Caller, asked: str, found: Resolution | None) -> tuple[Fill, ...]:
        tier, model = (found.tier, found.target.model) if found else ("", "")
        policies = Policies.load().of(caller, Booking("", asked_model=asked, tier=tier, model=model))
        held = seen_limits(self.viewer).filter(enabled=True, pk__in=[policy.id for policy in policies])
        return measure(list(held))


def _anyones(person: User) -> Caller:
    place = person.memberships.select_related("team").first()
    team_id, team_name = (place.team_id, place.team.name) if place else (None, "")
    return Caller(0, "", person.pk, person.username, team_id, team_name, is_admin=person.is_staff)
