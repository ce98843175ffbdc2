from django.urls import include, path

from feedback_app.experiments import api as experiments
from feedback_app.images.candidates import api as batches
from feedback_app.images.prompts import api as images
from feedback_app.provenance import api as provenance
from feedback_app.readings import api as readings
from feedback_app.readings import preview_views as previews
from feedback_app.results import api as results

app_name = "api"
urlpatterns = [
    path("studies/", include("feedback_app.studies.api_urls")),
    path(
        "studies/<uuid:study_id>/files/<str:name>.<str:form>",
        results.ReadingsFileView.as_view(),
        name="readings-file",
    ),
    path("batches/", batches.BatchesView.as_view(), name="batches"),
    path("batches/<uuid:batch_id>/", batches.BatchView.as_view(), name="batch"),
    path("batches/<uuid:batch_id>/cancel/", batches.CancelView.as_view(), name="batch-cancel"),
    path(
        "batches/<uuid:batch_id>/complete/", batches.CompleteView.as_view(), name="batch-complete"
    ),
    path(
        "batches/<uuid:batch_id>/candidates/",
        batches.CandidatesView.as_view(),
        name="batch-candidates",
    ),
    path("prompt-sets/", images.PromptSetsView.as_view(), name="prompt-sets"),
    path("prompt-sets/<str:name>/", images.PromptSetView.as_view(), name="prompt-set"),
    path("retractions/", provenance.RetractionsView.as_view(), name="retractions"),
    path("retractions/preview/", provenance.PreviewView.as_view(), name="retraction-preview"),
    path(
        "retractions/<uuid:retraction_id>/",
        provenance.RetractionView.as_view(),
        name="retraction",
    ),
    path(
        "retractions/<uuid:retraction_id>/undo/",
        provenance.UndoView.as_view(),
        name="retraction-undo",
    ),
    path(
        "retractions/<uuid:retraction_id>/rebuild/",
        provenance.RebuildView.as_view(),
        name="retraction-rebuild",
    ),
    path("experiments/", experiments.ExperimentsView.as_view(), name="experiments"),
    path(
        "experiments/<uuid:experiment_id>/",
        experiments.ExperimentView.as_view(),
        name="experiment",
    ),
    path("slots/<uuid:slot_id>/", readings.CaseView.as_view(), name="slot"),
    path("slots/<uuid:slot_id>/readings/", readings.ReadingsView.as_view(), name="readings"),
    path("slots/<uuid:slot_id>/next/", readings.NextView.as_view(), name="next"),
    path("slots/<uuid:slot_id>/heartbeat/", readings.HeartbeatView.as_view(), name="heartbeat"),
    path("slots/<uuid:slot_id>/bookmark/", readings.BookmarkView.as_view(), name="bookmark"),
    path(
        "previews/<uuid:study_id>/<uuid:case_id>/", previews.PreviewView.as_view(), name="preview"
    ),
    path(
        "previews/<uuid:study_id>/<uuid:case_id>/readings/",
        previews.PreviewReadingsView.as_view(),
        name="preview-readings",
    ),
    path("guidelines/<uuid:study_id>/", readings.GuidelineView.as_view(), name="guideline"),
    path("reading-preferences/", readings.PreferencesView.as_view(), name="reading-preferences"),
]
