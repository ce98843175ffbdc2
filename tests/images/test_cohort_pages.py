"""Cohort pages: for coordinators and admins only."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.images.models import CohortImage, Mask
from tests.images.test_cohorts import HEADER, grey, import_folder, lay_out, mask_png

Everyone = dict[str, Client]
COORDINATORS = {"cora", "ada"}


@pytest.fixture
def folder(tmp_path: Path, db: None) -> Path:
    files = {f"{index}.png": grey(index) for index in range(50)} | {"bad.png": b"="}
    return lay_out(tmp_path, files, masks={"0.png": mask_png()})


def statuses(everyone: Everyone, address: str) -> dict[str, int]:
    return {name: client.get(address).status_code for name, client in everyone.items()}


def expected(allowed: int = 200) -> dict[str, int]:
    denied = {"nobody": 302, "rosa": 403, "ravi": 403, "otto": 403}
    return denied | dict.fromkeys(COORDINATORS, allowed)


def test_only_coordinators_open_cohort_pages(everyone: Everyone, folder: Path) -> None:
    import_folder(folder)
    for address in (
        reverse("images:cohorts"),
        reverse("images:cohort", args=["x"]),
        reverse("images:cohort-skipped", args=["x"]),
        reverse("images:cohort-mask", args=[Mask.objects.get().pk]),
    ):
        assert statuses(everyone, address) == expected(), address


def test_an_unknown_cohort_is_not_there(everyone: Everyone) -> None:
    assert statuses(everyone, reverse("images:cohort", args=["none"])) == expected(404)


def test_the_empty_list_names_the_command(cora_client: Client) -> None:
    page = cora_client.get(reverse("images:cohorts")).content.decode()
    assert "No real data yet" in page
    assert "manage.py import_cohort nih PATH" in page


def test_the_list_counts_what_there_is(cora_client: Client, folder: Path) -> None:
    import_folder(folder)
    (cohort,) = cora_client.get(reverse("images:cohorts")).context["cohorts"]
    assert (cohort.image_count, cohort.patient_count) == (50, 50)
    assert (cohort.mask_count, cohort.box_count) == (1, 0)


def test_the_page_counts_by_finding_sex_view_age_and_split(
    cora_client: Client, tmp_path: Path
) -> None:
    nih = lay_out(tmp_path / "nih", {"a.png": grey(1), "b.png": grey(2), "c.png": grey(3)})
    rows = "a.png,Edema|Mass,1,17,F,PA\nb.png,No Finding,2,65,M,AP\nc.png,Edema,2,66,M,AP\n"
    (nih / "Data_Entry_2017.csv").write_text(f"{HEADER}\n{rows}")
    import_folder(nih, source="nih")
    tables = cora_client.get(reverse("images:cohort", args=["x"])).context["tables"]
    counts = {title: {bar.name: bar.count for bar in bars} for title, bars in tables}
    assert counts["Finding"] == {"edema": 2, "mass": 1, "no finding": 1}
    assert counts["Sex"] == {"Female": 1, "Male": 2}
    assert counts["View"] == {"PA": 1, "AP": 2}
    assert counts["Age"] == {"under 18": 1, "65 and over": 2}
    assert sum(counts["Split"].values()) == 3


def test_images_come_in_pages_and_by_finding(cora_client: Client, folder: Path) -> None:
    import_folder(folder)
    address = reverse("images:cohort", args=["x"])
    assert len(cora_client.get(address).context["page"].object_list) == 48
    assert len(cora_client.get(address, {"page": 2}).context["page"].object_list) == 2
    assert len(cora_client.get(address, {"finding": "edema"}).context["page"].object_list) == 0


def test_htmx_gets_the_grid_alone(cora_client: Client, folder: Path) -> None:
    import_folder(folder)
    address = reverse("images:cohort", args=["x"])
    part = cora_client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert part.lstrip().startswith('<section id="images"')


def test_what_was_skipped_is_shown_and_can_be_fetched(cora_client: Client, folder: Path) -> None:
    import_folder(folder)
    page = cora_client.get(reverse("images:cohort", args=["x"])).content.decode()
    assert "bad.png" in page
    response = cora_client.get(reverse("images:cohort-skipped", args=["x"]))
    assert 'filename="x-skipped.csv"' in response["Content-Disposition"]
    header, row = response.content.decode().splitlines()
    assert header == "file,what,reason"
    assert row.startswith("bad.png,image,is not a readable PNG or JPEG")


def test_the_mask_lies_over_its_image(cora_client: Client, folder: Path) -> None:
    import_folder(folder)
    page = cora_client.get(reverse("images:cohort", args=["x"])).content.decode()
    mask = Mask.objects.get()
    address = reverse("images:cohort-mask", args=[mask.pk])
    assert f'<image href="{address}"' in page
    response = cora_client.get(address)
    assert response["Content-Type"] == "image/png"
    assert response.content == mask.blob.read()


def test_names_of_files_are_escaped(cora_client: Client, tmp_path: Path) -> None:
    name = "<b>.png"
    import_folder(lay_out(tmp_path, {name: grey(), "<i>.png": b""}))
    assert CohortImage.objects.get().source_id == name
    page = cora_client.get(reverse("images:cohort", args=["x"])).content.decode()
    assert "<b>.png" not in page
    assert "<i>.png" not in page
