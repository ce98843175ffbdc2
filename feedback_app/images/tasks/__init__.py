"""The handlers of this app's runs; Celery finds this package by its name."""

from feedback_app.images.tasks import cohorts as cohorts
