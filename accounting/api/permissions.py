"""What a key may do through the API: its scopes. Signed-in people may do what the pages let them do."""

from __future__ import annotations

from typing import Any, Final

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounting.identity import Caller

MANAGE: Final = "manage"


class HasScope(BasePermission):
    """A view's ``read_scope`` (None: any key) to read, ``manage`` to change anything."""

    def has_permission(self, request: Request, view: Any) -> bool:
        scope = view.read_scope if request.method in SAFE_METHODS else MANAGE
        caller = request.auth
        if scope is None or not isinstance(caller, Caller) or scope in caller.scopes:
            return True
        self.message = f"This key lacks the scope '{scope}'."
        return False


class IsAdmin(BasePermission):
    message = "Only an admin may do this."

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user and request.user.is_staff)


class IsAdminOrReads(IsAdmin):
    """Reading is for everybody, each within what they may see."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.method in SAFE_METHODS or super().has_permission(request, view)
