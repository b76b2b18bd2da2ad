"""Who changed what, and who signed in: django-auditlog, with every secret left out.

Django tells of sign-ins by signal alone, so here, and here only, are receivers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Model
from django.http import HttpRequest

from .addresses import address_for_the_record
from .models import Key, Limit, LimitChange, Membership, Price, Team, User

_HIDDEN: Final = "accounting.audit.hidden"


def hidden(value: object) -> str:
    """What the log shows of a masked value: that there is one."""
    return "(hidden)" if value else ""


def watch(model: type[Model], *, left_out: Collection[str] = (), masked: Sequence[str] = ()) -> None:
    """Has a model's own columns recorded; ``masked`` ones only as having changed, ``left_out`` ones not at all."""
    columns = [field.name for field in model._meta.concrete_fields if field.name not in left_out]
    auditlog.register(model, include_fields=columns, mask_fields=list(masked), mask_callable=_HIDDEN)


def register() -> None:
    """Has the rows of this app watched, and sign-ins written down. Called once, when the app is ready."""
    watch(User, left_out={"last_login"}, masked=["password"])
    watch(Key, left_out={"digest", "pepper", "last_used_at"})
    for model in (Team, Membership, Limit, LimitChange, Price):
        watch(model)
    user_logged_in.connect(_signed_in, dispatch_uid="audit sign-in")
    user_logged_out.connect(_signed_out, dispatch_uid="audit sign-out")
    user_login_failed.connect(_sign_in_failed, dispatch_uid="audit failed sign-in")


def happened(entry: LogEntry) -> str:
    """What an entry tells of, in a word or two: ``create``, ``update``, ``signed in``, ``sign-in failed``, ..."""
    return str((entry.additional_data or {}).get("event") or entry.get_action_display())


def _signed_in(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    _record(user, user, request, "signed in")


def _signed_out(sender: Any, request: HttpRequest | None, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        _record(user, user, request, "signed out")


def _sign_in_failed(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Only of accounts there are: whatever else was typed into the field may be a password."""
    user = User.objects.filter(username=str(credentials.get("username") or "")[:150]).first()
    if user is not None:
        _record(user, None, request, "sign-in failed")


def _record(user: User, actor: User | None, request: HttpRequest | None, event: str) -> None:
    LogEntry.objects.log_create(
        user,
        force_log=True,
        action=LogEntry.Action.ACCESS,
        actor=actor,
        remote_addr=address_for_the_record(request) if request is not None else None,
        additional_data={"event": event},
    )
