"""The ASGI application: the line below ``/v1`` by Channels, everything else by Django."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxysite.settings")

from django.core.asgi import get_asgi_application

django_app = get_asgi_application()  # before anything that imports models

from collections.abc import Callable
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import re_path

from accounting.live.consumer import LiveConsumer, NowhereConsumer
from routing.gateway import consumers
from routing.gateway.lifespan import Lifespan
from routing.gateway.probe import head_or

ROUTES: list[tuple[str, Callable[..., Any]]] = [
    # A trailing slash is met, never redirected: clients lose the body or the key on a redirect.
    (r"^v1/messages/?$", consumers.MessagesConsumer.as_asgi()),
    (r"^v1/messages/count_tokens/?$", consumers.CountTokensConsumer.as_asgi()),
    (r"^v1/models/?$", consumers.ModelsConsumer.as_asgi()),
    (r"^v1/models/(?P<model_id>.+?)/?$", consumers.ModelsConsumer.as_asgi()),
    (r"^v1(/.*)?$", consumers.UnknownConsumer.as_asgi()),
    (r"^(api/hello|healthz)/?$", consumers.ProbeConsumer.as_asgi()),
    (r"^readyz/?$", consumers.ReadyConsumer.as_asgi()),
    (r"^metrics/?$", consumers.MetricsConsumer.as_asgi()),
    (r"^$", head_or(consumers.ProbeConsumer.as_asgi(), django_app)),
    (r"", django_app),
]
http = URLRouter([re_path(pattern, application) for pattern, application in ROUTES])
websocket = AllowedHostsOriginValidator(
    AuthMiddlewareStack(
        URLRouter([re_path(r"^ws/live/?$", LiveConsumer.as_asgi()), re_path(r"", NowhereConsumer.as_asgi())])
    )
)

application = ProtocolTypeRouter({"http": http, "websocket": websocket, "lifespan": Lifespan()})
