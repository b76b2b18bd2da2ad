from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "routing"
    verbose_name = "Providers and mappings"

    def ready(self) -> None:
        from . import audit, checks  # noqa: F401 - checks register themselves

        audit.register()
