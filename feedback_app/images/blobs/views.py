"""The bytes of images, for coordinators; readers have addresses of their slots instead."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import etag, require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.images.blobs.models import Blob, Image


def _etag(request: HttpRequest, image_id: UUID) -> str | None:
    sha256 = Image.objects.values_list("blob_id", flat=True).filter(pk=image_id).first()
    return f'"{sha256}"' if sha256 else None


@require_safe
@coordinators_only
@etag(_etag)
def show_file(request: HttpRequest, image_id: UUID) -> HttpResponse:
    image = get_object_or_404(Image.objects.select_related("blob", "cohort_image"), pk=image_id)
    return answer_with(image.blob, is_of_patient=hasattr(image, "cohort_image"))


def answer_with(blob: Blob, *, is_of_patient: bool) -> HttpResponse:
    """Answers with a file that never changes under its address.

    What is of a patient stays on no disk but ours: browsers ask for it anew.
    """
    response = HttpResponse(blob.read(), content_type=blob.media_type)
    if not is_of_patient:
        response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    return response
