"""DICOM: Secondary Capture images that say they are synthetic, and masks as segmentations.

Nothing of an acquisition is made up: no modality but *OT*, no exposure, no spacing, no date. The
identifiers are those of PS3.5 B.2, made from the recipe, so that the same image has the same ones.
"""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid5

from django.db.models import QuerySet

from feedback_app.curation.models import CuratedItem, CuratedSet
from feedback_app.exports.archives import Archive
from feedback_app.exports.card import Columns
from feedback_app.exports.formats.base import Format, Report
from feedback_app.exports.formats.contents import add_card, add_table
from feedback_app.exports.masks import Masks
from feedback_app.images.blobs.pixels import mask_of, pixels_of
from feedback_app.images.models import RecipeMask

if TYPE_CHECKING:
    from pydicom import Dataset, FileDataset
    from pydicom.sr.coding import Code

MAKER = "Reading Room"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
FILES = """`images/` holds DICOM Secondary Capture images (8-bit grey, uncompressed, Synthetic Data
*YES*, Conversion Type *SYN*), `masks/` DICOM segmentations that refer to them, `metadata.csv` one
row an image, `manifest.json` the SHA-256 sum of every file. Each image is a study of its own of a
patient whom there is not. There is no spacing, no date and no exposure: nothing was acquired.

| column | meaning |
|---|---|
| file_name | the image's file |
"""


def write(
    archive: Archive, curated_set: CuratedSet, items: QuerySet[CuratedItem], report: Report
) -> None:
    columns = Columns.of(items, MASKS)
    for done, item in enumerate(items, start=1):
        image = capture_of(item)
        archive.add(name_of(item), encode(image))
        for mask in item.candidate.recipe.conditioning:
            made = segmentation_of(mask, image, on=item.candidate.created_at)
            archive.add(mask_name_of(item, mask.kind), encode(made))
        report(done)
    add_table(archive, items, columns, name_of=name_of)
    add_card(archive, curated_set, columns, files=FILES)


def name_of(item: CuratedItem) -> str:
    return f"images/{item.candidate.recipe_id}.dcm"


def mask_name_of(item: CuratedItem, kind: str) -> str:
    return f"masks/{kind}/{item.candidate.recipe_id}.dcm"


MASKS = Masks(
    place="as DICOM segmentations in masks/, by kind",
    meaning="the file of the segmentation of {kind} that it follows, if any",
    name_of=mask_name_of,
)


def capture_of(item: CuratedItem) -> "FileDataset":
    """Returns an image as Secondary Capture (PS3.3 A.8.1)."""
    from pydicom import FileDataset, FileMetaDataset
    from pydicom.uid import UID

    recipe = item.candidate.recipe
    pixels = pixels_of(item.candidate.image)
    identifier = uid("instance", recipe.key)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE_ENDIAN)
    meta.MediaStorageSOPClassUID = UID(SECONDARY_CAPTURE)
    meta.MediaStorageSOPInstanceUID = UID(identifier)
    image = FileDataset(io.BytesIO(), {}, file_meta=meta, preamble=b"\0" * 128)
    image.SpecificCharacterSet = "ISO_IR 192"
    image.SOPClassUID = SECONDARY_CAPTURE
    image.SOPInstanceUID = identifier
    image.StudyInstanceUID = uid("study", recipe.key)
    image.SeriesInstanceUID = uid("series", recipe.key)
    image.PatientID = f"SYNTHETIC-{recipe.key[:16]}"
    image.PatientName = "Synthetic^Image"
    for keyword in EMPTY:
        setattr(image, keyword, None)
    image.Modality = "OT"
    image.ConversionType = "SYN"
    image.SyntheticData = "YES"
    image.ImageType = ["DERIVED", "SECONDARY"]
    image.BurnedInAnnotation = "NO"
    image.SeriesNumber = image.InstanceNumber = 1
    image.Manufacturer = MAKER
    image.ManufacturerModelName = recipe.model_version.name[:64]
    image.DerivationDescription = recipe.prompt[:1024]
    image.ImageComments = "Synthetic: made by a model, of no patient; not for clinical use"
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows, image.Columns = pixels.shape
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit = 7
    image.PixelRepresentation = 0
    image.PixelData = pixels.tobytes() + b"\0" * (pixels.size % 2)
    image["PixelData"].VR = "OB"
    return image


