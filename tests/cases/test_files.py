"""Kinds 1, 9: one odd file never ends an import, whatever it is called and wherever it lies."""

import errno
import io
import os
import re
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import PIL.Image
import pytest
from pytest_django import Settings

from feedback_app.images.cohorts.models import ImportSkip
from feedback_app.images.cohorts.preparing import read_or_skip
from feedback_app.images.cohorts.uploads import unpack
from feedback_app.runs.trouble import trouble_of
from generation.datasets.parsed import Skip
from generation.errors import RemediableError
from tests.cases.importing import bring_in, image_counts, images, png, reasons, skips
from tests.generation.dicoms import dicom, gradient, jpeg, jpeg_dicom, texture, write

pytestmark = pytest.mark.django_db


def test_one_mpo_among_a_hundred_jpegs_does_not_end_the_import(hard_cases: Path) -> None:
    run = bring_in(hard_cases / "one_bad_of_100")
    assert image_counts()[0] + len(skips(run, "image")) == 100
    assert image_counts()[0] >= 99
    assert bring_in(hard_cases / "one_bad_of_100").result["added"] == {}


def test_broken_files_have_reasons_in_words_that_group(hard_cases: Path) -> None:
    run = bring_in(hard_cases / "broken")
    found = skips(run, "image")
    assert {"ok.png", "patient001/a.png", "anim.png", "base_trailing.jpg"} <= {*images()}
    assert {"gif_called.png", "webp_called.jpg", "html.png", "empty.png", "scan.tif"} <= {*found}
    assert found["empty.png"].endswith("it is empty")
    assert "it is a web page" in found["html.png"]
    assert found["gif_called.png"].endswith("it is a GIF")
    assert (
        found["base95.jpg"] == found["png95.png"] == "is not a readable PNG or JPEG: it is cut off"
    )
    assert not [reason for reason in found.values() if re.search(r"0x[0-9a-f]+|<_io", reason)]


def test_links_in_a_circle_and_pipes_are_named_and_nothing_hangs(tmp_path: Path) -> None:
    write(tmp_path / "images", {"a.png": png()})
    (tmp_path / "images" / "circle").symlink_to(tmp_path / "images")
    (tmp_path / "images" / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "images" / "pipe.png")
    found = skips(bring_in(tmp_path))
    assert found == {
        "circle": "is a link to a folder already read",
        "loop": "is neither a file nor a folder",
        "pipe.png": "is neither a file nor a folder",
    }


def test_dicom_is_known_by_what_it_is(hard_cases: Path) -> None:
    bring_in(hard_cases / "dicom_suffixes")
    assert {*images()} == {
        "1.2.840.113619.2.5", "IM-0001-0001", "a.DCM", "b.dicom", "d.dcm", "e.dic",
    }  # fmt: skip


def test_pictures_in_folders_below_come_in_with_their_masks(tmp_path: Path) -> None:
    mask = np.zeros((64, 64), dtype=np.uint8)
    mask[4:20, 10:30] = 255
    (tmp_path / "masks" / "p1").mkdir(parents=True)
    PIL.Image.fromarray(mask).save(tmp_path / "masks" / "p1" / "a.png")
    write(tmp_path / "images", {"p1/a.png": png(1), "p2/s1/a.png": png(2)})
    bring_in(tmp_path)
    assert image_counts() == (2, 1, 2)
    assert images()["p1/a.png"].masks.count() == 1


def test_a_name_is_one_name_however_its_accents_are_spelled(hard_cases: Path) -> None:
    bring_in(hard_cases / "names")
    (image,) = images().values()
    assert unicodedata.is_normalized("NFC", image.source_id)
    assert image.patient.source_id == "007"


Form = Literal["NFC", "NFD"]
FORMS: tuple[Form, ...] = get_args(Form)


@pytest.mark.parametrize("stored", FORMS)
def test_tables_find_files_however_their_accents_are_spelled(tmp_path: Path, stored: Form) -> None:
    name = unicodedata.normalize(stored, "Köln/Röntgen.png")
    write(tmp_path, {name: png()})
    for form in FORMS:
        told = unicodedata.normalize(form, "Köln/Röntgen.png")
        (tmp_path / "t.csv").write_text(f"file\n{told}\n")
        (tmp_path / "m.toml").write_text("table = 't.csv'\nfile = 'file'")
        bring_in(tmp_path, mapping=tmp_path / "m.toml")
    assert len(images()) == 1


