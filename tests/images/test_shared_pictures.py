"""The same picture in two cohorts: found, told, and never on both sides of a split."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from django.db import connection, transaction

from feedback_app.images.cohorts.shared_pictures import take_turn
from feedback_app.images.models import Cohort, CohortImage, Fingerprint, Patient, SharedPicture
from feedback_app.runs.models import Run
from generation.datasets.fingerprints import as_words, distances, fingerprint
from generation.datasets.splits import split_of
from tests.generation.dicoms import jpeg_dicom, texture
from tests.images.cohort_folders import import_folder, lay_out, png, rows_of, skips

pytestmark = pytest.mark.django_db

LABELS = "patientId,x,y,width,height,Target\n"
CLASSES = "patientId,class\n"
NIH_HEADER = "Image Index,Finding Labels,Patient ID,Patient Age,Patient Gender,View Position\n"


def shared_pairs() -> set[frozenset[str]]:
    pairs = SharedPicture.objects.values_list("image__source_id", "other__source_id")
    return {frozenset(pair) for pair in pairs}


def splits(cohort: str) -> dict[str, str]:
    images = CohortImage.objects.filter(cohort__name=cohort)
    return dict(images.values_list("source_id", "patient__split"))


def require_one_side() -> None:
    for one, other in SharedPicture.objects.values_list(
        "image__patient__split", "other__patient__split"
    ):
        assert one == other


def nih_names(real_data: Path) -> dict[str, str]:
    rows = rows_of(real_data / "rsna" / "nih_map.csv")
    return {row["patientId"]: row["Image Index"] for row in rows}


def test_rsnas_images_are_found_in_nih_by_name_and_by_look_and_no_others(real_data: Path) -> None:
    import_folder(real_data / "nih", name="nih", source="nih")
    run = import_folder(real_data / "rsna", name="rsna", source="rsna")
    listed = rows_of(real_data / "rsna" / "stage_2_train_labels.csv")
    boxes = sum(row["Target"] == "1" for row in listed)
    assert run.result["added"] == {"boxes": boxes, "images": 234}
    assert (run.result["shared"], run.result["moved"], skips(run)) == (234, 0, {})
    assert shared_pairs() == {frozenset(pair) for pair in nih_names(real_data).items()}
    assert not SharedPicture.objects.filter(is_known=False).exists()
    assert not SharedPicture.objects.filter(distance=None).exists()
    require_one_side()
    require_rsnas_labels()


def require_rsnas_labels() -> None:
    images = CohortImage.objects.filter(cohort__name="rsna").select_related("patient", "image")
    first = images.get(source_id="03cd7a5b-d5d7-40a1-81b1-c4264920530a")
    assert (first.patient.source_id, first.known_as) == ("1836", "nih:00001836_010.png")
    assert first.findings == ["pneumonia", "lung opacity"]
    assert first.source_labels == {"Target": "1", "class": "Lung Opacity"}
    for image in images:
        assert image.patient.split == split_of(image.patient.source_id, cohort="nih")
        assert image.view in {"PA", "AP"} and image.patient.sex and image.age_years is not None
        assert (image.image.blob.media_type, image.image.width) == ("image/jpeg", 1024)
        is_boxed = image.boxes.exists()
        assert image.masks.filter(kind="opacity", is_from_boxes=True).exists() == is_boxed
        assert image.findings == (["pneumonia", "lung opacity"] if is_boxed else [])
        assert image.is_normal == (image.source_labels["class"] == "Normal")


@pytest.fixture
def part_of_both(real_data: Path, tmp_path: Path) -> Path:
    """Thirty of RSNA's images without the mapping, and NIH's images of the same patients."""
    names = dict(list(nih_names(real_data).items())[:30])
    patients = {name.partition("_")[0] for name in names.values()}
    rsna, nih = tmp_path / "rsna", tmp_path / "nih"
    (rsna / "stage_2_train_images").mkdir(parents=True)
    (nih / "images").mkdir(parents=True)
    for name in names:
        path = f"stage_2_train_images/{name}.dcm"
        (rsna / path).symlink_to(real_data / "rsna" / path)
    for table in ("stage_2_train_labels.csv", "stage_2_detailed_class_info.csv"):
        lines = (real_data / "rsna" / table).read_text().splitlines()
        kept = [line for line in lines[1:] if line.partition(",")[0] in names]
        (rsna / table).write_text("\n".join([lines[0], *kept]) + "\n")
    lines = (real_data / "nih" / "Data_Entry_2017_v2020.csv").read_text().splitlines()
    kept = [line for line in lines[1:] if line.partition("_")[0] in patients]
    (nih / "Data_Entry_2017_v2020.csv").write_text("\n".join([lines[0], *kept]) + "\n")
    for line in kept:
        name = line.partition(",")[0]
        (nih / "images" / name).symlink_to(real_data / "nih" / "images" / name)
    return tmp_path


@pytest.mark.parametrize("order", [("nih", "rsna"), ("rsna", "nih")])
def test_without_the_mapping_they_are_found_by_look_and_follow_nihs_patients(
    part_of_both: Path, real_data: Path, order: tuple[str, str]
) -> None:
    runs = [import_folder(part_of_both / name, name=name, source=name) for name in order]
    names = dict(list(nih_names(real_data).items())[:30])
    assert shared_pairs() == {frozenset(pair) for pair in names.items()}
    assert not SharedPicture.objects.filter(is_known=True).exists()
    nih, rsna = splits("nih"), splits("rsna")
    assert {name: rsna[name] for name in names} == {name: nih[names[name]] for name in names}
    assert runs[1].result["moved"] > 0  # their own hash would have put some elsewhere
    require_one_side()


def import_nih(folder: Path, rows: dict[str, tuple[str, int]], *, name: str = "nih") -> Run:
    """Images by name, each of a patient and with the look of a seed."""
    lay_out(folder, {file: png(texture(seed=seed)) for file, (_, seed) in rows.items()})
    table = "".join(f"{file},Edema,{patient},50,F,PA\n" for file, (patient, _) in rows.items())
    (folder / "Data_Entry_2017.csv").write_text(NIH_HEADER + table)
    return import_folder(folder, name=name, source="nih")


def import_rsna(folder: Path, seeds: dict[str, int]) -> Run:
    images = folder / "stage_2_train_images"
    images.mkdir(parents=True, exist_ok=True)
    for name, seed in seeds.items():
        (images / f"{name}.dcm").write_bytes(jpeg_dicom(texture(side=128, seed=seed)))
    (folder / "stage_2_train_labels.csv").write_text(
        LABELS + "".join(f"{name},,,,,0\n" for name in seeds)
    )
    (folder / "stage_2_detailed_class_info.csv").write_text(
        CLASSES + "".join(f"{name},Normal\n" for name in seeds)
    )
    return import_folder(folder, name="rsna", source="rsna")


def test_an_older_challenge_moves_to_the_side_of_the_patient_who_comes_later(
    tmp_path: Path,
) -> None:
    seeds = {f"p{number}": number for number in range(12)}
    import_rsna(tmp_path / "rsna", seeds)
    before = splits("rsna")
    run = import_nih(tmp_path / "nih", {f"{number}.png": ("7", number) for number in range(12)})
    (side,) = set(splits("nih").values())
    assert set(splits("rsna").values()) == {side}
    assert run.result["moved"] == sum(split != side for split in before.values()) > 0


def test_patients_joined_by_pictures_of_a_third_cohort_are_one_group(tmp_path: Path) -> None:
    first = {f"a{number}.png": (f"a{number}", number) for number in range(8)}
    import_nih(tmp_path / "first", first, name="first")
    files = {f"{number}.png": png(texture(seed=number)) for number in range(8)}
    folder = lay_out(tmp_path / "third", files)
    rows = "".join(f"{number}.png,everybody\n" for number in range(8))
    (folder / "groups.csv").write_text("file_name,group\n" + rows)
    import_folder(folder, name="third")
    everyone = set(Patient.objects.values_list("split", flat=True))
    assert len(everyone) == 1
    assert SharedPicture.objects.count() == 8


def test_a_picture_that_shows_nothing_is_like_no_other(tmp_path: Path) -> None:
    black = png(np.zeros((64, 64), dtype=np.uint8))
    import_folder(lay_out(tmp_path / "one", {"a.png": black}), name="one")
    import_folder(lay_out(tmp_path / "two", {"b.png": black}), name="two")
    assert [bytes(row.bits) for row in Fingerprint.objects.all()] == [b"", b""]
    assert not SharedPicture.objects.exists()


def test_images_that_came_in_without_a_fingerprint_get_one_with_the_next_import(
    tmp_path: Path,
) -> None:
    picture = {"a.png": png(texture())}
    import_folder(lay_out(tmp_path / "one", picture), name="one")
    Fingerprint.objects.all().delete()
    run = import_folder(lay_out(tmp_path / "two", picture), name="two")
    assert (Fingerprint.objects.count(), run.result["shared"]) == (2, 1)


def test_another_import_of_both_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        import_nih(tmp_path / "nih", {"1.png": ("1", 1)})
        import_rsna(tmp_path / "rsna", {"p1": 1})
    assert (SharedPicture.objects.count(), CohortImage.objects.count()) == (1, 2)


def test_two_full_size_copies_of_nih_share_patients_and_pictures(tmp_path: Path) -> None:
    import_nih(tmp_path / "a", {"1.png": ("7", 1)})
    import_nih(tmp_path / "b", {"1.png": ("7", 1)}, name="large")
    link = SharedPicture.objects.get()
    assert (link.is_known, link.distance) == (True, 0)
    assert len(set(Patient.objects.values_list("split", flat=True))) == 1
    assert Cohort.objects.count() == 2


def is_somebody_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return cursor.fetchone() is not None


@pytest.mark.django_db(transaction=True)
def test_an_import_waits_while_another_writes_and_then_sees_what_came_in(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"a.png": png(texture())})
    import_folder(folder, name="one")

    def bring_in() -> None:
        try:
            import_folder(folder, name="two")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as somebody:
        with transaction.atomic():
            take_turn()
            other = somebody.submit(bring_in)
            while not is_somebody_waiting():
                assert not other.done()
                time.sleep(0.02)
            assert not CohortImage.objects.filter(cohort__name="two").exists()
        other.result()
    assert shared_pairs() == {frozenset({"a.png"})}


@pytest.mark.parametrize("change", ["smaller", "jpeg", "darker", "sixteen bits"])
def test_a_fingerprint_survives_what_copies_go_through(change: str) -> None:
    picture = PIL.Image.fromarray(texture(side=512))
    other = {
        "smaller": picture.resize((256, 256), PIL.Image.Resampling.BICUBIC),
        "jpeg": jpeg_of(picture),
        "darker": picture.point(lambda value: value * 0.7 + 5),
        "sixteen bits": PIL.Image.fromarray(np.asarray(picture).astype(np.uint16) * 200),
    }[change]
    assert apart(picture, other) <= 6
    assert apart(picture, PIL.Image.fromarray(texture(side=512, seed=1))) > 60


def jpeg_of(picture: PIL.Image.Image) -> PIL.Image.Image:
    import io

    file = io.BytesIO()
    picture.save(file, "JPEG", quality=60)
    return PIL.Image.open(file)


def apart(one: PIL.Image.Image, other: PIL.Image.Image) -> int:
    first, second = as_words([fingerprint(one), fingerprint(other)])
    return int(distances(first, second[None])[0])
