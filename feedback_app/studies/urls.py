from django.urls import path

from feedback_app.studies.views import (
    calibration,
    cases,
    changes,
    design,
    lists,
    pages,
    picked,
)

app_name = "studies"
urlpatterns = [
    path("", lists.list_studies, name="list"),
    path("new/", design.create, name="create"),
    path("picked/", picked.show_picked, name="picked"),
    path("preview/", design.preview, name="preview"),
    path("batches/", design.offer, name="offered-batches"),
    path("<uuid:study_id>/", pages.detail, name="detail"),
    path("<uuid:study_id>/edit/", design.edit, name="edit"),
    path("<uuid:study_id>/cases/", cases.show_cases, name="cases"),
    path("<uuid:study_id>/cases/<uuid:case_id>/anchor/", cases.toggle_anchor, name="anchor"),
    path("<uuid:study_id>/cases/<uuid:case_id>/gold/", cases.edit_gold, name="gold"),
    path("<uuid:study_id>/calibration/", calibration.show, name="calibration"),
    path("<uuid:study_id>/examples/", calibration.add_example, name="add-example"),
    path(
        "<uuid:study_id>/examples/<int:example_id>/remove/",
        calibration.remove_example,
        name="remove-example",
    ),
    path(
        "<uuid:study_id>/cases/<uuid:case_id>/training/",
        calibration.make_training,
        name="make-training",
    ),
    path(
        "<uuid:study_id>/training/<uuid:training_id>/", calibration.edit_training, name="training"
    ),
    path(
        "<uuid:study_id>/training/<uuid:training_id>/end/",
        calibration.end_training,
        name="end-training",
    ),
    path("<uuid:study_id>/open/", changes.open_study, name="open"),
    path("<uuid:study_id>/pause/", changes.pause_study, name="pause"),
    path("<uuid:study_id>/resume/", changes.resume_study, name="resume"),
    path("<uuid:study_id>/close/", changes.close_study, name="close"),
    path("<uuid:study_id>/reopen/", changes.reopen_study, name="reopen"),
    path("<uuid:study_id>/due/", changes.set_due_date, name="due"),
    path("<uuid:study_id>/readers/", changes.add_readers, name="add-readers"),
    path(
        "<uuid:study_id>/readers/<int:reader_id>/remove/",
        changes.remove_reader,
        name="remove-reader",
    ),
    path("<uuid:study_id>/batches/", changes.add_batches, name="add-batches"),
    path("<uuid:study_id>/reward-model/", changes.use_reward_model, name="use-reward-model"),
    path("<uuid:study_id>/unblind/", changes.unblind_study, name="unblind"),
    path("<uuid:study_id>/delete/", changes.delete_draft, name="delete"),
]
