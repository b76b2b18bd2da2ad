"""Pages, API and admin. The line itself is not here: see ``proxysite.asgi``."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from accounting.api import urls as api
from routing.api import urls as routing_api

urlpatterns = [
    path("", include("accounting.pages.urls")),
    path("accounts/", include("allauth.urls")),
    # One sign-in for all: the admin's own would be neither slowed for guessers nor ask for a second factor.
    path("admin/login/", secure_admin_login(admin.site.login)),
    path("admin/", admin.site.urls),
    path("api/", include(([*api.urlpatterns, *routing_api.urlpatterns, *api.fallback], "api"))),
]

handler403 = "accounting.pages.errors.forbidden"
handler404 = "accounting.pages.errors.not_found"
handler429 = "accounting.pages.errors.too_many_requests"
handler500 = "accounting.pages.errors.server_error"
