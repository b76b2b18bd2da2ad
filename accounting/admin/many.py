"""What is done to many rows at once and needs an answer first: a page that shows the chosen and asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounting.models import User

from .page import Page, actor

MANY: Final = 500  # rows changed at once


@dataclass(frozen=True, slots=True)
class Line:
    """One of the chosen rows. ``left_out`` says why the change is not for it, "" where it is."""

    row: Model
    cells: Sequence[object]
    left_out: str = ""

    @property
    def address(self) -> str:
        options = self.row._meta
        return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[self.row.pk])


class ManyView(Page):
    """Shows the chosen rows (``?id=1&id=2``), asks what for, and changes all of them or none.

    ``columns`` heads the row's own name and the cells of its line.
    """

    template_name = "admin/accounting/many.html"
    form_class: type[forms.Form] = forms.Form
    columns: tuple[str, ...] = ()
    lead = ""
    button = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.setdefault("form", self.form_class())
        lines = list(self.lines(self._chosen(self.request)))
        options = self.model_admin.model._meta
        return super().get_context_data(
            lines=lines,
            any_fits=any(not line.left_out for line in lines),
            things=options.verbose_name if len(lines) == 1 else options.verbose_name_plural,
            columns=self.columns,
            lead=self.lead,
            button=self.button,
            back=self._list(),
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form_class(request.POST)
        if form.is_valid():
            try:
                with transaction.atomic():
                    done = self.change_all(form, list(self._chosen(request)), actor(request))
            except ValidationError as error:
                form.add_error(None, error.messages)
            else:
                messages.success(request, done)
                return redirect(self._list())
        return self.render_to_response(self.get_context_data(form=form))

    def lines(self, rows: Iterable[Any]) -> Iterable[Line]:
        """The chosen rows as they are shown."""
        raise NotImplementedError

    def change_all(self, form: Any, rows: list[Any], by: User) -> str:
        """Changes the rows, and returns what is said of it. Raises ValidationError."""
        raise NotImplementedError

    def chosen(self) -> QuerySet[Any]:
        """The rows that can be chosen, with all that ``lines`` needs."""
        rows: QuerySet[Any] = self.model_admin.model.objects.all()
        return rows

    def _chosen(self, request: HttpRequest) -> QuerySet[Any]:
        ids = [int(one) for one in request.GET.getlist("id")[:MANY] if one.isdecimal() and len(one) < 19]
        return self.chosen().filter(pk__in=ids)

    def _list(self) -> str:
        options = self.model_admin.model._meta
        return reverse(f"admin:{options.app_label}_{options.model_name}_changelist")


def ask(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any], page: str) -> HttpResponse | None:
    """Leads an action of a list to ``page``, the name of a ManyView's address, with the chosen rows."""
    ids = list(queryset.values_list("pk", flat=True)[: MANY + 1])
    if len(ids) > MANY:
        named = model_admin.model._meta.verbose_name_plural
        model_admin.message_user(
            request, f"At most {MANY} {named} are changed at once: narrow the list.", messages.ERROR
        )
        return None
    return redirect(reverse(f"admin:{page}") + "?" + urlencode({"id": ids}, doseq=True))
