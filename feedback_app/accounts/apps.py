from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "feedback_app.accounts"

    def ready(self) -> None:
        from feedback_app.accounts import events

        events.connect()
