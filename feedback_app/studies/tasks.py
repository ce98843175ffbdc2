"""Writing the slots of large studies; the handlers are free of torch and do no more than SQL."""

from feedback_app.studies.services.queued import add_by_run, open_by_run

__all__ = ["add_by_run", "open_by_run"]
