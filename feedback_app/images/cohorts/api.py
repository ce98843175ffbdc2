"""Cohorts with their images and masks for programs."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django_filters.rest_framework import CharFilter, ChoiceFilter, FilterSet, UUIDFilter
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.images.blobs.models import Image
from feedback_app.images.blobs.views import answer_with
from feedback_app.images.cohorts.models import Cohort, CohortImage, Mask, Split
from feedback_app.images.cohorts.services import COHORT_NAME, OPTIONS, start_import
from feedback_app.images.cohorts.uploads import unpack
from feedback_app.incoming import KnownFieldsSerializer
from feedback_app.requests import read
from feedback_app.rest.files import file_action
from feedback_app.rest.views import Read, Row
from generation.datasets.labels import POLICIES
from generation.datasets.layouts import LAYOUTS
from generation.datasets.sources import ImportOptions

CHOSEN = ("mask_kind", "uncertain", "views")


class UploadSerializer(KnownFieldsSerializer):
    """A data set in one ZIP file, its own files at the top; the rest is as at the command."""

    name = serializers.RegexField(f"^{COHORT_NAME.pattern}$")
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=sorted(LAYOUTS), default="folder"
    )
    archive = serializers.FileField()
    mask_kind = serializers.CharField(required=False, max_length=32)
    uncertain = serializers.ChoiceField(required=False, choices=POLICIES)
    views = serializers.ChoiceField(required=False, choices=("frontal", "all"))


class ImportSerializer(serializers.Serializer[Any]):
    """The run that brings the data set in."""

    run = serializers.UUIDField(read_only=True)


class CohortSerializer(Row):
    images = serializers.IntegerField(source="image_count")
    patients = serializers.IntegerField(source="patient_count")
    masks = serializers.IntegerField(source="mask_count")
    pseudo_masks = serializers.IntegerField(source="pseudo_mask_count")
    boxes = serializers.IntegerField(source="box_count")

    class Meta:
        model = Cohort
        fields: ClassVar = [
            "name", "source", "created_at", "images", "patients", "masks", "pseudo_masks", "boxes",
        ]  # fmt: skip


class CohortFilter(FilterSet):
    class Meta:
        model = Cohort
        fields: ClassVar = {"source": ["exact"]}


class CohortsView(Read):
    """Imported real data sets; an admin's POST brings one, or what one lacks, as a ZIP file."""

    queryset = Cohort.objects.with_counts()
    lookup_field = lookup_url_kwarg = "name"
    lookup_value_converter = "slug"
    serializer_class = CohortSerializer
    answers = {"create": ImportSerializer}
    asks = {"create": UploadSerializer}
    statuses = {"create": (status.HTTP_202_ACCEPTED,)}
    admins_actions = frozenset({"create"})
    parser_classes = [MultiPartParser]
    filterset_class = CohortFilter
    ordering_fields = ("name", "created_at")

    def create(self, request: Request) -> Response:
        serializer = UploadSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        options = {name: given[name] for name in CHOSEN if name in given}
        run = start_import(
            given["source"],
            unpack(given["archive"]),
            name=given["name"],
            options=OPTIONS.validate_python(read(ImportOptions, options)),
            created_by=self.actor,
        )
        return Response({"run": run.pk}, status=status.HTTP_202_ACCEPTED)


class CohortImageSerializer(Row):
    """A real image of a patient; ``unknown_findings`` are those that the source is silent on."""

    id = serializers.UUIDField(source="pk")
    cohort = serializers.CharField(source="cohort.name")
    patient = serializers.CharField(source="patient.source_id")
    sex = serializers.CharField(source="patient.sex")
    split = serializers.CharField(source="patient.split")
    width = serializers.IntegerField(source="image.width")
    height = serializers.IntegerField(source="image.height")
    sha256 = serializers.CharField(source="image.blob_id")
    masks = serializers.SlugRelatedField[Any](slug_field="kind", many=True, read_only=True)

    class Meta:
        model = CohortImage
        fields: ClassVar = [
            "id", "cohort", "source_id", "patient", "sex", "age_years", "split", "findings",
            "unknown_findings", "is_normal", "view", "spacing_mm", "width", "height", "sha256",
            "masks",
        ]  # fmt: skip


class ImageFilter(FilterSet):
    cohort = CharFilter("cohort__name", label="Name of a cohort")
    split = ChoiceFilter(field_name="patient__split", choices=Split.choices)
    finding = CharFilter(method="with_finding", label="A finding that it has")

    class Meta:
        model = CohortImage
        fields: ClassVar = {"view": ["exact"], "is_normal": ["exact"], "source_id": ["exact"]}

    def with_finding(self, rows: Any, _: str, finding: str) -> Any:
        return rows.filter(findings__contains=[finding])


class ImagesView(Read):
    """Real images of cohorts; ``file`` gives the file of any image, a candidate's too."""

    queryset = (
        CohortImage.objects.select_related("cohort", "patient", "image")
        .prefetch_related("masks")
        .order_by("cohort__name", "source_id")
    )
    lookup_url_kwarg, lookup_value_converter = "image_id", "uuid"
    serializer_class = CohortImageSerializer
    filterset_class = ImageFilter
    ordering_fields = ("source_id", "age_years")

    @file_action("image/*")
    def file(self, request: Request, image_id: UUID) -> HttpResponse:
        rows = Image.objects.select_related("blob", "cohort_image")
        image = get_object_or_404(rows, pk=image_id)
        return answer_with(image.blob, is_of_patient=hasattr(image, "cohort_image"))


class MaskSerializer(Row):
    """``confidence`` is the Dice to expect of a mask that a segmenter drew; others have none."""

    image = serializers.UUIDField(source="cohort_image_id")
    sha256 = serializers.CharField(source="blob_id")

    class Meta:
        model = Mask
        fields: ClassVar = ["id", "image", "kind", "is_from_boxes", "confidence", "sha256"]


class MaskFilter(FilterSet):
    cohort = CharFilter("cohort_image__cohort__name", label="Name of a cohort")
    image = UUIDFilter("cohort_image", label="Id of an image")

    class Meta:
        model = Mask
        fields: ClassVar = {"kind": ["exact"], "is_from_boxes": ["exact"]}


class MasksView(Read):
    """Masks of real images, of the same size as their image."""

    queryset = Mask.objects.order_by("pk")
    lookup_url_kwarg, lookup_value_converter = "mask_id", "int"
    serializer_class = MaskSerializer
    filterset_class = MaskFilter

    @file_action("image/*")
    def file(self, request: Request, mask_id: int) -> HttpResponse:
        return answer_with(self.get_object().blob, is_of_patient=True)