def test_a_name_that_is_not_utf8_is_a_skip_that_shows_its_bytes(tmp_path: Path) -> None:
    write(tmp_path / "images", {"a.png": png()})
    (tmp_path / "images" / os.fsdecode(b"R\xf6ntgen.png")).write_bytes(png(1))
    found = skips(bring_in(tmp_path))
    assert found == {"R\\xf6ntgen.png": "has a name that is not UTF-8: rename it"}


def test_a_picture_beyond_the_limit_is_refused_by_its_own_size(tmp_path: Path) -> None:
    bomb = jpeg_dicom(gradient(), PixelData=_encapsulated(jpeg(np.zeros((8896, 8896), np.uint8))))
    write(tmp_path / "images", {"bomb.dcm": bomb, "fine.dcm": jpeg_dicom(texture())})
    found = skips(bring_in(tmp_path), "image")
    assert found == {"bomb.dcm": "holds a picture of 8896 x 8896 pixels, its header says 64 x 64."}


def _encapsulated(stream: bytes) -> bytes:
    from pydicom.encaps import encapsulate

    return encapsulate([stream])


def test_one_cut_report_does_not_refuse_the_others(hard_cases: Path) -> None:
    run = bring_in(hard_cases / "openi_badxml", source="openi")
    assert image_counts()[0] == 4
    assert skips(run)["2.xml"] == "is no XML: it is cut off or damaged"


def test_a_second_attempt_names_the_same_files(hard_cases: Path) -> None:
    first = skips(bring_in(hard_cases / "broken"))
    assert skips(bring_in(hard_cases / "broken")) == first


@pytest.mark.parametrize("name", ["rescale_comma", "rescale_empty", "voilut_8bit"])
def test_the_files_beside_an_odd_one_come_in(hard_cases: Path, name: str) -> None:
    run = bring_in(hard_cases / name)
    assert image_counts()[0] + len(skips(run, "image")) == 3
    assert image_counts()[0] >= 2
    assert (image_counts()[0] == 3) == (name != "rescale_comma")


def test_whatever_an_odd_header_raises_is_a_reason(hard_cases: Path) -> None:
    run = bring_in(hard_cases / "dicom_odd")
    files = len(list((hard_cases / "dicom_odd" / "images").iterdir()))
    assert image_counts()[0] + ImportSkip.objects.filter(run=run, what="image").count() == files
    assert all(reason.endswith(".") for reason in reasons(run, "image"))


def test_a_reader_that_breaks_is_a_skip_with_the_files_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow itself is broken here: no file is known that still gets past its errors."""
    write(tmp_path / "images", {"a.png": png(1), "b.dcm": dicom(texture(seed=2))})

    def break_down(*_: object, **__: object) -> None:
        raise KeyError("MPO")

    monkeypatch.setattr("feedback_app.images.cohorts.preparing.hash_pixels", break_down)
    from tests.images.cohort_folders import import_folder

    run = import_folder(tmp_path)
    assert {*skips(run).values()} == {"is of a kind that cannot be read here (KeyError)"}
    assert {*skips(run)} == {"a.png", "b.dcm"}


def test_an_archive_with_the_slashes_of_windows_has_folders(
    tmp_path: Path, settings: Settings
) -> None:
    settings.DATA_ROOT = tmp_path
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("images\\a.png", png())
        packed.writestr("..\\..\\images\\b.png", png())
    folder = unpack(archive)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.png")}
    assert found == {f"uploads/{folder.name}/images/{name}.png" for name in "ab"}


def test_a_lost_disk_ends_no_import_with_all_its_files_skipped(tmp_path: Path) -> None:
    """What no file can be read for puts the run back; what one file alone may be is a skip."""

    def raising(number: int) -> Callable[[], bytes]:
        def read() -> bytes:
            try:
                raise OSError(number, os.strerror(number))
            except OSError as error:
                raise RemediableError("a.png cannot be read", remedy="Look.") from error

        return read

    for number in (errno.ESTALE, errno.ENOTCONN, errno.EMFILE):
        with pytest.raises(RemediableError) as raised:
            read_or_skip(raising(number), path=tmp_path / "a.png", file="a.png", skips=[])
        assert trouble_of(raised.value)
    skips: list[Skip] = []
    for number in (errno.EIO, errno.EACCES, errno.ENOENT):
        assert not read_or_skip(raising(number), path=tmp_path / "a.png", file="a.png", skips=skips)
    assert [skip.reason for skip in skips] == ["cannot be read"] * 3
