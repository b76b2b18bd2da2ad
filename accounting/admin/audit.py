"""The audit log: every change and every sign-in, read-only, to take away as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditlog.models import LogEntry
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from accounting.audit import happened

from .page import csv_download, moment

admin.site.unregister(LogEntry)

_CHUNK = 2000  # rows to a query of the export
_COLUMNS = ["time", "who", "address", "what happened", "kind", "row", "changes"]


@admin.register(LogEntry)
class AuditAdmin(ModelAdmin):
    list_display = ("when", "by", "happened", "kind", "object_repr", "in_short", "remote_addr")
    list_display_links = ("when",)
    list_filter = ("action", "content_type", "timestamp")
    search_fields = ("object_repr", "actor__username", "changes", "remote_addr")
    list_select_related = ("actor", "content_type")
    ordering = ("-timestamp",)
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
    fields = ("when", "by", "remote_addr", "happened", "kind", "object_repr", "in_full")
    readonly_fields = fields
    actions_list = ("export",)

    @display(description="When", ordering="timestamp")
    def when(self, entry: LogEntry) -> SafeString:
        return moment(entry.timestamp)

    @display(description="Who", ordering="actor")
    def by(self, entry: LogEntry) -> str:
        return str(entry.actor) if entry.actor else "–"

    @display(
        description="What happened",
        ordering="action",
        label={"create": "success", "update": "info", "delete": "danger", "sign-in failed": "warning"},
    )
    def happened(self, entry: LogEntry) -> str:
        return happened(entry)

    @display(description="Of", ordering="content_type")
    def kind(self, entry: LogEntry) -> str:
        return str(entry.content_type.name)

    @display(description="Fields")
    def in_short(self, entry: LogEntry) -> str:
        # A new or deleted row has all its fields changed, which tells nothing.
        return ", ".join(entry.changes_dict) if entry.action == LogEntry.Action.UPDATE else "–"

    @display(description="From, to")
    def in_full(self, entry: LogEntry) -> SafeString:
        rows = ((name, _text(change)) for name, change in entry.changes_dict.items())
        return format_html("<dl>{}</dl>", format_html_join("", "<dt><b>{}</b></dt><dd>{}</dd>", rows))

    @action(description="Export as CSV", url_path="export")
    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """What the list shows with its search and filters, all of it."""
        listed = self.get_changelist_instance(request)
        entries: QuerySet[LogEntry] = listed.get_queryset(request)
        return csv_download(request, "audit.csv", _COLUMNS, self._rows(entries))

    def _rows(self, entries: QuerySet[LogEntry]) -> Iterator[list[object]]:
        for entry in _by_id(entries):
            changes = "; ".join(f"{name}: {_text(change)}" for name, change in entry.changes_dict.items())
            when = entry.timestamp.isoformat()
            yield [
                when,
                self.by(entry),
                entry.remote_addr,
                self.happened(entry),
                self.kind(entry),
                entry.object_repr,
                changes,
            ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        return False


def _by_id(entries: QuerySet[LogEntry]) -> Iterator[LogEntry]:
    """The latest first, a query a chunk: what holds a cursor open is cut off with the connection it is read by."""
    ordered, last = entries.order_by("-pk"), None
    while chunk := list((ordered if last is None else ordered.filter(pk__lt=last))[:_CHUNK]):
        yield from chunk
        last = chunk[-1].pk


def _text(change: Any) -> str:
    return " ⇒ ".join(map(str, change)) if isinstance(change, list) else str(change)
