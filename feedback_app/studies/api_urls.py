from django.urls import path

from feedback_app.studies import api

urlpatterns = [
    path("", api.StudiesView.as_view(), name="studies"),
    path("preview/", api.PreviewView.as_view(), name="study-preview"),
    path("<uuid:study_id>/", api.StudyView.as_view(), name="study"),
    path("<uuid:study_id>/preview/", api.StudyPreviewView.as_view(), name="draft-preview"),
    path("<uuid:study_id>/open/", api.OpenView.as_view(), name="study-open"),
    path("<uuid:study_id>/pause/", api.PauseView.as_view(), name="study-pause"),
    path("<uuid:study_id>/resume/", api.ResumeView.as_view(), name="study-resume"),
    path("<uuid:study_id>/close/", api.CloseView.as_view(), name="study-close"),
    path("<uuid:study_id>/reopen/", api.ReopenView.as_view(), name="study-reopen"),
    path("<uuid:study_id>/unblind/", api.UnblindView.as_view(), name="study-unblind"),
    path("<uuid:study_id>/add-readers/", api.AddReadersView.as_view(), name="study-add-readers"),
    path(
        "<uuid:study_id>/remove-reader/",
        api.RemoveReaderView.as_view(),
        name="study-remove-reader",
    ),
    path("<uuid:study_id>/add-batches/", api.AddBatchesView.as_view(), name="study-add-batches"),
]
