"""Prompt sets: versions that stay, pages for all roles, and batches that say their set."""

import io
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.candidates.batches import create_batch
from feedback_app.images.models import Batch, Cohort, ModelVersion, PromptSet, SetPrompt
from feedback_app.images.prompts.services import (
    add_version,
    create_set,
    find_version,
    prompts_of_cohort,
    save_prompts,
    tallies_of,
)
from generation.conditioning.balance import Wish
from generation.errors import RemediableError
from tests.images.cohort_folders import grey, import_folder, lay_out

pytestmark = pytest.mark.django_db

PROMPTS = ["chest x-ray, edema, AP view, male, 41 years", "small left pleural effusion"]


@pytest.fixture
def base() -> ModelVersion:
    return ModelVersion.objects.create(
        name="base", location="bundled", sha256="0" * 64, is_promoted=True
    )


@pytest.fixture
def labelled(tmp_path: Path) -> Cohort:
    """A cohort of six images of known patients."""
    lay_out(tmp_path / "ward", {f"{n}.png": grey(n) for n in range(1, 7)})
    import_folder(tmp_path / "ward", name="ward")
    cohort = Cohort.objects.get(name="ward")
    for number, row in enumerate(cohort.images.select_related("patient").order_by("source_id")):
        row.findings = ["edema"] if number % 2 else ["edema", "effusion"]
        row.view, row.age_years = ("PA", "AP")[number % 2], 30 + 10 * number
        row.source_labels = {"Finding Labels": "x"}
        row.save()
        row.patient.sex, row.patient.split = "FM"[number % 2], "train"
        row.patient.save()
    return cohort


def test_a_change_makes_a_new_version_and_the_old_one_stays(cora: User) -> None:
    first = create_set("Night", PROMPTS, origin="written", created_by=cora)
    second = add_version(first.prompt_set, PROMPTS[:1], origin="written", created_by=cora)
    assert (first.number, second.number) == (1, 2)
    assert first.texts() == PROMPTS
    assert find_version("Night") == second
    assert find_version("Night@1") == first


def test_the_same_prompts_again_make_no_new_version() -> None:
    first = create_set("Night", PROMPTS, origin="written")
    assert save_prompts("Night", PROMPTS, origin="brought") == first


