from django.urls import include, path

from feedback_app.images.blobs import views as files
from feedback_app.images.candidates.views import batches, candidates, console, lists, masks, repairs
from feedback_app.images.versions import evaluation_views as evaluations
from feedback_app.images.versions import views as versions

app_name = "images"
urlpatterns = [
    path("", include("feedback_app.images.cohorts.urls")),
    path("", include("feedback_app.images.prompts.urls")),
    path("images/<uuid:image_id>.png", files.show_file, name="file"),
    path("generate/", console.show_console, name="console"),
    path("generate/masks/", masks.pick_masks, name="pick-masks"),
    path("generate/masks/preview/", masks.preview_masks, name="preview-masks"),
    path("generate/prompts/", masks.measure_prompts, name="measure-prompts"),
    path("images/masks/<int:mask_id>.png", masks.show_mask, name="recipe-mask"),
    path("batches/", lists.list_batches, name="batches"),
    path("batches/<uuid:batch_id>/", batches.show_batch, name="batch"),
    path("batches/<uuid:batch_id>/cancel/", batches.cancel, name="cancel-batch"),
    path("batches/<uuid:batch_id>/complete/", batches.complete, name="complete-batch"),
    path("candidates/", lists.list_candidates, name="gallery"),
    path("candidates/<uuid:image_id>/", candidates.show_candidate, name="candidate"),
    path("candidates/<uuid:image_id>/repair/", repairs.repair, name="repair"),
    path("candidates/<uuid:image_id>/compare/", repairs.compare, name="compare-repair"),
    path("models/<int:version_id>/evaluations/", evaluations.show, name="evaluations"),
    path("models/register/", versions.register_version, name="register-version"),
]
