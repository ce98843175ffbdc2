"""Making versions of prompt sets: typed, brought as a file, or from a cohort's labels."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.images.cohorts.models import Cohort, CohortImage, Split
from feedback_app.images.prompts.models import NAME_PATTERN, PromptSet, PromptSetVersion, SetPrompt
from generation.conditioning.balance import Balanced, Wish, balanced_prompts
from generation.conditioning.facts import AGE_BANDS, PromptFacts, age_band, facts_of
from generation.conditioning.findings import FINDINGS, NORMAL
from generation.errors import RemediableError

MAX_PROMPTS = 2_000
NONE_NAMED = "none that is known"
UNSAID = "not said"


@transaction.atomic
def create_set(
    name: str,
    prompts: Sequence[str],
    *,
    origin: str,
    shortfalls: Sequence[str] = (),
    created_by: User | None = None,
) -> PromptSetVersion:
    """Returns a new set with its first version; a name that is taken is refused."""
    if not re.match(NAME_PATTERN, name):
        raise RemediableError(
            f"“{name}” cannot be a prompt set's name.",
            remedy="Choose one without an @: that comes before a version's number.",
        )
    if PromptSet.objects.filter(name=name).exists():
        raise RemediableError(
            f"There is a prompt set “{name}” already.",
            remedy="Choose another name, or make a new version of it.",
        )
    prompt_set = PromptSet.objects.create(name=name)
    return add_version(
        prompt_set, prompts, origin=origin, shortfalls=shortfalls, created_by=created_by
    )


@transaction.atomic
def add_version(
    prompt_set: PromptSet,
    prompts: Sequence[str],
    *,
    origin: str,
    shortfalls: Sequence[str] = (),
    created_by: User | None = None,
) -> PromptSetVersion:
    """Returns the next version; where its prompts are those of the latest, that one."""
    PromptSet.objects.select_for_update().get(pk=prompt_set.pk)
    require_usable(prompts)
    sha256 = hashlib.sha256("".join(f"{prompt}\n" for prompt in prompts).encode()).hexdigest()
    latest = prompt_set.versions.order_by("-number").first()
    if latest is not None and latest.sha256 == sha256:
        return latest
    version = PromptSetVersion.objects.create(
        prompt_set=prompt_set,
        number=latest.number + 1 if latest else 1,
        sha256=sha256,
        origin=origin[:300],
        shortfalls=[line[:500] for line in shortfalls],
        created_by=created_by,
    )
    SetPrompt.objects.bulk_create(
        _row(version, position, prompt) for position, prompt in enumerate(prompts)
    )
    record("prompt_set.versioned", actor=created_by, target=str(version), target_id=prompt_set.pk)
    return version


def save_prompts(
    name: str,
    prompts: Sequence[str],
    *,
    origin: str,
    shortfalls: Sequence[str] = (),
    created_by: User | None = None,
) -> PromptSetVersion:
    """Returns a new set, or where there is one of the name its next version."""
    prompt_set = PromptSet.objects.filter(name=name).first()
    if prompt_set is None:
        return create_set(
            name, prompts, origin=origin, shortfalls=shortfalls, created_by=created_by
        )
    return add_version(
        prompt_set, prompts, origin=origin, shortfalls=shortfalls, created_by=created_by
    )


def require_usable(prompts: Sequence[str]) -> None:
    if not prompts:
        raise RemediableError("There is no prompt.", remedy="Write at least one, one a line.")
    if len(prompts) > MAX_PROMPTS:
        raise RemediableError(
            f"{len(prompts):,} prompts are more than the {MAX_PROMPTS:,} of a set.",
            remedy="Make several sets.",
        )


def _row(version: PromptSetVersion, position: int, prompt: str) -> SetPrompt:
    facts = facts_of(prompt)
    return SetPrompt(
        version=version,
        position=position,
        text=prompt,
        findings=list(facts.findings),
        view=facts.view,
        sex=facts.sex,
        age_band=age_band(facts.age_years),
    )


def find_version(text: str) -> PromptSetVersion:
    """``NAME`` is the latest version, ``NAME@3`` the third."""
    name, _, number = text.partition("@")
    versions = PromptSetVersion.objects.select_related("prompt_set").filter(prompt_set__name=name)
    if number:
        versions = versions.filter(number=int(number) if number.isdecimal() else 0)
    version = versions.order_by("-number").first()
    if version is None:
        raise RemediableError(
            f"There is no prompt set {text!r}.",
            remedy="Name one of the page “Prompt sets”, as NAME or NAME@VERSION.",
        )
    return version


def require_prompts_of(version: PromptSetVersion, prompts: Iterable[str]) -> None:
    """Refuse prompts that are not the version's: a batch says that it is from it."""
    known = set(version.texts())
    for number, prompt in enumerate(prompts, start=1):
        if prompt not in known:
            raise RemediableError(
                f"Prompt {number}, “{prompt[:80]}”, is not in the prompt set {version}.",
                remedy="Take it out, choose no prompt set, or make a new version with it.",
            )


