"""My account: who I am here, and the ways I sign in."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from .access import person, signed_in


@require_safe
@signed_in
def index(request: HttpRequest) -> HttpResponse:
    user = person(request)
    context = {
        "has_password": user.has_usable_password(),
        "second_factors": Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).count(),
        "connections": SocialAccount.objects.filter(user=user).count(),
        "offers_sso": bool(settings.SOCIALACCOUNT_PROVIDERS),
    }
    return render(request, "portal/account.html", context)
