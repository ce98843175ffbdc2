"""The archive: what it holds, that it is the same when rebuilt, that others can open it."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.curation.models import CuratedSet
from feedback_app.curation.services import apply_policy, create_policy
from feedback_app.exports.building import build as build_archive
from feedback_app.exports.formats import FORMATS
from feedback_app.exports.models import Export
from feedback_app.exports.services import file_name_of, start_export
from feedback_app.images.blobs.services import hash_pixels, open_picture, store_image
from feedback_app.images.models import Cohort, CohortImage, ModelVersion, Patient, Recipe
from feedback_app.runs import services as runs
from feedback_app.runs.models import State
from feedback_app.studies.models import CaseImage
from tests.curation.stage import Stage, grey_png, make_version, set_stage
from tests.exports.offline import run_offline

Exported = Callable[[], Export]


def unzip(export: Export) -> dict[str, bytes]:
    assert export.blob is not None
    with zipfile.ZipFile(io.BytesIO(export.blob.read())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows_of(files: dict[str, bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files["metadata.csv"].decode())))


def test_the_archive_holds_images_metadata_card_and_manifest(exported: Exported) -> None:
    files = unzip(exported())
    images = [name for name in files if name.startswith("images/")]
    assert len(images) == 4
    assert set(files) - set(images) == {
        "metadata.csv",
        "README.md",
        "manifest.json",
        "croissant.json",
    }


def test_each_row_says_where_its_image_comes_from(exported: Exported) -> None:
    files = unzip(exported())
    for row in rows_of(files):
        recipe = Recipe.objects.get(key=row["recipe"])
        assert row["prompt"] == recipe.prompt
        assert row["labels"] == ("|".join(recipe.findings) or "no finding")
        assert (row["model"], row["seed"]) == ("base", str(recipe.seed))
        assert (row["sampler"], row["steps"]) == (recipe.sampler, str(recipe.steps))
        assert row["guidance_scale"] == str(recipe.guidance_scale)
        assert row["score_realism"] == row["score_fits_the_prompt"] in {"3.0", "4.0", "5.0"}
        assert (row["readers"], row["readers_simulated"]) == ("1", "false")
        picture = open_picture(files[row["file_name"]], name="exported")
        assert row["pixels_sha256"] == hash_pixels(picture)


def test_the_manifest_has_the_sum_of_every_other_file(exported: Exported) -> None:
    files = unzip(exported())
    manifest = json.loads(files.pop("manifest.json"))
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }


def test_building_it_again_gives_the_same_bytes(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = exported()
    monkeypatch.setattr(timezone, "now", lambda: first.created_at.replace(year=2031))
    second = exported()
    assert first.pk != second.pk
    assert first.blob_id is not None
    assert first.blob_id == second.blob_id


def test_a_run_done_twice_changes_nothing(exported: Exported) -> None:
    export = exported()
    assert runs.execute(export.run_id) is None
    type(export.run).objects.filter(pk=export.run_id).update(state=State.QUEUED, finished_at=None)
    again = runs.execute(export.run_id)
    assert again is not None
    assert again.state == State.SUCCEEDED
    blob = export.blob_id
    export.refresh_from_db()
    assert export.blob_id == blob


def test_it_can_be_opened_as_an_imagefolder(exported: Exported, tmp_path: Path) -> None:
    """By the library itself, in a process of its own, without a network."""
    export = exported()
    assert export.blob is not None
    folder = tmp_path / "unzipped"
    with zipfile.ZipFile(io.BytesIO(export.blob.read())) as archive:
        archive.extractall(folder)
    program = (
        "import datasets, json, sys\n"
        "rows = datasets.load_dataset('imagefolder', data_dir=sys.argv[1], split='train')\n"
        "image = rows[0]['image']\n"
        "print(json.dumps([len(rows), sorted(rows.column_names), image.mode, image.size,"
        " rows[0]['score_realism']]))\n"
    )
    count, columns, mode, size, score = run_offline(program, folder, home=tmp_path, limit_s=120)
    assert (count, mode, size) == (4, "L", [32, 32])
    assert {"image", "prompt", "labels", "model", "seed", "score_fits_the_prompt"} <= set(columns)
    assert score >= 3


def test_the_card_says_what_it_is_and_what_it_is_not(exported: Exported) -> None:
    card = unzip(exported())["README.md"].decode()
    assert "4 synthetic frontal chest X-rays" in card
    assert "Not for clinical use" in card
    assert "realism at least 2.5" in card
    assert "- Left out: 1, mean of “Realism” below 2.5" in card
    assert "- base: base model; 4 images" in card
    assert "simulated" not in card.replace("readers_simulated", "").replace("were simulated |", "")


def test_the_card_says_plainly_that_readers_were_simulated(db: None) -> None:
    simon = User.objects.create_user("simon", is_simulated=True)
    base = make_version("base")
    child = make_version("child", parent=base, method="dpo", taught_by_simulated_readers=True)
    stage = set_stage(simon, version=child, count=1)
    stage.read(simon, 0, 5)
    policy = create_policy(
        "simulated", studies=[stage.study], min_mean_scores={}, uses_simulated_readers=True
    )
    export = start_export(apply_policy(policy))
    runs.execute(export.run_id)
    export.refresh_from_db()
    files = unzip(export)
    card = files["README.md"].decode()
    assert "**The readers were simulated.**" in card
    assert "- base: base model; 0 images" in card
    assert "- child: fine-tuned from base (dpo), taught by **simulated readers**; 1 images" in card
    assert rows_of(files)[0]["readers_simulated"] == "true"
    assert json.loads(files["manifest.json"])["readers_simulated"] is True


def test_a_prompt_with_commas_quotes_and_lines_survives(rosa: User) -> None:
    stage = set_stage(rosa, count=1)
    prompt = 'effusion, "small"\nleft; =1+1'
    Recipe.objects.update(prompt=prompt)
    stage.read(rosa, 0, 5)
    policy = create_policy("odd", studies=[stage.study], min_mean_scores={})
    export = start_export(apply_policy(policy))
    runs.execute(export.run_id)
    export.refresh_from_db()
    assert rows_of(unzip(export))[0]["prompt"] == prompt


# Real images never leave.


@pytest.fixture
def cohort(db: None) -> Cohort:
    return Cohort.objects.create(name="real", source="folder")


def make_real(cohort: Cohort, content: bytes) -> CohortImage:
    patient = Patient.objects.create(cohort=cohort, source_id="p", split="train")
    return CohortImage.objects.create(
        image=store_image(content, name="real"), cohort=cohort, patient=patient, source_id="x.png"
    )


def test_a_real_image_in_a_study_is_not_even_considered(
    stage: Stage, cohort: Cohort, rosa: User
) -> None:
    real = make_real(cohort, grey_png(999))
    case = stage.study.cases.first()
    assert case is not None
    CaseImage.objects.create(case=case, image=real.image, position=1)
    policy = create_policy("all", studies=[stage.study], min_mean_scores={})
    curated_set = apply_policy(policy)
    assert curated_set.considered == 5
    assert real.image_id not in set(curated_set.items.values_list("candidate_id", flat=True))


def test_an_export_fails_where_a_candidate_has_the_pixels_of_a_real_image(
    curated_set: CuratedSet, cohort: Cohort, storage: Path
) -> None:
    item = curated_set.items.select_related("candidate__image__blob").first()
    assert item is not None
    make_real(cohort, item.candidate.image.blob.read())
    export = start_export(curated_set)
    run = runs.execute(export.run_id)
    assert run is not None
    assert run.state == State.FAILED
    assert run.error == "The curated set holds a real image: x.png of the cohort real."
    assert "never leave" in run.remedy
    export.refresh_from_db()
    assert export.blob is None
    assert not any(storage.glob("runs/*"))


def test_a_damaged_file_is_never_exported(curated_set: CuratedSet, storage: Path) -> None:
    item = curated_set.items.select_related("candidate__image__blob").first()
    assert item is not None
    (storage / "blobs" / item.candidate.image.blob.path).write_bytes(grey_png(12345))
    run = runs.execute(start_export(curated_set).run_id)
    assert run is not None
    assert (run.state, "damaged" in run.error) == (State.FAILED, True)


def test_a_set_that_was_tampered_with_is_not_exported(curated_set: CuratedSet) -> None:
    ModelVersion.objects.update(name="renamed")  # not part of the set: does no harm
    item = curated_set.items.select_related("candidate__image").first()
    assert item is not None
    item.candidate.image.pixels_sha256 = "0" * 64
    item.candidate.image.save()
    run = runs.execute(start_export(curated_set).run_id)
    assert run is not None
    assert run.state == State.FAILED
    assert "not what its hash says" in run.error


def test_the_file_name_tells_policy_and_set(curated_set: CuratedSet) -> None:
    export = start_export(curated_set)
    assert file_name_of(export) == f"reading-room-night-1-{curated_set.sha256[:8]}.zip"


def test_the_archive_is_written_front_to_back_without_times(
    curated_set: CuratedSet, tmp_path: Path
) -> None:
    build_archive(
        curated_set,
        file_format=FORMATS["imagefolder"],
        path=tmp_path / "a.zip",
        report=lambda done: None,
    )
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
