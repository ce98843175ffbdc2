"""Reading DICOM: what is to be seen, what is kept as it came, what is refused, what is dropped."""

import io
import logging
import warnings

import numpy as np
import PIL.Image
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from generation.datasets.dicom import Radiograph, read_radiograph
from generation.datasets.rendering import apply_window
from generation.errors import RemediableError
from tests.generation.dicoms import (
    COMMENT,
    ID,
    IDENTIFYING,
    NAME,
    dicom,
    gradient,
    jpeg,
    jpeg_dicom,
)

KEY = b"k" * 32


def read(content: bytes, *, max_pixels: int = 10_000, key: bytes = KEY) -> Radiograph:
    return read_radiograph(content, name="a.dcm", max_pixels=max_pixels, key=key)


def pixels_of(content: bytes) -> np.ndarray:
    found = read(content)
    picture = np.asarray(PIL.Image.open(io.BytesIO(found.content)))
    assert (np.asarray(found.picture) == picture).all()
    return picture


def lookup_table() -> Sequence:
    """Turns 0 to 255 round, in 12 bits."""
    table = Dataset()
    table.LUTDescriptor = [256, 0, 12]
    values = np.rint(np.arange(255, -1, -1) * 4095 / 255).astype("<u2")
    table.add_new("LUTData", "OW", values.tobytes())
    return Sequence([table])


def test_eight_bits_are_stored_as_they_are() -> None:
    assert (pixels_of(dicom(gradient())) == gradient()).all()


def test_jpeg_baseline_is_kept_as_it_came_but_for_its_comment() -> None:
    found = read(jpeg_dicom(gradient()))
    came = jpeg(gradient())
    start = came.index(b"\xff\xda")  # from here on are the picture's own bytes
    assert found.content[found.content.index(b"\xff\xda") :] == came[start:]
    assert COMMENT in came
    assert COMMENT not in found.content
    assert (np.asarray(found.picture) == np.asarray(PIL.Image.open(io.BytesIO(came)))).all()


@pytest.mark.parametrize("window", [("128", "256"), ("127.5", "255"), ("127", "255")])
def test_a_window_of_all_values_keeps_the_jpeg(window: tuple[str, str]) -> None:
    found = read(jpeg_dicom(gradient(), WindowCenter=window[0], WindowWidth=window[1]))
    assert found.content.startswith(b"\xff\xd8")


def test_a_jpeg_with_a_window_is_rendered_through_it() -> None:
    shown = pixels_of(jpeg_dicom(gradient(), WindowCenter="64", WindowWidth="128"))
    stored = np.asarray(PIL.Image.open(io.BytesIO(jpeg(gradient()))))
    assert (shown[stored >= 128] == 255).all()
    assert shown[stored < 128].max() > 240


def test_monochrome1_is_turned_to_dark_air() -> None:
    turned = pixels_of(dicom(gradient(), PhotometricInterpretation="MONOCHROME1"))
    assert (turned == 255 - gradient()).all()


def test_an_inverse_presentation_is_turned_too() -> None:
    assert (pixels_of(dicom(gradient(), PresentationLUTShape="INVERSE")) == 255 - gradient()).all()


@pytest.mark.parametrize("bits", [12, 16])
def test_deep_pixels_without_a_window_use_their_whole_range(bits: int) -> None:
    deep = gradient(bits=bits)
    shown = pixels_of(dicom(deep, BitsStored=bits, HighBit=bits - 1))
    assert (shown.min(), shown.max()) == (0, 255)
    assert np.abs(shown / 255 - deep / (2**bits - 1)).max() < 0.003


def test_padding_does_not_take_part_in_the_range() -> None:
    deep = gradient(bits=12) // 2 + 1000
    deep[:8] = 65_535
    shown = pixels_of(dicom(deep, PixelPaddingValue=65_535))
    assert (shown[8:].min(), shown[8:].max()) == (0, 255)


def test_rescaled_values_go_through_the_window() -> None:
    stored = np.array([[0, 1000], [1500, 2000]], dtype=np.uint16)
    shown = pixels_of(
        dicom(
            stored,
            RescaleSlope="2",
            RescaleIntercept="-1000",
            WindowCenter=["1000", "40"],  # of several windows the first counts
            WindowWidth=["2001", "400"],
        )
    )
    # -1000 and 0 lie at or below the window's lower end, 1000 + 0.5 in its middle, 3000 above.
    assert shown.tolist() == [[0, 128], [255, 255]]


def test_negative_values_are_read_with_their_sign() -> None:
    stored = np.array([[-100, 0], [100, 50]], dtype=np.int16)
    assert pixels_of(dicom(stored, PixelRepresentation=1)).tolist() == [[0, 128], [255, 191]]


