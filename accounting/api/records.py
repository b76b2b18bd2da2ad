"""Single requests and sessions: what the ledger holds of them, never what was said."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounting.csvfiles import csv_file
from accounting.models import LedgerEntry
from accounting.reports import Period
from accounting.reports.selection import Filters, Selection
from accounting.reports.sessions import Agent, agents, sessions

from .base import Pages, Resource, View
from .parameters import ReportParameters
from .renderers import WITH_CSV, flat
from .serializers import Dollars, PeriodSerializer, Shape, TotalsSerializer

_EXPORT_CHUNK: Final = 2_000


class RecordSerializer(serializers.ModelSerializer[LedgerEntry]):
    """One request. `cost` is null where a price is not known; `exact` says that the figures are the provider's own."""

    user = serializers.CharField(source="user_name")
    team = serializers.CharField(source="team_name")
    key = serializers.CharField(source="key_name", help_text="The key's name.")
    cost = Dollars(allow_null=True)

    class Meta:
        model = LedgerEntry
        fields = (
            "id",
            "request_id",
            "started_at",
            "state",
            "outcome",
            "error",
            "exact",
            "user",
            "team",
            "key",
            "asked_model",
            "tier",
            "provider",
            "model",
            "service_tier",
            "streamed",
            "session_id",
            "agent_id",
            "parent_agent_id",
            "client",
            "input_tokens",
            "cache_read_tokens",
            "cache_write_5m_tokens",
            "cache_write_1h_tokens",
            "output_tokens",
            "reasoning_tokens",
            "web_searches",
            "cost",
            "attempts",
            "first_byte_ms",
            "duration_ms",
        )


class RecordPages(Pages):
    ordering = ("-started_at", "-id")


class RecordParameters(ReportParameters):
    """As for reports; beside them what pages of a list take."""

    session_id = serializers.CharField(required=False, max_length=100)
    paging = frozenset({"cursor", "page_size"})


@extend_schema_view(
    list=extend_schema(operation_id="records", summary="Requests, the latest first", parameters=[RecordParameters]),
    retrieve=extend_schema(operation_id="record", summary="One request"),
)
class RecordResource(Resource):
    serializer_class = RecordSerializer
    pagination_class = RecordPages
    lookup_field = "request_id"

    def get_queryset(self) -> QuerySet[LedgerEntry]:
        if self.action == "retrieve":
            return Selection(self.viewer, Period.today()).ever()
        parameters = RecordParameters.of(self.request)
        rows = parameters.selection(self.viewer).entries()
        session = parameters.validated_data.get("session_id")
        return rows if session is None else rows.filter(session_id=session).exclude(session_id="")


class ExportView(View):
    @extend_schema(
        operation_id="records_csv",
        summary="Requests as CSV, all of a period",
        parameters=[ReportParameters],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """The latest first. Written while it is read, so that a year is no more to hold than a day."""
        selection = ReportParameters.of(request).selection(self.viewer)
        return csv_file(request._request, "tollgate-requests.csv", _lines(selection))


def _lines(selection: Selection) -> Iterator[bytes]:
    """Chunks by keyset: the index is walked on from the last row, and no transaction stays open between them."""
    columns = list(RecordSerializer.Meta.fields)
    yield (",".join(columns) + "\r\n").encode()
    last: LedgerEntry | None = None
    while rows := _chunk(selection, last):
        last = rows[-1]
        out = io.StringIO()
        csv.DictWriter(out, fieldnames=columns).writerows(flat(row) for row in RecordSerializer(rows, many=True).data)
        yield out.getvalue().encode()


def _chunk(selection: Selection, last: LedgerEntry | None) -> list[LedgerEntry]:
    rows = selection.entries()
    if last is not None:
        rows = rows.filter(Q(started_at__lt=last.started_at) | Q(started_at=last.started_at, id__lt=last.pk))
        rows = rows.filter(started_at__lte=last.started_at)  # said apart, so that the index is walked from there
    return list(rows.order_by("-started_at", "-id")[:_EXPORT_CHUNK])


class SessionSerializer(Shape):
    session_id = serializers.CharField()
    user = serializers.CharField(source="user_name")
    user_id = serializers.IntegerField(allow_null=True)
    team = serializers.CharField(source="team_name")
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    agents = serializers.IntegerField()
    totals = TotalsSerializer()


class SessionParameters(ReportParameters):
    before = serializers.DateTimeField(required=False, help_text="Go on from the `last_at` of a page's last session.")
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)


class SessionListSerializer(Shape):
    period = PeriodSerializer()
    results = SessionSerializer(many=True)


class SessionsView(View):
    renderer_classes = WITH_CSV

    @extend_schema(
        operation_id="sessions",
        summary="Sessions, the latest first",
        parameters=[SessionParameters],
        responses=SessionListSerializer,
    )
    def get(self, request: Request) -> Response:
        parameters = SessionParameters.of(request)
        given = parameters.validated_data
        selection = parameters.selection(self.viewer)
        found = sessions(selection, limit=given["limit"], before=given.get("before"))
        return Response(SessionListSerializer({"period": selection.period, "results": found}).data)


class AgentSerializer(Shape):
    """An agent; those it started name it as their parent."""

    agent_id = serializers.CharField(help_text="Empty for the main agent.")
    parent_agent_id = serializers.CharField()
    depth = serializers.IntegerField(help_text="0 at the top.")
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    own = TotalsSerializer()
    whole = TotalsSerializer(help_text="With all agents it started, and those they started.")


class SessionTreeSerializer(Shape):
    session_id = serializers.CharField()
    agents = AgentSerializer(many=True, help_text="Each after its parent.")


class SessionView(View):
    @extend_schema(
        operation_id="session",
        summary="One session's agents, and what each has cost",
        parameters=[OpenApiParameter("session_id", str, OpenApiParameter.PATH)],
        responses=SessionTreeSerializer,
    )
    def get(self, request: Request, session_id: str) -> Response:
        found = agents(Selection(self.viewer, Period.today(), Filters()), session_id)
        if not found:
            raise NotFound("There is no such session, or not for you.")
        return Response(SessionTreeSerializer({"session_id": session_id, "agents": _walk(found)}).data)


def _walk(roots: tuple[Agent, ...]) -> list[dict[str, Any]]:
    """Parents before children, without recursion: chains of agents are as long as a client makes them."""
    lines: list[dict[str, Any]] = []
    stack = [(agent, 0) for agent in reversed(roots)]
    while stack:
        agent, depth = stack.pop()
        shown = ("agent_id", "parent_agent_id", "first_at", "last_at", "own", "whole")
        lines.append({name: getattr(agent, name) for name in shown} | {"depth": depth})
        stack += [(child, depth + 1) for child in reversed(agent.children)]
    return lines
