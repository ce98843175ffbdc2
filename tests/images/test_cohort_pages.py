"""Cohort pages: for coordinators and admins only."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.images.models import CohortImage, Mask
from tests.generation.dicoms import texture
from tests.images.cohort_folders import HEADER, grey, import_folder, lay_out, mask_png, png

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
    page = cora_client.get(reverse("images:cohort", args=["x"]))
    counts = {
        plot.title: {bar.name: bar.count for bar in plot.bars} for plot in page.context["plots"]
    }
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
    header, row = response.getvalue().decode().splitlines()
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


@pytest.fixture
def ward(tmp_path: Path, db: None) -> None:
    """Three patients of NIH: an old woman, a boy, a man of unknown age."""
    files = {name: png(texture(seed=seed)) for seed, name in enumerate(("a.png", "b.png", "c.png"))}
    nih = lay_out(tmp_path / "nih", files)
    rows = "a.png,Edema,1,70,F,PA\nb.png,No Finding,2,17,M,AP\nc.png,Mass|Edema,3,414,M,PA\n"
    (nih / "Data_Entry_2017.csv").write_text(f"{HEADER}\n{rows}")
    import_folder(nih, source="nih")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"finding": "edema"}, ["a.png", "c.png"]),
        ({"finding": "no finding"}, ["b.png"]),
        ({"finding": "edema", "sex": "Male"}, ["c.png"]),
        ({"age": "65 and over"}, ["a.png"]),
        ({"age": "under 18"}, ["b.png"]),
        ({"age": "unknown"}, ["c.png"]),
        ({"view": "AP"}, ["b.png"]),
        ({"view": "lateral"}, []),
        ({"race": "unknown"}, ["a.png", "b.png", "c.png"]),
        ({"mask": "lungs"}, []),
        ({"shared": "in another cohort"}, []),
        ({"finding": "sneezing"}, ["a.png", "b.png", "c.png"]),
    ],
)
def test_the_grid_shows_what_is_asked_for(
    cora_client: Client, ward: None, query: dict[str, str], names: list[str]
) -> None:
    page = cora_client.get(reverse("images:cohort", args=["x"]), query).context["page"]
    assert [image.source_id for image in page] == names


def test_ages_are_drawn_by_decade_and_sex_and_told_in_numbers(
    cora_client: Client, ward: None
) -> None:
    page = cora_client.get(reverse("images:cohort", args=["x"]))
    counts = {column.decade: dict(column.counts) for column in page.context["ages"]}
    assert counts["70 to 79"] == {"Female": 1, "Male": 0, "unknown": 0}
    assert counts["10 to 19"]["Male"] == 1
    assert sum(sum(decade.values()) for decade in counts.values()) == 2
    assert '<svg class="ages"' in page.content.decode()


def test_bars_are_cut_by_split_and_say_so(cora_client: Client, ward: None) -> None:
    page = cora_client.get(reverse("images:cohort", args=["x"]))
    bars = next(plot.bars for plot in page.context["plots"] if plot.title == "Finding")
    edema = next(bar for bar in bars if bar.name == "edema")
    assert sum(part.count for part in edema.parts) == edema.count == 2
    assert sum(part.width for part in edema.parts) == pytest.approx(100)
    assert f'aria-label="{edema.told}"' in page.content.decode()


def test_both_cohorts_say_that_they_share_a_picture(
    cora_client: Client, ward: None, tmp_path: Path
) -> None:
    lay_out(tmp_path / "copy", {"z.png": png(texture(seed=0))})
    import_folder(tmp_path / "copy", name="copy")
    for name, other in (("x", "copy"), ("copy", "x")):
        page = cora_client.get(reverse("images:cohort", args=[name]))
        (shared,) = page.context["shared"]
        assert (shared.cohort, shared.images, shared.named, shared.alike) == (other, 1, 0, 1)
    query = {"shared": "in another cohort"}
    grid = cora_client.get(reverse("images:cohort", args=["x"]), query).context["page"]
    assert [image.source_id for image in grid] == ["a.png"]


def test_the_report_of_an_import_that_failed_is_there_too(
    cora_client: Client, tmp_path: Path
) -> None:
    import_folder(lay_out(tmp_path, {"a.png": b"", "b.png": b""}))
    page = cora_client.get(reverse("images:cohort", args=["x"]))
    assert page.context["skip_count"] == 2
    assert sum(reason["count"] for reason in page.context["reasons"]) == 2
    lines = cora_client.get(reverse("images:cohort-skipped", args=["x"])).getvalue().decode()
    assert [line.split(",")[0] for line in lines.splitlines()] == ["file", "a.png", "b.png"]