def test_a_look_up_table_is_applied() -> None:
    shown = pixels_of(dicom(gradient(), VOILUTSequence=lookup_table()))
    assert np.abs(shown.astype(int) - (255 - gradient())).max() <= 1


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_windows_agree_with_pydicoms(function: str) -> None:
    values = gradient(bits=12).astype(np.float64)
    header = pydicom.dcmread(
        io.BytesIO(dicom(gradient(bits=12), BitsStored=12, HighBit=11, VOILUTFunction=function))
    )
    header.WindowCenter, header.WindowWidth = 1800, 1200
    ours = apply_window(values, centre=1800, width=1200, function=function)
    assert np.abs(ours * 4095 - apply_voi_lut(values, header)).max() < 1e-6


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless, JPEGLosslessSV1])
def test_lossless_codes_give_the_pixels_back(syntax: str) -> None:
    deep = gradient(bits=12)
    shown = pixels_of(encode(dicom(deep, BitsStored=12, HighBit=11), syntax))
    plain = pixels_of(dicom(deep, BitsStored=12, HighBit=11))
    assert (shown == plain).all()


def encode(content: bytes, syntax: str) -> bytes:
    """The file in another transfer syntax, by GDCM where pydicom has no encoder."""
    header = pydicom.dcmread(io.BytesIO(content))
    if syntax in {JPEGLosslessSV1, JPEGLSLossless}:
        return encode_by_gdcm(content, syntax)
    header.compress(syntax, generate_instance_uid=False)
    file = io.BytesIO()
    header.save_as(file)
    return file.getvalue()


def encode_by_gdcm(content: bytes, syntax: str) -> bytes:
    import tempfile
    from pathlib import Path

    import gdcm

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "a.dcm", Path(folder) / "b.dcm"
        source.write_bytes(content)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(source))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        kind = gdcm.TransferSyntax.GetTSType(syntax)
        change.SetTransferSyntax(gdcm.TransferSyntax(kind))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(target))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        return target.read_bytes()


def broken_frame() -> bytes:
    """A JPEG whose data stop in the middle of the picture."""
    whole = jpeg(gradient())
    return encapsulate([whole[: len(whole) // 2]])


def cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


COLOUR = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not a DICOM file at all", "is not a readable DICOM file"),
        (b"", "is not a readable DICOM file"),
        (dicom(gradient())[:200], "has no pixel data"),
        (cut(dicom(gradient())), "fewer pixels than its header says"),
        (cut(jpeg_dicom(gradient())), "pixel data|is not a readable|no pixel data"),
        (dicom(np.stack([gradient()] * 3, axis=-1), **COLOUR), "is in colour"),
        (dicom(np.concatenate([gradient()] * 2), Rows=64, NumberOfFrames=2), "has 2 frames"),
        (dicom(gradient(), BurnedInAnnotation="YES"), "text burnt into its pixels"),
        (dicom(gradient(side=128)), "has 128 x 128 pixels, more than the 10,000 allowed"),
        (dicom(gradient(), Rows=0), "does not say how many pixels"),
        (dicom(gradient(), PhotometricInterpretation=""), "does not say what its pixel values"),
        (dicom(gradient(), PixelData=b""), "has no pixel data"),
        (jpeg_dicom(gradient(), PixelData=broken_frame()), "has a JPEG that"),
    ],
)  # fmt: skip
def test_what_is_no_chest_picture_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(RemediableError, match=reason) as refused:
        read(content)
    assert str(refused.value).startswith("a.dcm ")
    assert refused.value.remedy


def test_the_header_tells_sex_age_and_view() -> None:
    found = read(jpeg_dicom(gradient(), ViewPosition="LL", PatientAge="011M", PatientSex="M"))
    assert (found.sex, found.age_years, found.view) == ("M", 0, "lateral")


@pytest.mark.parametrize(
    ("header", "spacing"),
    [
        ({}, None),
        ({"ImagerPixelSpacing": [0.143, 0.139]}, (0.143, 0.139)),
        ({"PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [0.143, 0.139]}, (0.2, 0.2)),
        ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.143, 0.139]}, (0.143, 0.139)),
        ({"PixelSpacing": "0.2"}, None),
    ],
)
def test_the_header_tells_how_far_pixels_are_apart(
    header: dict[str, object], spacing: tuple[float, float] | None
) -> None:
    assert read(dicom(gradient(), **header)).spacing_mm == spacing


def test_patients_are_told_apart_only_by_who_has_the_key() -> None:
    first = read(dicom(gradient()))
    same, other = read(jpeg_dicom(gradient(seed=1))), read(dicom(gradient(), PatientID="other"))
    assert first.patient == same.patient != other.patient
    assert first.patient != read(dicom(gradient()), key=b"x" * 32).patient
    assert ID not in first.patient
    assert read(dicom(gradient(), PatientID="")).patient == ""


@pytest.mark.parametrize("age", [NAME, "about sixty"])
def test_nothing_identifying_gets_out_in_a_message(
    age: str, caplog: pytest.LogCaptureFixture
) -> None:
    with warnings.catch_warnings(record=True) as warned, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        content = jpeg_dicom(gradient(), PatientAge=age)
        found = read(content)
        with pytest.raises(RemediableError) as refused:
            read(cut(content))
    told = " ".join([str(refused.value), caplog.text, *(str(one.message) for one in warned)])
    assert found.age_years is None
    assert not [value for value in IDENTIFYING if value in told or value.encode() in found.content]
