"""What Claude Code's status line shows: spend today and what is left, short enough for one line."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounting.reports import Filters, Period, Selection
from accounting.reports.limits import Fill, own_budgets
from accounting.reports.measures import Totals
from accounting.reports.sessions import cost_of
from accounting.reports.usage import totals

from .base import View
from .serializers import Dollars, Shape


class TextRenderer(BaseRenderer):
    """``?format=txt``: the line itself."""

    media_type = "text/plain"
    format = "txt"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if "line" in data:
            return (str(data["line"]) + "\n").encode()
        return (str(data["error"]["message"]) + "\n").encode()


class BudgetSerializer(Shape):
    name = serializers.CharField()
    period = serializers.CharField()
    left = Dollars()
    allowed = Dollars()
    percent = serializers.FloatField()
    resets_at = serializers.DateTimeField(allow_null=True)


class StatusSerializer(Shape):
    line = serializers.CharField()
    today = Dollars()
    requests_today = serializers.IntegerField()
    unpriced_today = serializers.IntegerField(help_text="Requests of today whose cost is not known.")
    session = Dollars(allow_null=True, help_text="What the session has cost; null where none was named.")
    budget = BudgetSerializer(allow_null=True, help_text="The one with the least left.")


class StatusParameters(Shape):
    session_id = serializers.CharField(required=False, max_length=100)


class StatusLineView(View):
    renderer_classes = [JSONRenderer, TextRenderer]

    @extend_schema(
        operation_id="statusline",
        summary="Spend today, and what is left",
        parameters=[StatusParameters],
        responses={(200, "application/json"): StatusSerializer, (200, "text/plain"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Of the person whose key it is; a service key's team. `?format=txt` is the line alone."""
        parameters = StatusParameters(data=request.query_params.dict())
        parameters.is_valid(raise_exception=True)
        own = Filters(user_id=self.viewer.user_id)
        selection = Selection(self.viewer, Period.today(), own)
        used = totals(selection)
        session_id = parameters.validated_data.get("session_id")
        session = cost_of(selection, session_id) if session_id else None
        budget = next(iter(own_budgets(self.viewer)), None)
        answer = {
            "line": line(used, session, budget),
            "today": used.cost,
            "requests_today": used.requests,
            "unpriced_today": used.unpriced,
            "session": session,
            "budget": budget and _budget(budget),
        }
        return Response(StatusSerializer(answer).data, headers={"Cache-Control": "no-store"})


def line(used: Totals, session: Decimal | None, budget: Fill | None) -> str:
    """As ``$1.24 today · $0.31 session · $18.76 of $20.00 left this month``."""
    parts = [f"{short(used.cost)}{'+' if used.unpriced else ''} today"]
    if session is not None:
        parts.append(f"{short(session)} session")
    if budget is not None:
        period = {"total": "in all", "day": "today"}.get(budget.limit.period, f"this {budget.limit.period}")
        parts.append(f"{short(budget.left)} of {short(budget.allowed)} left {period}")
    return " · ".join(parts)


def short(amount: Decimal) -> str:
    return f"${amount:,.2f}"


def _budget(fill: Fill) -> dict[str, Any]:
    return {
        "name": str(fill.limit),
        "period": fill.limit.period,
        "left": fill.left,
        "allowed": fill.allowed,
        "percent": fill.percent,
        "resets_at": fill.resets_at,
    }
