from django.apps import AppConfig


class AccountingConfig(AppConfig):
    name = "accounting"
    verbose_name = "People and spend"

    def ready(self) -> None:
        from . import audit, checks  # noqa: F401 (checks register themselves)

        audit.register()
