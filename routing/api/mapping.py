"""The API of the mapping, its revisions and the way back to one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounting.api.base import Pages, Resource, View
from accounting.api.errors import Conflict
from accounting.api.permissions import IsAdmin, IsAdminOrReads
from accounting.api.serializers import Shape
from routing import mapping
from routing.models import Revision


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
