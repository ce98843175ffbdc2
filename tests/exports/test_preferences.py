"""Preferences written out for trainers of Diffusion-DPO: asked for in three ways, opened by one."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.exports.models import Export
from feedback_app.exports.services import rests_on_retracted, start_preferences
from feedback_app.finetuning.models import Snapshot
from feedback_app.finetuning.services import take_snapshot
from feedback_app.images.models import Cohort, CohortImage, Image, Patient
from feedback_app.provenance.impact import impact_of_all
from feedback_app.provenance.rebuilding import rebuild
from feedback_app.readings.services.retractions import retract
from feedback_app.runs import services as runs
from feedback_app.runs.models import State
from feedback_app.studies.models import Slot, Study
from tests.exports.offline import run_offline
from tests.finetuning.read_studies import Read, base, make_batch, make_study, read

__all__ = ["base", "make_batch", "make_study", "read"]


@pytest.fixture
def snapshot(make_study: Callable[..., Study], read: Read, rosa: User) -> Snapshot:
    """Six pairs of one case of four."""
    study = make_study(rosa)
    read(Slot.objects.filter(study=study, reader=rosa).order_by("case__position")[0], [5, 4, 2, 0])
    return take_snapshot(name="Monday", simulated=False)


def finish(export: Export) -> Export:
    runs.execute(export.run_id)
    return Export.objects.get(pk=export.pk)


def files_of(export: Export) -> dict[str, bytes]:
    assert export.blob is not None
    with zipfile.ZipFile(io.BytesIO(export.blob.read())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_datasets_loads_pairs_as_trainers_read_them(snapshot: Snapshot, tmp_path: Path) -> None:
    """By the library itself; the images are opened as Diffusion-DPO's own training code does."""
    export = finish(start_preferences(snapshot))
    assert export.blob_id == finish(start_preferences(snapshot)).blob_id
    for name, content in files_of(export).items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(content)
    program = (
        "import datasets, hashlib, io, json, sys\n"
        "from PIL import Image\n"
        "found = []\n"
        "for row in datasets.load_dataset(sys.argv[1])['train']:\n"
        "    sides = [row['jpg_0'], row['jpg_1']]\n"
        "    assert {Image.open(io.BytesIO(one)).size for one in sides} == {(32, 32)}\n"
        "    if row['label_0'] == 0:\n"
        "        sides = sides[::-1]\n"
        "    assert row['label_0'] + row['label_1'] == 1 and row['has_label']\n"
        "    found.append([hashlib.sha256(one).hexdigest() for one in sides] + [row['caption']])\n"
        "print(json.dumps(found))\n"
    )
    rows = run_offline(program, tmp_path / "folder", home=tmp_path)
    found = {tuple(row) for row in rows}
    expected = {(p.winner.blob_id, p.loser.blob_id, "edema") for p in snapshot.pairs.all()}
    assert len(found) == 6
    assert found == expected


def test_real_images_stay_out_and_the_card_counts_them(snapshot: Snapshot) -> None:
    best = Image.objects.filter(won_pairs__isnull=False, lost_pairs__isnull=True).distinct().get()
    cohort = Cohort.objects.create(name="real", source="folder")
    patient = Patient.objects.create(cohort=cohort, source_id="p", split="train")
    real = Image.objects.create(
        blob=best.blob, pixels_sha256=best.pixels_sha256, width=best.width, height=best.height
    )
    CohortImage.objects.create(image=real, cohort=cohort, patient=patient, source_id="x.png")
    files = files_of(finish(start_preferences(snapshot)))
    assert b"- Pairs: 3\n- Left out: 3 with a real image" in files["README.md"]
    assert len(files["pairs.csv"].splitlines()) == 1 + 3
    assert best.blob_id.encode() not in files["pairs.csv"]


def test_page_command_and_api_ask_for_the_same(
    snapshot: Snapshot, ada_client: Client, tmp_path: Path
) -> None:
    page = ada_client.get(reverse("finetuning:snapshot", args=[snapshot.pk])).content.decode()
    assert "Export the preferences" in page
    asked = {"snapshot": str(snapshot.pk)}
    answer = ada_client.post(reverse("exports:create_preferences"), asked)
    export = finish(Export.objects.get())
    shown = ada_client.get(answer.headers["Location"]).content.decode()
    assert "6 of two synthetic images" in shown
    assert "Monday" in ada_client.get(reverse("exports:list")).content.decode()
    api = ada_client.post("/api/exports/preferences/", asked, content_type="application/json")
    assert api.status_code == 201, api.content
    assert (api.json()["snapshot"], api.json()["curated_set"]) == (str(snapshot.pk), None)
    assert finish(Export.objects.get(pk=api.json()["id"])).blob_id == export.blob_id
    out = tmp_path / "out"
    out.mkdir()
    call_command("export_preferences", str(snapshot.pk), out=out, stdout=io.StringIO())
    (written,) = out.iterdir()
    assert written.name == f"reading-room-monday-{snapshot.sha256[:8]}-preferences.zip"
    nothing = {"snapshot": "00000000-0000-4000-8000-000000000000"}
    assert ada_client.post(reverse("exports:create_preferences"), nothing).status_code == 404
    refused = ada_client.post("/api/exports/preferences/", nothing, content_type="application/json")
    assert (refused.status_code, "There is no snapshot" in refused.content.decode()) == (400, True)


def test_a_snapshot_without_pairs_says_so(snapshot: Snapshot) -> None:
    """As one of scores of single images is."""
    export = start_preferences(snapshot)
    Image.objects.update(pixels_sha256="0" * 64)
    cohort = Cohort.objects.create(name="real", source="folder")
    patient = Patient.objects.create(cohort=cohort, source_id="p", split="train")
    CohortImage.objects.create(
        image=Image.objects.all()[0], cohort=cohort, patient=patient, source_id="x.png"
    )
    run = runs.execute(export.run_id)
    assert run is not None
    assert (run.state, "no pair of synthetic images" in run.error) == (State.FAILED, True)


def test_one_on_retracted_readings_is_marked_and_rebuilt(
    snapshot: Snapshot, make_study: Callable[..., Study], read: Read, ravi: User, ada: User
) -> None:
    study = make_study(ravi, name="Second")
    read(Slot.objects.filter(study=study, reader=ravi)[0], [5, 4, 2, 0])
    both = take_snapshot(name="Tuesday", simulated=False)
    export = finish(start_preferences(both))
    assert not rests_on_retracted(export)
    retract(study=study, reason="a test", made_by=ada)
    assert rests_on_retracted(export)
    assert export in impact_of_all()
    newer = rebuild(both, asked_by=ada)
    again = rebuild(export, asked_by=ada)
    assert isinstance(again, Export)
    assert (again.snapshot, again.replaces) == (newer, export)
    manifest = json.loads(files_of(finish(again))["manifest.json"])
    assert manifest["replaces"]["snapshot_sha256"] == both.sha256


def test_an_export_is_of_one_thing(snapshot: Snapshot) -> None:
    export = start_preferences(snapshot)
    for changed in ({"snapshot": None}, {"format": "imagefolder"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Export.objects.filter(pk=export.pk).update(**changed)
