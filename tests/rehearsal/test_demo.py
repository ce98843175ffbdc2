"""The demo's data: all that a newcomer needs, and nothing twice."""

from pathlib import Path

import pytest
from django.contrib.auth.password_validation import validate_password

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch, Candidate, ModelVersion
from feedback_app.images.scorers.judges import register_bundled_judge
from feedback_app.images.scorers.models import Scorer
from feedback_app.images.versions.services import register
from feedback_app.rehearsal.demo import PASSWORD, make_demo_data
from feedback_app.runs.models import Run
from feedback_app.studies.models import Slot, Study
from feedback_app.vlms.models import VlmVersion
from feedback_app.vlms.services import register_bundled_vlm
from tests.studies.making import make_cohort
from tests.tiny_model import save_tiny_model


@pytest.fixture
def version(db: None, tmp_path: Path) -> ModelVersion:
    return register("tiny", str(save_tiny_model(tmp_path / "tiny")))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data sets."""
    for name in ("nih", "rsna", "covid_lungs"):
        (tmp_path / "data" / name).mkdir(parents=True)
    monkeypatch.setenv("READING_ROOM_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.mark.slow
def test_made_twice_it_is_there_once(version: ModelVersion, data: Path) -> None:
    lines: list[str] = []
    for _ in range(2):
        make_demo_data(version, say=lines.append)
    assert User.objects.count() == 4
    assert Batch.objects.count() == 1
    assert Candidate.objects.count() == 24
    names = set(Study.objects.values_list("name", flat=True))
    assert names == {"First reading", "First comparison"}
    waits = "The study “Real or synthetic” comes with the next start"
    assert sum(line.startswith(waits) for line in lines) == 2
    imports = Run.objects.filter(kind="import_cohort").order_by("spec__name")
    assert [(run.spec["name"], run.spec["options"]["rsna"]) for run in imports] == [
        ("covid-lungs", None),
        ("nih", str(data / "rsna")),
    ]
    assert [line for line in lines if line.startswith("login: ")] == [
        f"login: {name} / {PASSWORD}  ({role})"
        for name, role in (
            ("rosa", "reader"), ("ravi", "reader"), ("cora", "coordinator"), ("ada", "admin"),
        )
    ] * 2  # fmt: skip
    for reader in ("rosa", "ravi"):
        own = Slot.objects.filter(reader__username=reader)
        assert own.filter(study__name="First reading").count() == 6
        assert own.filter(study__name="First comparison").count() == 12
        assert User.objects.get(username=reader).check_password(PASSWORD)


@pytest.mark.slow
def test_with_real_images_they_are_mixed_with_candidates(version: ModelVersion, data: Path) -> None:
    make_cohort(name="nih", side=version.resolution, test=30)
    lines: list[str] = []
    for _ in range(2):
        make_demo_data(version, say=lines.append)
    study = Study.objects.get(name="Real or synthetic")
    assert study.cases.count() == 48
    assert study.cases.filter(images__cohort_image__isnull=False).count() == 24
    assert not [line for line in lines if "next start" in line]


def test_without_real_images_it_says_so(
    version: ModelVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING_ROOM_DATA", str(tmp_path / "nowhere"))
    lines: list[str] = []
    make_demo_data(version, say=lines.append)
    assert f"No real images: {tmp_path / 'nowhere' / 'nih'} is not there" in lines[0]
    assert not Run.objects.filter(kind="import_cohort").exists()


def test_the_demos_password_is_one_that_people_may_have() -> None:
    for name in ("rosa", "ravi", "cora", "ada"):
        validate_password(PASSWORD, User(username=name))


def test_the_judge_and_the_vlm_of_the_project_are_registered_once(db: None) -> None:
    for _ in range(2):
        register_bundled_judge()
        register_bundled_vlm()
    kinds = list(Scorer.objects.active().order_by("kind").values_list("kind", flat=True))
    assert kinds == ["visible-age", "visible-finding", "visible-sex", "visible-view"]
    assert [version.name for version in VlmVersion.objects.all()] == ["bundled-vlm"]