EMPTY = (
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "Laterality",
    "PatientOrientation",
)
"""What must be there and is not known (type 2)."""


SHOWN: dict[str, tuple[str, str]] = {
    "lungs": ("AnatomicalStructure", "Lung"),
    "lungs_without_heart": ("AnatomicalStructure", "Lung"),
    "heart": ("AnatomicalStructure", "Heart"),
    "pneumothorax": ("MorphologicallyAbnormalStructure", "Pneumothorax"),
    "rib_fracture": ("MorphologicallyAbnormalStructure", "33737001 Fracture of rib"),
    "opacity": ("MorphologicallyAbnormalStructure", "Opacity"),
    "tube": ("PhysicalObject", "Tube"),
}
"""The category and the type of what a mask shows, in SNOMED CT and DICOM's own codes."""


def code_of(name: str) -> "Code":
    """Returns a code by pydicom's keyword, or by its number and meaning in SNOMED CT."""
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    value, _, meaning = name.partition(" ")
    if meaning:
        return Code(value, "SCT", meaning)
    return getattr(codes.DCM if name == "Opacity" else codes.SCT, name)


def segmentation_of(mask: RecipeMask, image: "FileDataset", *, on: datetime) -> "Dataset":
    """Returns a mask as a binary segmentation (PS3.3 A.51) of the image that follows it.

    ``on`` is when that image was made: a segmentation has to say when its content was.
    """
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import Segmentation, SegmentDescription
    from pydicom.sr.codedict import codes

    key = (mask.kind, mask.recipe_id)
    category, kind = SHOWN[mask.kind]
    described = SegmentDescription(
        segment_number=1,
        segment_label=mask.label,
        segmented_property_category=code_of(category),
        segmented_property_type=code_of(kind),
        algorithm_type="AUTOMATIC",
        algorithm_identification=AlgorithmIdentificationSequence(
            name="A mask of a cohort, transformed",
            version="1",
            family=codes.DCM.MorphologicalOperations,
        ),
    )
    made = Segmentation(
        source_images=[image],
        pixel_array=mask_of(mask.blob),
        segmentation_type="BINARY",
        segment_descriptions=[described],
        series_instance_uid=uid("series", *key),
        series_number=2,
        sop_instance_uid=uid("instance", *key),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions="1",
        device_serial_number="0",
        omit_empty_frames=False,
    )
    made.PatientOrientation = None  # of type 2C, and not known
    settle(made, key, on=on)
    return made


def settle(made: "Dataset", key: Sequence[str], *, on: datetime) -> None:
    """Puts what follows from the mask where the library put the clock and random identifiers."""
    made.ContentDate = made.InstanceCreationDate = on.strftime("%Y%m%d")
    made.ContentTime = made.InstanceCreationTime = on.strftime("%H%M%S")
    for contribution in made.ContributingEquipmentSequence:
        contribution.pop("ContributionDateTime", None)
    for index in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        index.DimensionOrganizationUID = uid("dimensions", *key)


def uid(*parts: str) -> str:
    """Returns a UID under 2.25: a UUID of version 5, so the same parts have the same one."""
    return f"2.25.{uuid5(NAMESPACE_OID, ' '.join((MAKER, *parts))).int}"


def encode(dataset: "Dataset") -> bytes:
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


FORMAT = Format(
    name="dicom",
    label="DICOM, with masks as segmentations (zip)",
    suffix="-dicom",
    opening="dcm2json chest-x-rays/images/*.dcm | head",
    masks=MASKS,
    write=write,
)
