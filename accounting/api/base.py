"""What every view of the API stands on: who asks, what they may see, and how long lists are cut into pages."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from auditlog.context import auditlog_value
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounting.identity import Caller
from accounting.models import User
from accounting.reports import Viewer

from .permissions import HasScope


class View(APIView):
    """``read_scope`` is what a key needs to read here; see ``permissions.HasScope``. ``also`` narrows further."""

    read_scope: ClassVar[str | None] = "usage"
    also: ClassVar[list[type[BasePermission]]] = []

    def get_permissions(self) -> list[Any]:
        permissions: list[type[BasePermission]] = [IsAuthenticated, HasScope, *self.also]
        return [permission() for permission in permissions]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """What a key changes stands on the audit log by its person's name: the log's middleware knows sessions alone.

        auditlog's own ``set_actor`` does not nest: the middleware's receiver would never be disconnected.
        """
        super().initial(request, *args, **kwargs)
        context = auditlog_value.get(None)
        if context is not None and self.person is not None:
            context["actor"] = self.person

    @cached_property
    def viewer(self) -> Viewer:
        caller, person = self.caller, self.person
        return Viewer.of_caller(caller) if caller and person is None else Viewer.of_user(self.request.user)

    @property
    def caller(self) -> Caller | None:
        """The key that asks; None for a person who is signed in."""
        auth = self.request.auth
        return auth if isinstance(auth, Caller) else None

    @property
    def person(self) -> User | None:
        """Who asks; None for a service key."""
        user = self.request.user
        return user if isinstance(user, User) else None


class Pages(CursorPagination):
    """Pages by cursor: an index is walked, so the thousandth page costs what the first does."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000
    ordering: tuple[str, ...] = ("id",)


class Resource(View, ListModelMixin, RetrieveModelMixin, GenericViewSet[Any]):
    """Rows with a name of their own. ``get_queryset`` gives those the viewer may see; any other is not found."""

    pagination_class = Pages
    filter_backends = ()
