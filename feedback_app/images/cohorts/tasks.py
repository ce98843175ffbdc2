"""Importing a cohort; its handler is free of torch, so that a command can do it quickly."""

from feedback_app.images.cohorts.services import import_cohort

__all__ = ["import_cohort"]
