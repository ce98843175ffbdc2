"""Kinds 15 and 16, where files reach memory, spreadsheets and the database."""

import gzip
import io
import resource
import time
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from django.test import Client
from django.urls import reverse
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian

from feedback_app.csv_files import FORMULA_SIGNS, csv_lines
from feedback_app.images.cohorts.models import ImportSkip
from feedback_app.runs.progress import storable
from generation.conditioning.captions import caption_of
from generation.datasets import tables
from generation.datasets.dicom import read_radiograph
from generation.datasets.parsed import Skip
from generation.errors import RemediableError
from tests.cases.importing import bring_in, images, png, skips
from tests.generation.dicoms import dicom, gradient, texture, write

MAX_PIXELS = 1_000_000


def deflated(content: bytes, *, tail: bytes = b"") -> bytes:
    """The file in the deflated syntax, with more behind its last element."""
    header = pydicom.dcmread(io.BytesIO(content))
    header.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    plain = io.BytesIO()
    header.save_as(plain)
    meta = DicomBytesIO()
    write_file_meta_info(meta, header.file_meta)
    start = 132 + len(meta.getvalue())
    body = zlib.decompress(plain.getvalue()[start:], -zlib.MAX_WBITS)
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return plain.getvalue()[:start] + packer.compress(body + tail) + packer.flush()


def test_a_deflated_file_is_read_as_the_plain_one() -> None:
    plain = dicom(gradient(bits=12), BitsStored=12, HighBit=11)
    first, second = (
        read_radiograph(content, name="a.dcm", max_pixels=MAX_PIXELS, key=b"k")
        for content in (plain, deflated(plain))
    )
    assert (np.asarray(first.picture) == np.asarray(second.picture)).all()


def test_a_deflated_bomb_is_refused_before_it_grows() -> None:
    element = b"\x09\x00\x10\x10OB\0\0" + (2**30).to_bytes(4, "little")
    bomb = deflated(dicom(gradient()), tail=element + b"\0" * 2**28)
    assert len(bomb) < 2**19
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RemediableError, match="when it is unpacked"):
        read_radiograph(bomb, name="a.dcm", max_pixels=MAX_PIXELS, key=b"k")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


@pytest.mark.parametrize("sign", FORMULA_SIGNS)
def test_no_cell_that_is_written_is_a_formula(sign: str) -> None:
    (_, line) = csv_lines(("a", "b"), [(f"{sign}cmd", -3)])
    assert "'" + sign in line and line.strip().endswith(",-3")


@pytest.mark.django_db
def test_no_cell_is_a_formula_by_another_separator() -> None:
    lines = list(csv_lines(["a", "b"], [["x;y", 1], ["x; =cmd()", 2], [None, "a\t@b"]]))
    assert lines == ["a,b\n", "x;y,1\n", '"x; =cmd()",2\n', '"","a\t@b"\n']


def test_a_packed_table_that_grows_without_end_is_read_so_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv.gz"
    monkeypatch.setattr(tables, "UNPACKED_ALWAYS_BYTES", 1_000_000)
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 2_000_000))
    skips: list[Skip] = []
    rows = sum(1 for _ in tables.stream_table(path, columns=("a",), skips=skips))
    assert 200_000 < rows < 1_000_000
    assert "bytes when it is unpacked" in skips[0].reason
    monkeypatch.setattr(tables, "LINE_MAX_CHARACTERS", 1_000)
    path.write_bytes(gzip.compress(b"a,b\n1,2\n" + b"x" * 900_000))
    first, skip = tables.stream_rows(path, columns=("a",))
    assert first == {"a": "1", "b": "2"}
    assert isinstance(skip, Skip)
    assert "a line of more than 1,000" in skip.reason
    path.write_bytes(gzip.compress(b"x" * 900_000))
    with pytest.raises(RemediableError, match=r"t\.csv\.gz is not a CSV file"):
        tables.stream_table(path, columns=("a",), skips=[])


def test_a_file_called_like_a_formula_is_harmless_in_the_download(
    tmp_path: Path, cora_client: Client
) -> None:
    write(tmp_path / "images", {"a.png": png(), "=cmd|' C'!A0.png": b"no picture"})
    bring_in(tmp_path)
    answer = cora_client.get(reverse("images:cohort-skipped", args=["x"]))
    lines = answer.getvalue().decode().splitlines()
    assert lines[1].startswith("'=cmd")


@pytest.mark.parametrize("unit", ["effusion ", "effusion, ", "mass ", "no acute ", "? ", "a. "])
def test_captions_take_time_in_proportion_to_the_text(unit: str) -> None:
    caption_of(unit * 10)
    started = time.process_time()
    caption_of(unit * (200_000 // len(unit)))
    assert time.process_time() - started < 10


@pytest.mark.django_db
def test_what_postgresql_cannot_hold_is_shown_and_not_stored(tmp_path: Path) -> None:
    write(tmp_path, {"a.png": png(), "b.png": png(1)})
    (tmp_path / "t.csv").write_bytes(b"f,p\na.png,1\nb.png,x\0y\nc\0.png,2\n" + b"d/../e.png,3\n")
    (tmp_path / "m.toml").write_text("table = 't.csv'\nfile = 'f'\npatient = 'p'\n")
    run = bring_in(tmp_path, mapping=tmp_path / "m.toml")
    assert {*images()} == {"a.png"}
    assert len(skips(run, "image")) == 3
    assert storable("a\0\ud800") == "a\ufffd\\ud800"
    ImportSkip.objects.create(run=run, file=storable("\udcff.png"), what="image", reason="x")


@pytest.mark.django_db
def test_a_name_too_long_for_a_file_is_a_skip(tmp_path: Path) -> None:
    write(tmp_path, {"a.png": png()})
    long = "ä" * 200
    deep = f"{'x' * 200}/{'y' * 100}.png"
    write(tmp_path, {deep: png(2)})
    (tmp_path / "t.csv").write_text(f"f\na.png\n{long}.png\n{'x/' * 3000}y.png\n{deep}\n")
    (tmp_path / "m.toml").write_text("table = 't.csv'\nfile = 'f'\n")
    run = bring_in(tmp_path, mapping=tmp_path / "m.toml")
    found = skips(run, "image")
    assert len(found) == 3
    assert found[deep] == "its name has more than 200 characters"


def test_a_header_that_is_nested_without_end_is_refused() -> None:
    inner = b""
    for _ in range(3_000):
        inner = b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x28\x00\x10\x30SQ\0\0\xff\xff\xff\xff" + inner
    content = dicom(texture())
    at = content.index(b"\xe0\x7f\x10\x00")
    nested = content[:at] + b"\x28\x00\x10\x30SQ\0\0\xff\xff\xff\xff" + inner + content[at:]
    with pytest.raises(RemediableError):
        read_radiograph(nested, name="a.dcm", max_pixels=MAX_PIXELS, key=b"k")
