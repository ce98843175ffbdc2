"""Celery finds the handlers of this app's runs by the name of this module."""

from feedback_app.images.candidates.tasks import candidates, measures
from feedback_app.images.cohorts import tasks as cohorts
from feedback_app.images.scorers.tasks import proxies
from feedback_app.images.versions.tasks import controlnets, pretraining

__all__ = ["candidates", "cohorts", "controlnets", "measures", "pretraining", "proxies"]
