"""Kind 4: a DICOM picture is shown as the standard says, to the grey level."""

import io
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_windowing
from pydicom.sequence import Sequence

from generation.datasets.dicom import read_radiograph
from generation.errors import RemediableError
from tests.cases.dicom_reference import Header, Table, shown
from tests.cases.examples import EXAMPLES
from tests.cases.importing import bring_in, images, reasons
from tests.generation.dicoms import dicom, gradient, jpeg_dicom, texture, write

SIDE = 4


def pixels_of(content: bytes) -> np.ndarray:
    found = read_radiograph(content, name="a.dcm", max_pixels=10**8, key=b"k" * 32)
    return np.asarray(PIL.Image.open(io.BytesIO(found.content)))


def sequence(table: Table, *, as_bytes: bool = False, is_signed: bool = False) -> Sequence:
    item = Dataset()
    first = table.first if is_signed else table.first % 2**16
    item.add_new(
        "LUTDescriptor", "SS" if is_signed else "US", [len(table.entries), first, table.bits]
    )
    dtype = np.uint8 if as_bytes else "<u2"
    data = np.array(table.entries, dtype=dtype).tobytes()
    item.add_new("LUTData", "OW", data + b"\0" * (len(data) % 2))
    return Sequence([item])


def file_of(cells: list[int], header: Header, **more: Any) -> bytes:
    dtype = np.dtype(f"u{header.allocated // 8}")
    attributes: dict[str, Any] = {
        "BitsStored": header.stored,
        "HighBit": header.high,
        "PixelRepresentation": int(header.signed),
    }
    if header.is_monochrome1:
        attributes["PhotometricInterpretation"] = "MONOCHROME1"
    if header.modality:
        is_signed = header.modality.first < 0 and not header.signed
        attributes["ModalityLUTSequence"] = sequence(header.modality, is_signed=is_signed)
    elif (header.slope, header.intercept) != (1, 0):
        attributes["RescaleSlope"] = repr(header.slope)
        attributes["RescaleIntercept"] = repr(header.intercept)
    if header.voi:
        is_signed = header.voi.first < 0 and not header.signed
        attributes["VOILUTSequence"] = sequence(header.voi, is_signed=is_signed)
    if header.window:
        attributes["WindowCenter"], attributes["WindowWidth"] = map(repr, header.window)
        attributes["VOILUTFunction"] = header.function
    return dicom(np.array(cells, dtype=dtype).reshape(SIDE, SIDE), **attributes | more)


def tables(bits: int | None = None) -> st.SearchStrategy[Table]:
    depth = st.just(bits) if bits else st.integers(8, 16)
    return depth.flatmap(
        lambda stated: st.builds(
            Table,
            first=st.integers(-300, 300),
            bits=st.just(stated),
            entries=st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=40).map(tuple),
        )
    )


