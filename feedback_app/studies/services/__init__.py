"""Verbs over studies: design, fill with cases, open, close, reopen."""

from feedback_app.studies.services.cases import CasesAdded, add_cases_from_batch
from feedback_app.studies.services.design import create_study, redesign_study
from feedback_app.studies.services.opening import close_study, open_study, reopen_study
from feedback_app.studies.services.preview import Preview, preview_design, preview_study

__all__ = [
    "CasesAdded",
    "Preview",
    "add_cases_from_batch",
    "close_study",
    "create_study",
    "open_study",
    "preview_design",
    "preview_study",
    "redesign_study",
    "reopen_study",
]
