"""The audit log: who changed what, and who signed in or failed to; for admins, and read-only."""

from __future__ import annotations

from typing import Any

from auditlog.models import LogEntry
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounting.audit import happened

from .base import Pages, Resource
from .permissions import IsAdmin
from .serializers import Shape


class AuditSerializer(serializers.ModelSerializer[LogEntry]):
    """`changes` holds `[before, after]` by field; what is secret is said to be hidden."""

    at = serializers.DateTimeField(source="timestamp")
    actor = serializers.SerializerMethodField(help_text="Empty: the gateway itself, or nobody who is known.")
    address = serializers.CharField(source="remote_addr", allow_null=True)
    event = serializers.SerializerMethodField(help_text="create, update, delete, signed in, sign-in failed, ...")
    kind = serializers.CharField(source="content_type.model")
    row = serializers.CharField(source="object_repr")
    changes = serializers.SerializerMethodField()

    class Meta:
        model = LogEntry
        fields = ("id", "at", "actor", "address", "event", "kind", "row", "changes")

    def get_actor(self, entry: LogEntry) -> str:
        return str(entry.actor) if entry.actor else ""

    def get_event(self, entry: LogEntry) -> str:
        return happened(entry)

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_changes(self, entry: LogEntry) -> dict[str, Any]:
        return dict(entry.changes_dict)


class AuditParameters(Shape):
    actor = serializers.CharField(required=False, max_length=150)
    kind = serializers.CharField(required=False, max_length=100, help_text="Of row: limit, provider, user, ...")
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)


class AuditPages(Pages):
    ordering = ("-id",)


class AuditResource(Resource):
    serializer_class = AuditSerializer
    pagination_class = AuditPages
    also = [IsAdmin]

    def get_queryset(self) -> QuerySet[LogEntry]:
        entries: QuerySet[LogEntry] = LogEntry.objects.select_related("actor", "content_type")
        if getattr(self, "swagger_fake_view", False):
            return entries
        parameters = AuditParameters(data=self.request.query_params.dict())
        parameters.is_valid(raise_exception=True)
        names = {
            "actor": "actor__username",
            "kind": "content_type__model",
            "since": "timestamp__gte",
            "until": "timestamp__lt",
        }
        return entries.filter(**{names[name]: value for name, value in parameters.validated_data.items()})

    @extend_schema(operation_id="audit", summary="The audit log, the latest first", parameters=[AuditParameters])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)
