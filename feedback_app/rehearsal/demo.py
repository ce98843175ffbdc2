"""What a newcomer finds: people, a model, real images, and studies that are open to read.

Everything here may be done again and changes nothing the second time.
"""

import os
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from feedback_app.accounts.models import Role, User
from feedback_app.images.candidates.batches import create_batch, make_missing
from feedback_app.images.cohorts.services import start_import
from feedback_app.images.models import Batch, Cohort, ModelVersion
from feedback_app.runs.console import execute_here
from feedback_app.runs.models import Run, State
from feedback_app.studies.models import Study
from feedback_app.studies.modes import Compare, RealOrSynthetic
from feedback_app.studies.services import (
    Design,
    add_cases,
    add_cases_from_batch,
    create_study,
    design_study,
    open_study,
    preview_design,
)
from generation.conditioning.prompts import default_prompts
from generation.datasets.sources import ImportOptions
from generation.errors import RemediableError

PASSWORD = "reading-room-demo"  # noqa: S105  printed and documented: for a demo on one's own machine
CAST = (
    ("rosa", "Rosa", "Reader", Role.READER),
    ("ravi", "Ravi", "Reader", Role.READER),
    ("cora", "Cora", "Coordinator", Role.COORDINATOR),
    ("ada", "Ada", "Admin", Role.ADMIN),
)
BATCH = "First candidates"
STUDY = "First reading"
COMPARISON = "First comparison"
MIXED = "Real or synthetic"
PROMPTS = 6
IMAGES_PER_PROMPT = 4
COHORT = "nih"
MASKED_COHORT = "covid-lungs"

Say = Callable[[str], object]


def make_demo_data(version: ModelVersion, *, say: Say) -> None:
    """Make whatever of it is missing, with candidates by this model version."""
    people = {user.username: user for user in map(make_person, CAST)}
    import_real_images(say=say)
    batch = make_candidates(version, owner=people["cora"], say=say)
    readers = (people["rosa"], people["ravi"])
    open_first_study(batch, readers=list(readers), owner=people["cora"])
    open_comparison(batch, readers=readers, owner=people["cora"])
    open_mixed_study(batch, readers=readers, owner=people["cora"], say=say)
    for username, _, _, role in CAST:
        say(f"login: {username} / {PASSWORD}  ({role.label.lower()})")


def make_person(entry: tuple[str, str, str, Role]) -> User:
    username, first_name, last_name, role = entry
    known = User.objects.filter(username=username).first()
    if known is not None:
        return known
    return User.objects.create_user(
        username,
        password=PASSWORD,
        first_name=first_name,
        last_name=last_name,
        role=role,
        is_staff=role == Role.ADMIN,
        is_superuser=role == Role.ADMIN,
    )


def real_data() -> Path:
    """Returns the folder of real data sets: READING_ROOM_DATA, or shared/data beside the
    checkout.
    """
    beside: Path = settings.ROOT.parent / "shared" / "data"
    return Path(os.environ.get("READING_ROOM_DATA", beside))


def import_real_images(*, say: Say) -> None:
    """Leave the NIH images, and others that have lung masks, to a worker where they are at hand."""
    data = real_data()
    folder, opacities, lungs = data / "nih", data / "rsna", data / "covid_lungs"
    if lungs.is_dir():
        import_in_background("folder", lungs, name=MASKED_COHORT, say=say)
    if folder.is_dir():
        rsna = opacities if opacities.is_dir() else None
        import_in_background("nih", folder, name=COHORT, rsna=rsna, say=say)
    elif not Cohort.objects.filter(name=COHORT).exists():
        say(f"No real images: {folder} is not there (set READING_ROOM_DATA to have some).")


def import_in_background(
    source: str, folder: Path, *, name: str, rsna: Path | None = None, say: Say
) -> None:
    if Cohort.objects.filter(name=name).exists() or is_importing(name):
        return
    start_import(source, folder, name=name, options=ImportOptions(rsna=rsna))
    say(f"The images in {folder} are imported in the background.")


def is_importing(cohort: str) -> bool:
    imports = Run.objects.unfinished().filter(kind="import_cohort", spec__name=cohort)
    return imports.exists()


def make_candidates(version: ModelVersion, *, owner: User, say: Say) -> Batch:
    """Returns a first batch, made in this process: the study that follows needs its images."""
    batch = Batch.objects.filter(name=BATCH, created_by=owner).first()
    if batch is None:
        batch = create_batch(
            BATCH,
            model_version=version,
            prompts=default_prompts()[:PROMPTS],
            images_per_prompt=IMAGES_PER_PROMPT,
            created_by=owner,
        )
    if not batch.recipes.filter(candidate=None).exists():
        return batch
    say(f"Making the first {batch.recipes.count()} candidates ...")
    make_missing(batch, created_by=owner)
    for run in batch.runs.unfinished():
        finished = execute_here(run, write=lambda line: None)
        if finished.state != State.SUCCEEDED:
            raise RemediableError(finished.error or "A run did not finish.", remedy=finished.remedy)
    return batch


def open_first_study(batch: Batch, *, readers: list[User], owner: User) -> None:
    if Study.objects.filter(name=STUDY).exists():
        return
    study = create_study(
        name=STUDY,
        readers=readers,
        readers_per_case=len(readers),
        instructions="Judge each image as you would a chest X-ray from the ward.",
        created_by=owner,
    )
    add_cases_from_batch(study, batch)
    open_study(study)


def open_comparison(batch: Batch, *, readers: tuple[User, ...], owner: User) -> None:
    """Opens a study of pairs of the same candidates, side by side."""
    design = Design(
        name=COMPARISON,
        mode=Compare.slug,
        readers=readers,
        readers_per_case=len(readers),
        instructions="Say which of the two you would rather have in a teaching file.",
    )
    open_designed(design, batch, owner=owner)


def open_mixed_study(batch: Batch, *, readers: tuple[User, ...], owner: User, say: Say) -> None:
    """The candidates among as many real images, once those are imported."""
    cohort = Cohort.objects.filter(name=COHORT).first()
    design = Design(
        name=MIXED,
        mode=RealOrSynthetic.slug,
        readers=readers,
        readers_per_case=len(readers),
        real_cohort=cohort,
        block_size=8,
        repeat_percent=10,
        instructions="About half of the images are real. Trust your first impression.",
    )
    real = (
        0 if cohort is None or is_importing(COHORT) else preview_design(design, [batch]).added.real
    )
    if not real:
        say(f"The study “{MIXED}” comes with the next start, once real images are imported.")
        return
    open_designed(design, batch, owner=owner)


def open_designed(design: Design, batch: Batch, *, owner: User) -> None:
    if Study.objects.filter(name=design.name).exists():
        return
    study = design_study(design, created_by=owner)
    add_cases(study, [batch])
    open_study(study, actor=owner)
