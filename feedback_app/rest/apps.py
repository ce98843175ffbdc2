from django.apps import AppConfig


class RestConfig(AppConfig):
    name = "feedback_app.rest"
    label = "rest"
