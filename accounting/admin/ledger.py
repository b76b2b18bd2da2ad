"""The ledger, read-only: a list of any length that opens at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.paginator import EmptyPage
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold import paginator
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounting.models import LedgerEntry
from accounting.models.ledger import LedgerQuerySet
from accounting.pages.figures import money

from .page import moment


class InfinitePaginator(paginator.InfinitePaginator):
    """Counts nothing, and goes no deeper than people read: a page is found by walking past all rows before it.

    The theme's heading knows by the class's name that there is no number of results to show.
    """

    deepest = 1000

    def validate_number(self, number: Any) -> int:
        """Raises EmptyPage beyond the deepest page: a narrower time leads further back."""
        found = int(super().validate_number(number))
        if found > self.deepest:
            raise EmptyPage(f"Narrow the list by time: it is shown to page {self.deepest}.")
        return found


class WithinFilter(admin.SimpleListFilter):
    """A span of time: the ledger is in order of time, so this narrows the work as well as the view."""

    title = "time"
    parameter_name = "within"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "The last hour"), ("24", "The last day"), ("168", "The last week")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:
        hours = self.value()
        if hours not in ("1", "24", "168"):
            return queryset
        return queryset.filter(started_at__gte=timezone.now() - timedelta(hours=int(hours)))


class OutcomeFilter(admin.SimpleListFilter):
    """How a request ended, or that it has not: each has an index, so that what is rare or nowhere is told at once."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Under way"), *LedgerEntry.Outcome.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[LedgerEntry]:
        rows: LedgerQuerySet = queryset
        wanted = self.value()
        if wanted == "open":
            return rows.filter(state=LedgerEntry.State.OPEN)
        return rows.ended(wanted) if wanted in LedgerEntry.Outcome.values else rows


@admin.register(LedgerEntry)
class LedgerAdmin(ModelAdmin):
    """What is searched for is looked up in an index: a request's or session's id, a person, a team, a key, exactly."""

    list_display = ("when", "who", "asked_model", "led_to", "tokens", "costs", "took", "how")
    list_filter = (WithinFilter, OutcomeFilter)
    search_fields = ("request_id", "session_id")  # searched by get_search_results, in their indexes
    search_help_text = "A request's id or a session's id, in full"
    ordering = ("-started_at",)
    sortable_by = ("when",)  # by anything else, all rows would be read and sorted
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
    list_select_related = False
    list_display_links = ("when",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LedgerEntry], search_term: str
    ) -> tuple[QuerySet[LedgerEntry], bool]:
        """One index at a time: a condition on either of two columns would read the whole table."""
        if not (wanted := search_term.strip()):
            return queryset, False
        of_request = queryset.filter(request_id=wanted)
        return (of_request if of_request.exists() else queryset.filter(session_id=wanted)), False

    @display(description="When", ordering="started_at")
    def when(self, entry: LedgerEntry) -> SafeString:
        return moment(entry.started_at)

    @display(description="Who")
    def who(self, entry: LedgerEntry) -> str:
        return " · ".join(filter(None, (entry.user_name, entry.team_name))) or entry.key_name or "–"

    @display(description="Led to")
    def led_to(self, entry: LedgerEntry) -> str:
        return f"{entry.provider}/{entry.model}" if entry.provider else "–"

    @display(description="Tokens in, out")
    def tokens(self, entry: LedgerEntry) -> str:
        return f"{entry.total_input_tokens:,}, {entry.output_tokens:,}{'' if entry.exact else ' (estimated)'}"

    @display(description="Cost")
    def costs(self, entry: LedgerEntry) -> str:
        return "not known" if entry.cost is None else money(entry.cost)

    @display(description="First byte, in all")
    def took(self, entry: LedgerEntry) -> str:
        return ", ".join("–" if ms is None else f"{ms:,} ms" for ms in (entry.first_byte_ms, entry.duration_ms))

    @display(
        description="Outcome",
        label={
            "complete": "success",
            "open": "info",
            "interrupted": "warning",
            "rejected": "warning",
            "lost": "danger",
            "upstream_error": "danger",
            "gateway_error": "danger",
        },
    )
    def how(self, entry: LedgerEntry) -> str:
        return entry.outcome or entry.state

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: LedgerEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LedgerEntry | None = None) -> bool:
        return False
