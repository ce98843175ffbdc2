from django.urls import include, path

from feedback_app.accounts import api as accounts
from feedback_app.api import views
from feedback_app.api.router import Router
from feedback_app.curation import api as curation
from feedback_app.experiments import api as experiments
from feedback_app.exports import api as exports
from feedback_app.finetuning import api as finetuning
from feedback_app.images.candidates import api as candidates
from feedback_app.images.cohorts import api as cohorts
from feedback_app.images.prompts import api as prompts
from feedback_app.images.scorers import api as scorers
from feedback_app.images.versions import api as versions
from feedback_app.notices import api as notices
from feedback_app.operations import api as operations
from feedback_app.provenance import api as provenance
from feedback_app.readings import api as readings
from feedback_app.readings import preview_views as previews
from feedback_app.results import api as results
from feedback_app.results import comment_api as comments
from feedback_app.runs import api as runs
from feedback_app.studies import api as studies
from feedback_app.vlms import api as vlms
from feedback_app.vlms.drafting import api as vlm_drafting
from feedback_app.vlms.learning import api as vlm_learning
from feedback_app.webhooks import api as webhooks

router = Router()
for rows, view, row in (
    ("cohorts", cohorts.CohortsView, "cohort"),
    ("images", cohorts.ImagesView, "image"),
    ("masks", cohorts.MasksView, "mask"),
    ("model-versions", versions.ModelVersionsView, "model-version"),
    ("promotions", finetuning.PromotionsView, "promotion"),
    ("scorers", scorers.ScorersView, "scorer"),
    ("prompt-sets", prompts.PromptSetsView, "prompt-set"),
    ("batches", candidates.BatchesView, "batch"),
    ("candidates", candidates.CandidatesView, "candidate"),
    ("measures", candidates.MeasuresView, "measure"),
    ("studies", studies.StudiesView, "study"),
    ("cases", studies.CasesView, "case"),
    ("draft-sets", vlm_drafting.DraftSetsView, "draft-set"),
    ("slots", studies.SlotsView, "planned-slot"),
    ("readings", results.ReadingsView, "stored-reading"),
    ("adjudications", results.RoundsView, "adjudication"),
    ("comment-flags", comments.CommentFlagsView, "comment-flag"),
    ("snapshots", finetuning.SnapshotsView, "snapshot"),
    ("fine-tunes", finetuning.FineTunesView, "fine-tune"),
    ("gates", finetuning.GatesView, "gate"),
    ("reward-models", finetuning.RewardModelsView, "reward-model"),
    ("schedules", finetuning.SchedulesView, "schedule"),
    ("policies", curation.PoliciesView, "policy"),
    ("curated-sets", curation.CuratedSetsView, "curated-set"),
    ("exports", exports.ExportsView, "export"),
    ("experiments", experiments.ExperimentsView, "experiment"),
    ("vlms", vlms.VlmsView, "vlm"),
    ("instruction-sets", vlms.InstructionSetsView, "instruction-set"),
    ("benchmark-results", vlms.BenchmarkResultsView, "benchmark-result"),
    ("image-questions", vlms.ImageQuestionsView, "image-question"),
    ("report-snapshots", vlm_learning.ReportSnapshotsView, "report-snapshot"),
    ("vlm-gates", vlm_learning.VlmGatesView, "vlm-gate"),
    ("vlm-promotions", vlm_learning.VlmPromotionsView, "vlm-promotion"),
    ("vlm-fine-tunes", vlm_learning.VlmFineTunesView, "vlm-fine-tune"),
    ("retractions", provenance.RetractionsView, "retraction"),
    ("runs", runs.RunsView, "run"),
    ("notices", notices.NoticesView, "notice"),
    ("people", accounts.PeopleView, "person"),
    ("webhooks", webhooks.WebhooksView, "webhook"),
    ("deliveries", webhooks.DeliveriesView, "delivery"),
    ("erasures", operations.ErasuresView, "erasure"),
    ("audit-log", accounts.AuditLogView, "audit-event"),
):
    router.add(rows, view, row)

app_name = "api"
urlpatterns = [
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
    path(
        "studies/<uuid:study_id>/files/<str:name>.<str:form>",
        results.ReadingsFileView.as_view(),
        name="readings-file",
    ),
    path("reading-preferences/", readings.PreferencesView.as_view(), name="reading-preferences"),
    path("schema/", views.SchemaView.as_view(), name="schema"),
    path("docs/", views.show_docs, name="docs"),
    path("", include(router.urls)),
    path("<path:address>", views.NowhereView.as_view(), name="nowhere"),
]
