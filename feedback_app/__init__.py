"""The Django side of Reading Room."""

from feedback_app.celery import app as celery_app

__all__ = ["celery_app"]