def prompts_of_cohort(cohort: Cohort, wish: Wish) -> Balanced:
    """From the labels of a cohort's training split."""
    rows = _labelled(cohort).values_list("findings", "view", "patient__sex", "age_years")
    return balanced_prompts(
        (
            PromptFacts(findings=tuple(findings), view=view, sex=sex, age_years=age_years)
            for findings, view, sex, age_years in rows
        ),
        wish,
    )


def findings_of(cohort: Cohort) -> tuple[str, ...]:
    """Returns the findings that the training split has an image of, and ``no finding`` likewise."""
    labels = list(_labelled(cohort).values_list("findings", flat=True))
    found = {finding for findings in labels for finding in findings}
    normal = (NORMAL,) if [] in labels else ()
    return (*normal, *(finding for finding in FINDINGS if finding in found))


def _labelled(cohort: Cohort) -> QuerySet[CohortImage]:
    """Training images that show a finding, or of which it is said that nothing is wrong."""
    images = cohort.images.filter(patient__split=Split.TRAIN)
    return images.exclude(findings=[], is_normal=False)


def describe_origin(cohort: Cohort, wish: Wish, balanced: Balanced) -> str:
    left_out = (
        f"; {balanced.left_out:,} images without sex, age or view left out"
        if balanced.left_out
        else ""
    )
    return (
        f"labels of the cohort {cohort.name}, training split: {wish.count} wanted, "
        f"{wish.several_percent} % with several findings{left_out}"
    )


@dataclass(frozen=True)
class Tally:
    """How often each value of one attribute comes, with its share in percent of the most."""

    name: str
    rows: tuple[tuple[str, int, int], ...]


def tallies_of(version: PromptSetVersion) -> list[Tally]:
    """Counts by finding, by sex, by age band and by view."""
    prompts = version.prompts.all()
    findings: Counter[str] = Counter()
    for named, text in prompts.values_list("findings", "text"):
        findings.update(named or [NORMAL if NORMAL in text.lower() else NONE_NAMED])
    bands = prompts.counted_by("age_band")
    return [
        _tally("Finding", dict(findings.most_common())),
        _tally("Sex", {_sex_word(sex): n for sex, n in prompts.counted_by("sex").items()}),
        _tally("Age", {band or UNSAID: bands[band] for band in (*AGE_BANDS, "") if band in bands}),
        _tally("View", {view or UNSAID: n for view, n in prompts.counted_by("view").items()}),
    ]


def _sex_word(sex: str) -> str:
    return {"F": "female", "M": "male"}.get(sex, UNSAID)


def _tally(name: str, counts: dict[str, int]) -> Tally:
    most = max(counts.values(), default=1)
    return Tally(name, tuple((value, n, 100 * n // most) for value, n in counts.items()))
