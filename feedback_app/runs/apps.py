from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class RunsConfig(AppConfig):
    name = "feedback_app.runs"

    def ready(self) -> None:
        """Let every app say which kinds of run it has."""
        autodiscover_modules("kinds")
