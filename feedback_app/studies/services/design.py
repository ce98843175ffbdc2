"""Writing down what a study asks, and of whom."""

import secrets
from collections.abc import Collection, Sequence

from django.db import transaction
from django.utils.text import slugify

from feedback_app.accounts.models import User
from feedback_app.studies.models import Criterion, FlagKind, Study, StudyMode, StudyState
from feedback_app.studies.scales import DEFAULT_FLAGS, DEFAULT_SCALES, SLUG_LENGTH, Scale
from generation.errors import RemediableError

SEED_LIMIT = 2**31


@transaction.atomic
def create_study(
    *,
    name: str,
    mode: StudyMode | str = StudyMode.RATE_K,
    readers: Collection[User] = (),
    readers_per_case: int = 1,
    instructions: str = "",
    scales: Sequence[Scale] = DEFAULT_SCALES,
    flags: Sequence[str] = DEFAULT_FLAGS,
    shuffle_seed: int | None = None,
    created_by: User | None = None,
) -> Study:
    """A draft without cases yet; ``flags`` are the names of artefacts."""
    study = Study.objects.create(
        name=name,
        mode=StudyMode(mode),
        instructions=instructions,
        readers_per_case=readers_per_case,
        shuffle_seed=secrets.randbelow(SEED_LIMIT) if shuffle_seed is None else shuffle_seed,
        created_by=created_by,
    )
    _write_questions(study, scales=scales, flags=flags)
    study.readers.set(readers)
    return study


@transaction.atomic
def redesign_study(
    study: Study,
    *,
    name: str,
    mode: StudyMode | str,
    readers: Collection[User],
    readers_per_case: int,
    instructions: str,
    scales: Sequence[Scale],
    flags: Sequence[str],
) -> Study:
    """Rewrite a draft; its cases go, since they follow from the mode."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    require_draft(study)
    study.name = name
    study.mode = StudyMode(mode)
    study.readers_per_case = readers_per_case
    study.instructions = instructions
    study.save()
    study.cases.all().delete()
    study.criteria.all().delete()
    study.flag_kinds.all().delete()
    _write_questions(study, scales=scales, flags=flags)
    study.readers.set(readers)
    return study


def require_draft(study: Study) -> None:
    if study.state != StudyState.DRAFT:
        raise RemediableError(
            f"The study “{study.name}” is {study.state}, so its design is fixed.",
            remedy="Design a new study.",
        )


def _write_questions(study: Study, *, scales: Sequence[Scale], flags: Sequence[str]) -> None:
    _refuse_twins([scale.slug for scale in scales], what="criteria")
    Criterion.objects.bulk_create(
        Criterion(
            study=study,
            position=position,
            slug=scale.slug,
            name=scale.name,
            question=scale.question,
            anchors=list(scale.anchors),
        )
        for position, scale in enumerate(scales)
    )
    slugs = [slugify(name)[:SLUG_LENGTH] for name in flags]
    _refuse_twins(slugs, what="flags")
    FlagKind.objects.bulk_create(
        FlagKind(study=study, position=position, slug=slug, name=name)
        for position, (slug, name) in enumerate(zip(slugs, flags, strict=True))
    )


def _refuse_twins(slugs: Sequence[str], *, what: str) -> None:
    twins = sorted({slug for slug in slugs if slugs.count(slug) > 1 or not slug})
    if twins:
        raise RemediableError(
            f"Two {what} have the same short name, or none: {', '.join(twins) or '(empty)'}.",
            remedy="Give each its own name in letters and digits.",
        )
