"""DICOM files as archives write them, identifying attributes and all."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit, generate_uid

NAME, ID, BIRTH, PLACE = "Mustermann^Erika", "KH-4711-0815", "19640812", "St. Elsewhere"
COMMENT = b"Erika Mustermann, room 12"
IDENTIFYING = (NAME, "Mustermann", ID, BIRTH, PLACE, "Erika")


def gradient(*, side: int = 64, bits: int = 8, seed: int = 0) -> np.ndarray:
    """Values over the whole range, no two seeds alike."""
    rows, columns = np.mgrid[:side, :side] / (side - 1)
    waves = np.random.default_rng(seed).uniform(1, 3, 4)
    values = (
        np.sin(waves[0] * rows * 3 + waves[2]) + np.cos(waves[1] * columns * 4 + waves[3])
    ) / 4
    grey = (values - values.min()) / (values.max() - values.min())
    return np.rint(grey * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def texture(*, side: int = 64, seed: int = 0) -> np.ndarray:
    """A picture with as much in it as a chest X-ray; of one seed the same at every size."""
    grey = np.random.default_rng(seed).integers(0, 256, (32, 32), dtype=np.uint8)
    return np.asarray(PIL.Image.fromarray(grey).resize((side, side), PIL.Image.Resampling.BICUBIC))


def dicom(pixels: np.ndarray, **attributes: Any) -> bytes:
    """An uncompressed file of these pixels; ``attributes`` overrule what it says of them."""
    header = _header(pixels, ExplicitVRLittleEndian)
    header.PixelData = pixels.tobytes()
    return _written(header, attributes)


def jpeg_dicom(pixels: np.ndarray, *, quality: int = 90, **attributes: Any) -> bytes:
    """A JPEG Baseline file, whose JPEG has a comment."""
    header = _header(pixels, JPEGBaseline8Bit)
    header.PixelData = encapsulate([jpeg(pixels, quality=quality)])
    header.LossyImageCompression = "01"
    return _written(header, attributes)


def jpeg(pixels: np.ndarray, *, quality: int = 90) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "JPEG", quality=quality, comment=COMMENT)
    return file.getvalue()


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _header(pixels: np.ndarray, syntax: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
    meta.MediaStorageSOPInstanceUID = generate_uid()
    header = FileDataset(io.BytesIO(), {}, file_meta=meta, preamble=b"\0" * 128)
    header.SOPClassUID = meta.MediaStorageSOPClassUID
    header.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    header.PatientName, header.PatientID, header.PatientBirthDate = NAME, ID, BIRTH
    header.InstitutionName, header.ReferringPhysicianName = PLACE, NAME
    header.PatientSex, header.PatientAge, header.ViewPosition = "F", "062Y", "AP"
    header.Rows, header.Columns = pixels.shape[:2]
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated = pixels.dtype.itemsize * 8
    header.BitsStored, header.HighBit = header.BitsAllocated, header.BitsAllocated - 1
    header.PixelRepresentation = 0
    return header


def _written(header: Dataset, attributes: dict[str, Any]) -> bytes:
    for name, value in attributes.items():
        setattr(header, name, value)
    file = io.BytesIO()
    header.save_as(file, enforce_file_format=True)
    return file.getvalue()
