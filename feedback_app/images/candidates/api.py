"""Batches for coordinators' programs: what the console and a batch's page do, as JSON."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework import status
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback_app.accounts.models import User
from feedback_app.accounts.permissions import IsCoordinator
from feedback_app.images.blobs.models import Measure
from feedback_app.images.candidates.batches import (
    BatchProgress,
    cancel_batch,
    make_missing,
    progress_of,
    progress_of_all,
)
from feedback_app.images.candidates.mask_models import RecipeMask
from feedback_app.images.candidates.mask_plan import MaskPlan
from feedback_app.images.candidates.models import Batch, BatchRecipe
from feedback_app.images.candidates.requests import BatchRequest, ask_for_batch
from feedback_app.incoming import PAGES
from feedback_app.requests import read


class BatchPagination(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class CoordinatorView(APIView):
    permission_classes = [IsCoordinator]

    @property
    def actor(self) -> User:
        return self.request.user  # type: ignore[return-value]


def batches() -> QuerySet[Batch]:
    return Batch.objects.select_related(
        "model_version", "created_by", "prompt_set_version__prompt_set"
    )


class BatchesView(CoordinatorView):
    """The list, newest first; POST asks for candidates."""

    query_parameters = PAGES

    def get(self, request: Request) -> Response:
        pages = BatchPagination()
        page = pages.paginate_queryset(batches(), request, view=self)
        progress = progress_of_all(page or [])
        return pages.get_paginated_response(
            [describe_batch(batch, progress[batch.pk]) for batch in page or []]
        )

    def post(self, request: Request) -> Response:
        batch, plan = ask_for_batch(read(BatchRequest, request.data), created_by=self.actor)
        told = describe_plan(plan) if plan else None
        body = describe_batch(batch) | {"masks": told}
        return Response(body, status=status.HTTP_201_CREATED)


class BatchView(CoordinatorView):
    def get(self, request: Request, batch_id: UUID) -> Response:
        return Response(describe_batch(get_object_or_404(batches(), pk=batch_id)))


class CancelView(CoordinatorView):
    """What is made stays."""

    def post(self, request: Request, batch_id: UUID) -> Response:
        batch = get_object_or_404(batches(), pk=batch_id)
        cancel_batch(batch)
        return Response(describe_batch(batch))


class CompleteView(CoordinatorView):
    """Queues what is neither made nor waiting."""

    def post(self, request: Request, batch_id: UUID) -> Response:
        batch = get_object_or_404(batches(), pk=batch_id)
        make_missing(batch, created_by=self.actor)
        return Response(describe_batch(batch))


class CandidatesView(CoordinatorView):
    """A batch's places in order, with candidates and measures where they are made."""

    query_parameters = PAGES

    def get(self, request: Request, batch_id: UUID) -> Response:
        batch = get_object_or_404(Batch, pk=batch_id)
        places = batch.batchrecipe_set.with_candidates().order_by("position")
        pages = BatchPagination()
        page = pages.paginate_queryset(places, request, view=self)
        return pages.get_paginated_response([describe_place(place) for place in page or []])


def describe_batch(batch: Batch, progress: BatchProgress | None = None) -> dict[str, Any]:
    progress = progress or progress_of(batch)
    return {
        "id": str(batch.pk),
        "name": batch.name,
        "model_version": batch.model_version.name,
        "prompt_set": str(batch.prompt_set_version) if batch.prompt_set_version else None,
        "created_by": batch.created_by.username if batch.created_by else None,
        "created_at": batch.created_at.isoformat(),
        "total": progress.total,
        "made": progress.made,
        "is_live": progress.is_live,
        "remaining_s": progress.remaining_s,
        "failures": [
            {"run": str(run.pk), "error": run.error, "remedy": run.remedy}
            for run in progress.failures
        ],
    }


def describe_plan(plan: MaskPlan) -> dict[str, Any]:
    """How many masks are followed, and why others are not."""
    return {
        "accepted": plan.accepted,
        "refused": [{"reason": reason, "count": count} for reason, count in plan.refusals],
    }


def describe_place(place: BatchRecipe) -> dict[str, Any]:
    recipe = place.recipe
    return {
        "position": place.position,
        "recipe": recipe.key,
        "prompt": recipe.prompt,
        "findings": recipe.findings,
        "mode": recipe.mode,
        "seed": recipe.seed,
        "masks": [describe_mask(mask) for mask in recipe.conditioning],
        "candidate": describe_candidate(place),
    }


def describe_mask(mask: RecipeMask) -> dict[str, Any]:
    """``sha256`` is of the PNG of 0 and 255 that the candidate follows."""
    parent = mask.parent.cohort_image
    return {
        "kind": mask.kind,
        "cohort": parent.cohort.name,
        "image": parent.source_id,
        "transforms": mask.transforms,
        "sha256": mask.blob_id,
        "file": reverse("images:recipe-mask", args=[mask.pk]),
    }


def describe_candidate(place: BatchRecipe) -> dict[str, Any] | None:
    candidate = place.candidate
    if candidate is None:
        return None
    return {
        "id": str(candidate.pk),
        "file": reverse("images:file", args=[candidate.pk]),
        "sha256": candidate.image.blob_id,
        "pixels_sha256": candidate.image.pixels_sha256,
        "is_too_close": candidate.is_too_close,
        "measures": [describe_measure(measure) for measure in candidate.image.measures.all()],
    }


def describe_measure(measure: Measure) -> dict[str, Any]:
    return {"scorer": measure.scorer, "version": measure.version, "value": measure.value}