@st.composite
def headers(draw: st.DrawFn) -> Header:
    allocated = draw(st.sampled_from([8, 16, 32]))
    stored = draw(st.integers(2, allocated))
    return Header(
        allocated=allocated,
        stored=stored,
        high=draw(st.integers(stored - 1, allocated - 1)),
        signed=draw(st.booleans()),
        slope=draw(st.sampled_from([1.0, 0.5, 2.0, -1.0, 0.001])),
        intercept=draw(st.sampled_from([0.0, -1024.0, 0.5])),
        modality=draw(st.none() | tables()),
        voi=draw(st.none() | tables()),
        window=draw(
            st.none()
            | st.tuples(st.integers(-2000, 5000), st.integers(1, 5000)).map(
                lambda pair: (float(pair[0]), float(pair[1]))
            )
        ),
        function=draw(st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"])),
        is_monochrome1=draw(st.booleans()),
    )


@settings(max_examples=EXAMPLES, derandomize=True, deadline=None)
@given(data=st.data(), header=headers())
def test_every_header_gives_the_grey_levels_of_the_reference(
    data: st.DataObject, header: Header
) -> None:
    cell = st.integers(0, 2**header.allocated - 1) | st.integers(
        0, min(4095, 2**header.allocated - 1)
    )
    cells = data.draw(st.lists(cell, min_size=SIDE**2, max_size=SIDE**2))
    found = pixels_of(file_of(cells, header)).ravel()
    wanted = np.array(shown(cells, header))
    assert np.abs(found - wanted).max() <= 0.5 + 1e-6


# The kinds that were wrong, one by one.


def in_range(values: np.ndarray) -> np.ndarray:
    return np.rint((values - values.min()) / (values.max() - values.min()) * 255).astype(np.uint8)


@pytest.mark.parametrize(("bits", "high"), [(6, 5), (6, 7), (7, 6), (4, 5)])
def test_few_stored_bits_use_the_whole_range(bits: int, high: int) -> None:
    values = gradient() >> (8 - bits)
    cells = (values << (high + 1 - bits)).astype(np.uint8)
    assert (pixels_of(dicom(cells, BitsStored=bits, HighBit=high)) == in_range(values)).all()


def test_signed_bytes_do_not_wrap() -> None:
    values = gradient().astype(np.int16) - 128
    content = dicom(values.astype(np.int8), PixelRepresentation=1)
    assert (pixels_of(content) == values + 128).all()


def test_bits_beside_the_stored_ones_are_left_out() -> None:
    values = gradient(bits=12)
    shifted = (values << 4) | np.random.default_rng(0).integers(0, 16, values.shape)
    content = dicom(shifted.astype(np.uint16), BitsStored=12, HighBit=15)
    assert (pixels_of(content) == in_range(values)).all()


@pytest.mark.parametrize("is_signed", [True, False])
@pytest.mark.parametrize("padding", [-2000, 63_536])
def test_padding_is_found_whatever_sign_it_is_written_with(
    *, is_signed: bool, padding: int
) -> None:
    values = (gradient(bits=12) // 2 + 100).astype(np.int16)
    values[:8] = -2000
    content = dicom(values, PixelRepresentation=int(is_signed))
    header = pydicom.dcmread(io.BytesIO(content))
    header.add_new("PixelPaddingValue", "SS" if padding < 0 else "US", padding)
    file = io.BytesIO()
    header.save_as(file)
    found = pixels_of(file.getvalue())[8:]
    assert (found == in_range(values[8:])).all()


@pytest.mark.parametrize("written", [None, "", ["1", "1"]])
def test_a_slope_that_says_nothing_is_one(written: Any) -> None:
    values = gradient(bits=12)
    plain = pixels_of(dicom(values, BitsStored=12, HighBit=11))
    content = dicom(values, BitsStored=12, HighBit=11, RescaleSlope=written, RescaleIntercept="")
    assert (pixels_of(content) == plain).all()


@pytest.mark.parametrize(
    ("name", "value"), [("RescaleSlope", "0"), ("RescaleSlope", ["1", "2"]), ("HighBit", 99)]
)
def test_what_makes_no_picture_is_refused(name: str, value: Any) -> None:
    content = dicom(gradient(bits=12), **{"BitsStored": 12, "HighBit": 11, name: value})
    with pytest.raises(RemediableError, match=name):
        pixels_of(content)


@pytest.mark.parametrize("value", [None, "missing"])
def test_what_a_grey_picture_can_only_mean_is_filled_in(value: Any) -> None:
    values = gradient(bits=12)
    plain = pixels_of(dicom(values, BitsStored=12, HighBit=11))
    header = pydicom.dcmread(io.BytesIO(dicom(values, BitsStored=12, HighBit=11)))
    header.PhotometricInterpretation = " monochrome2"
    for name in ("SamplesPerPixel", "BitsStored"):
        header[name].value = None
        if value:
            del header[name]
    assert (pixels_of(_saved(header)) == plain).all()


@pytest.mark.parametrize("name", ["PixelRepresentation", "BitsAllocated"])
def test_what_is_left_open_is_named(name: str) -> None:
    header = pydicom.dcmread(io.BytesIO(dicom(gradient(bits=12), BitsStored=12, HighBit=11)))
    del header[name]
    with pytest.raises(RemediableError, match=name):
        pixels_of(_saved(header))


def _saved(header: pydicom.Dataset) -> bytes:
    file = io.BytesIO()
    header.save_as(file)
    return file.getvalue()


@pytest.mark.parametrize("as_bytes", [True, False])
@pytest.mark.parametrize("name", ["VOILUTSequence", "ModalityLUTSequence"])
def test_tables_of_bytes_and_words_are_read(name: str, *, as_bytes: bool) -> None:
    values = gradient(bits=12)
    table = Table(first=0, bits=8, entries=tuple(np.arange(4096) >> 4))
    more = {name: sequence(table, as_bytes=as_bytes), "BitsStored": 12, "HighBit": 11}
    assert (pixels_of(dicom(values, **more)) == in_range(values >> 4)).all()


@pytest.mark.parametrize(("stated", "greatest"), [(16, 4095), (16, 3000), (8, 1023), (12, 65_535)])
def test_a_table_of_another_depth_than_it_states_has_its_greatest_entry_white(
    stated: int, greatest: int
) -> None:
    values = gradient(bits=12)
    entries = np.rint(np.arange(4096) / 4095 * greatest).astype(int)
    more = {"VOILUTSequence": sequence(Table(first=0, bits=stated, entries=tuple(entries)))}
    found = pixels_of(dicom(values, BitsStored=12, HighBit=11, **more))
    assert (found == np.rint(entries[values] / greatest * 255)).all()


def test_a_table_may_start_below_zero() -> None:
    values = gradient(bits=12).astype(np.int16) - 2048
    table = Table(first=-2048, bits=12, entries=tuple(range(4096)))
    for is_signed in (True, False):
        more = {"VOILUTSequence": sequence(table, is_signed=is_signed), "PixelRepresentation": 1}
        found = pixels_of(dicom(values, BitsStored=12, HighBit=11, **more))
        assert (found == np.rint((values + 2048) / 4095 * 255)).all()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("case", "name", "lowest", "mean"),
    [
        ("agfa_voilut_range", "agfa.dcm", 4, 134),
        ("voilut_8bit", "voilut8.dcm", 0, 177),
        ("voilut_8bit_words", "linear8.dcm", 0, 130),
        ("rescale_empty", "bad.dcm", 0, 130),
        ("dicom_odd", "frames_1_0.dcm", 0, 130),
    ],
)
def test_the_cases_are_shown_as_the_reference_shows_them(
    hard_cases: Path, case: str, name: str, lowest: int, mean: int
) -> None:
    bring_in(hard_cases / case)
    blob = images()[name].image.blob
    with blob.open() as file, PIL.Image.open(file) as picture:
        pixels = np.asarray(picture)
    assert (pixels.min(), pixels.max(), round(pixels.mean())) == (lowest, 255, mean)


@pytest.mark.parametrize("name", ["jpeg_fill.dcm", "jpeg_lead_ff.dcm", "jpeg_prog_comment.dcm"])
def test_fill_bytes_are_read_and_comments_between_scans_dropped(
    hard_cases: Path, name: str
) -> None:
    content = (hard_cases / "dicom_odd" / "images" / name).read_bytes()
    found = read_radiograph(content, name=name, max_pixels=10**6, key=b"k" * 32)
    assert found.content.startswith(b"\xff\xd8") and found.content.endswith(b"\xff\xd9")
    segments = [
        found.content[at + 1] for at in range(len(found.content) - 1) if found.content[at] == 255
    ]
    assert 0xFE not in segments
    assert np.asarray(found.picture).std() > 40


@pytest.mark.django_db
def test_a_flat_picture_comes_in_with_a_warning(tmp_path: Path) -> None:
    flat = np.full((64, 64), 100, dtype=np.uint8)
    flat[0] = texture()[0]
    write(tmp_path / "images", {"flat.dcm": dicom(flat), "fine.dcm": jpeg_dicom(texture())})
    run = bring_in(tmp_path)
    assert run.result["added"] == {"images": 2}
    assert run.result["skipped"] == {}
    (reason,) = reasons(run, "warning")
    assert "it shows nothing" in reason


# pydicom's own test files


KNOWN_REASONS = (
    "is in colour; a chest X-ray is grey",
    "has no pixel data",
    "is not a readable DICOM file: the mark DICM near its start is missing",
    "frames; a chest X-ray is one picture",
    "does not say what its pixel values mean",
    "does not say in a number how many pictures it has",
    "has fewer pixels than its header says: it may be cut off",
    "cannot be decoded: its pixels are not what its header says",
    "has pixel data that are cut off or damaged",
    "holds a picture of 3722445056 x 1024 pixels, its header says 256 x 1024",
)


def test_pydicoms_own_files_come_in_or_are_refused_in_words() -> None:
    """Those that its package has; 67 more are fetched by its own tests alone."""
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    outcomes: Counter[bool] = Counter()
    for path in sorted(folder.rglob("*.dcm")):
        try:
            found = read_radiograph(
                path.read_bytes(), name=path.name, max_pixels=10**8, key=b"k" * 32
            )
        except RemediableError as error:
            reason = str(error).removeprefix(f"{path.name} ")
            assert any(known in reason for known in KNOWN_REASONS), (path.name, reason)
            outcomes[False] += 1
            continue
        outcomes[True] += 1
        assert np.abs(np.asarray(found.picture).astype(int) - by_pydicom(path)).max() <= 1, path
    assert outcomes == {True: 21, False: 58}


def by_pydicom(path: Path) -> np.ndarray:
    """The picture by pydicom's own stages, where it needs none that is known to be wrong there."""
    header = pydicom.dcmread(path)
    values = apply_modality_lut(header.pixel_array, header).astype(float)
    window = header.get("WindowCenter"), header.get("WindowWidth")
    if None not in window:
        bits = header.BitsStored
        low, high = (
            (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
            if header.PixelRepresentation
            else (0, 2**bits - 1)
        )
        slope = float(header.get("RescaleSlope") or 1)
        intercept = float(header.get("RescaleIntercept") or 0)
        shown_values = apply_windowing(values, header)
        low, high = low * slope + intercept, high * slope + intercept
        grey = (shown_values - low) / (high - low)
    elif header.BitsAllocated == 8 and header.BitsStored == 8 and not header.PixelRepresentation:
        grey = values / 255
    else:
        padding = header.get("PixelPaddingValue")
        seen = values[header.pixel_array != padding] if padding is not None else values
        grey = np.clip((values - seen.min()) / (seen.max() - seen.min()), 0, 1)
    if header.PhotometricInterpretation == "MONOCHROME1":
        grey = 1 - grey
    return np.rint(grey * 255)
