"""Verbs over studies: design, fill with cases, open, change, close, unblind."""

from feedback_app.studies.planning import CasesAdded
from feedback_app.studies.services.active import start_valuing
from feedback_app.studies.services.asking import (
    ask_for_study,
    find_more_batches,
    find_readers,
    look_up,
    preview_request,
)
from feedback_app.studies.services.calibration import (
    add_example,
    change_training,
    end_training,
    make_training,
    references_of,
    remove_example,
)
from feedback_app.studies.services.cases import (
    KnownAnswer,
    add_cases,
    add_cases_from_batch,
    known_answers_of,
    pick_anchors,
    set_gold,
)
from feedback_app.studies.services.design import (
    Design,
    contradictions,
    create_study,
    design_study,
    redesign_study,
)
from feedback_app.studies.services.drafts import (
    BroughtIn,
    bring_in_drafts,
    fill_drafts,
    keep_drafts,
    waited_for,
)
from feedback_app.studies.services.growing import add_batches, add_readers
from feedback_app.studies.services.leaving import Left, remove_reader
from feedback_app.studies.services.opening import open_study, planned_slots
from feedback_app.studies.services.picking import add_picked
from feedback_app.studies.services.preview import Preview, preview_design, preview_study
from feedback_app.studies.services.queued import begin_adding, begin_filling, begin_opening
from feedback_app.studies.services.states import (
    close_study,
    delete_draft,
    pause_study,
    reopen_study,
    resume_study,
    set_due_date,
    unblind_study,
)

__all__ = [
    "BroughtIn",
    "CasesAdded",
    "Design",
    "KnownAnswer",
    "Left",
    "Preview",
    "add_batches",
    "add_cases",
    "add_cases_from_batch",
    "add_example",
    "add_picked",
    "add_readers",
    "ask_for_study",
    "begin_adding",
    "begin_filling",
    "begin_opening",
    "bring_in_drafts",
    "change_training",
    "close_study",
    "contradictions",
    "create_study",
    "delete_draft",
    "design_study",
    "end_training",
    "fill_drafts",
    "find_more_batches",
    "find_readers",
    "keep_drafts",
    "known_answers_of",
    "look_up",
    "make_training",
    "open_study",
    "pause_study",
    "pick_anchors",
    "planned_slots",
    "preview_design",
    "preview_request",
    "preview_study",
    "redesign_study",
    "references_of",
    "remove_example",
    "remove_reader",
    "reopen_study",
    "resume_study",
    "set_due_date",
    "set_gold",
    "start_valuing",
    "unblind_study",
    "waited_for",
]
