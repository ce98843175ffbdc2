from django.apps import AppConfig


class ReadingsConfig(AppConfig):
    name = "feedback_app.readings"

    def ready(self) -> None:
        from feedback_app.readings.rendering import RenderedAhead
        from feedback_app.studies.services import preparing

        preparing.register(RenderedAhead())
