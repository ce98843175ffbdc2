"""Content-addressed files, images and automatic measures on them."""

import hashlib
import uuid
from typing import Self

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone

from feedback_app.images.measures import label_of
from generation.errors import RemediableError


class Blob(models.Model):
    """A blob is a stored file, addressed by the SHA-256 of its bytes; never changed."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size_bytes = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    @property
    def path(self) -> str:
        """The name within the storage."""
        return f"{self.sha256[:2]}/{self.sha256}"

    def open(self) -> "File[bytes]":
        """Returns the file as it lies there; unlike ``read`` this does not check its hash."""
        try:
            return default_storage.open(self.path)
        except FileNotFoundError as error:
            if self.erased_at:
                raise RemediableError(
                    f"This file was erased with its cohort on {self.erased_at:%d %B %Y}.",
                    remedy="Nothing brings it back; what was said of it stays.",
                ) from error
            raise RemediableError(
                f"The file of blob {self.sha256} is missing.",
                remedy=f"Put it back from a backup, as {self.path} in the storage.",
            ) from error

    def open_checked(self) -> "File[bytes]":
        """Returns the file, after all of it was read once and held against its hash."""
        file = self.open()
        sums = hashlib.sha256()
        for chunk in file.chunks():
            sums.update(chunk)
        self._require(sums.hexdigest())
        file.seek(0)
        return file

    def read(self) -> bytes:
        """Returns the file's bytes, checked against their hash."""
        with self.open() as file:
            content = file.read()
        self._require(hashlib.sha256(content).hexdigest())
        return content

    def _require(self, digest: str) -> None:
        if digest != self.sha256:
            raise RemediableError(
                f"The file of blob {self.sha256} is damaged: its hash is another one.",
                remedy=f"Put it back from a backup, as {self.path} in the storage.",
            )


class Image(models.Model):
    """An image is one picture, real (``cohort_image``) or synthetic (``candidate``)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT)
    pixels_sha256 = models.CharField(max_length=64, db_index=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)


class MeasureQuerySet(models.QuerySet["Measure"]):
    def newest_of(self, scorer: str) -> Self:
        """Keeps the measure of each image by this scorer's newest version."""
        return self.filter(scorer=scorer).order_by("image", "-pk").distinct("image")


class Measure(models.Model):
    """A measure is an automatic figure on an image by a versioned scorer; never called a score."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="measures")
    scorer = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    value = models.FloatField()
    details = models.JSONField(default=dict)

    objects = MeasureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_measure_an_image_and_scorer_version",
                fields=["image", "scorer", "version"],
            )
        ]

    @property
    def is_too_close(self) -> bool:
        """Whether it lies beyond its threshold of similarity to a training image."""
        return bool(self.details.get("is_too_close"))

    @property
    def scorer_label(self) -> str:
        return label_of(self.scorer)

    @property
    def probabilities(self) -> list[tuple[str, float]]:
        """What a classifier says of each finding, the likeliest first."""
        found: dict[str, float] = self.details.get("probabilities", {})
        return sorted(found.items(), key=lambda pair: -pair[1])