def test_versions_and_their_prompts_cannot_be_changed_or_removed() -> None:
    version = create_set("Night", PROMPTS, origin="written")
    for change in (
        lambda: SetPrompt.objects.update(text="other"),
        lambda: version.prompts.all().delete(),
        lambda: version.prompt_set.versions.update(number=9),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


@pytest.mark.parametrize("name", ["Day", "Night@2", "Night@one"])
def test_a_version_that_is_not_there_is_named(name: str) -> None:
    create_set("Night", PROMPTS, origin="written")
    with pytest.raises(RemediableError, match=name):
        find_version(name)


def test_a_name_that_is_taken_or_has_an_at_sign_is_refused() -> None:
    create_set("Night", PROMPTS, origin="written")
    for name in ("Night", "Night@2", "@"):
        with pytest.raises(RemediableError):
            create_set(name, PROMPTS, origin="written")


def test_counts_follow_from_what_prompts_name() -> None:
    version = create_set("Night", [*PROMPTS, "no finding", "a hand"], origin="written")
    counts = {tally.name: {value: n for value, n, _ in tally.rows} for tally in tallies_of(version)}
    assert counts["Finding"] == {
        "edema": 1,
        "effusion": 1,
        "no finding": 1,
        "none that is known": 1,
    }
    assert counts["Sex"] == {"not said": 3, "male": 1}
    assert counts["Age"] == {"40 to 64": 1, "not said": 3}
    assert counts["View"] == {"not said": 3, "AP": 1}


def test_prompts_of_a_cohort_describe_its_images(labelled: Cohort) -> None:
    wish = Wish(findings=("edema", "effusion"), count=6)
    found = prompts_of_cohort(labelled, wish)
    assert "chest x-ray, effusion, PA view, female, 30 years" in found.prompts
    assert len(found.prompts) == 6


# Pages


def test_a_coordinator_writes_a_set_and_sees_its_counts(cora_client: Client, cora: User) -> None:
    posted = {"source": "written", "name": "Night", "prompts": "\n".join(PROMPTS)}
    answer = cora_client.post(reverse("images:prompt-set-new"), posted, follow=True)
    assert b"small left pleural effusion" in answer.content
    assert b"effusion" in answer.content
    assert find_version("Night").created_by == cora


def test_bad_rows_are_shown_and_saved_only_without_them(cora_client: Client) -> None:
    text = "findings,sex\nflu,F\nedema,M\n"
    file = SimpleUploadedFile("set.csv", text.encode(), content_type="text/csv")
    posted = {"source": "written", "name": "Night", "prompts": "", "file": file}
    answer = cora_client.post(reverse("images:prompt-set-new"), posted)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "“flu” is no finding that is known" in page
    assert "edema,M" in page  # what was brought stands in the field
    assert not PromptSet.objects.exists()
    again = {"source": "written", "name": "Night", "prompts": text, "leaves_out_bad_rows": "on"}
    assert cora_client.post(reverse("images:prompt-set-new"), again).status_code == 302
    assert find_version("Night").origin == "written or brought, 1 bad rows left out"


def test_a_file_that_is_no_text_is_refused(cora_client: Client) -> None:
    file = SimpleUploadedFile("set.csv", b"\xff\xfe\x00x")
    posted = {"source": "written", "name": "Night", "prompts": "", "file": file}
    answer = cora_client.post(reverse("images:prompt-set-new"), posted)
    assert answer.status_code == 400
    assert b"no text in UTF-8" in answer.content


def test_a_set_is_drawn_from_labels_and_says_what_it_lacks(
    cora_client: Client, labelled: Cohort
) -> None:
    posted = {
        "source": "labels", "name": "Ward", "cohort": labelled.pk, "count": 12,
        "several_percent": 25, "seed": 0, "findings": ["edema", "effusion"],
    }  # fmt: skip
    answer = cora_client.post(reverse("images:prompt-set-new"), posted, follow=True)
    assert answer.status_code == 200
    assert "What could not be filled" in answer.content.decode()
    assert find_version("Ward").prompts.count() > 6


def test_a_version_is_revised_from_its_page(cora_client: Client) -> None:
    version = create_set("Night", PROMPTS, origin="written")
    address = reverse("images:prompt-set-revise", args=[version.pk])
    assert PROMPTS[1] in cora_client.get(address).content.decode()
    posted = {"source": "written", "prompts": "edema"}
    assert cora_client.post(address, posted).status_code == 302
    assert find_version("Night@2").texts() == ["edema"]


# Batches


def test_a_batch_says_which_version_it_is_from(base: ModelVersion, cora_client: Client) -> None:
    version = create_set("Night", PROMPTS, origin="written")
    console = reverse("images:console")
    assert PROMPTS[0] in cora_client.get(f"{console}?prompt_set={version.pk}").content.decode()
    posted = {
        "model_version": base.pk, "prompt_set": version.pk, "prompts": "",
        "images_per_prompt": 1, "steps": 2, "guidance_scale": 1.5, "seed": 0,
    }  # fmt: skip
    answer = cora_client.post(console, posted, follow=True)
    batch = Batch.objects.get()
    assert batch.prompt_set_version == version
    assert batch.recipes.count() == 2
    assert b"Night@1" in answer.content


def test_a_prompt_that_is_not_of_the_set_is_refused(base: ModelVersion) -> None:
    version = create_set("Night", PROMPTS, origin="written")
    with pytest.raises(RemediableError, match="not in the prompt set Night@1"):
        create_batch(
            "Batch", model_version=base, prompts=["edema"], images_per_prompt=1,
            prompt_set_version=version,
        )  # fmt: skip
    assert not Batch.objects.exists()


def test_commands_make_sets_and_generate_from_them(
    base: ModelVersion, labelled: Cohort, tmp_path: Path
) -> None:
    out = io.StringIO()
    call_command("prompt_set", "Ward", cohort="ward", count=4, stdout=out)
    assert "prompt set Ward@1: 4 prompts" in out.getvalue()
    brought = tmp_path / "prompts.txt"
    brought.write_text("edema\nedema\n")
    with pytest.raises(CommandError, match="1 rows"):
        call_command("prompt_set", "Night", file=brought, stderr=io.StringIO())
    call_command("prompt_set", "Night", file=brought, skip_bad_rows=True, stdout=out,
                 stderr=io.StringIO())  # fmt: skip
    call_command("generate", prompt_set="Ward@1", images_per_prompt=1, queue=True, stdout=out)
    assert Batch.objects.get().prompt_set_version == find_version("Ward")


def test_reports_are_captioned_and_nothing_else_of_them_is_kept(tmp_path: Path) -> None:
    archive = make_reports(
        tmp_path, "Small left effusion.", "Stable small left effusion.", "No acute disease.", ""
    )
    out = io.StringIO()
    call_command("caption_reports", archive, prompt_set="Open-I", stdout=out)
    assert find_version("Open-I").texts() == ["small left pleural effusion", "no finding"]
    assert "captioned: 2 (50.0 %)" in out.getvalue()
    assert "Stable" not in out.getvalue()


def make_reports(folder: Path, *impressions: str) -> Path:
    import tarfile

    archive = folder / "reports.tgz"
    with tarfile.open(archive, "w:gz") as reports:
        for number, impression in enumerate(impressions):
            text = f'<a><AbstractText Label="IMPRESSION">{impression}</AbstractText></a>'.encode()
            entry = tarfile.TarInfo(f"{number}.xml")
            entry.size = len(text)
            reports.addfile(entry, io.BytesIO(text))
    return archive


# REST


def test_programs_make_and_read_sets(cora_client: Client, rosa_client: Client) -> None:
    address = reverse("api:prompt-sets")
    body = {"name": "Night", "text": "edema\neffusion"}
    answer = cora_client.post(address, body, content_type="application/json")
    assert answer.status_code == 201
    assert answer.json()["prompts"] == ["edema", "effusion"]
    assert cora_client.get(address).json()["results"][0]["name"] == "Night"
    assert cora_client.get(reverse("api:prompt-set", args=["Night@1"])).json()["version"] == 1
    assert cora_client.get(reverse("api:prompt-set", args=["Day"])).status_code == 400
    bad = {"name": "Night", "text": "edema\nedema"}
    refused = cora_client.post(address, bad, content_type="application/json")
    assert refused.status_code == 400
    assert "line 2" in str(refused.json()["error"]["fields"])
    assert rosa_client.post(address, body, content_type="application/json").status_code == 403
