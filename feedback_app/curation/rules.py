"""What a policy says of each candidate: in, or out and why."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Self
from uuid import UUID

from feedback_app.curation.models import Policy
from feedback_app.images.measures import NEAREST_TRAINING_IMAGE
from feedback_app.images.models import Candidate, Measure
from feedback_app.readings.adjudication.finals import final_readings, with_finals
from feedback_app.readings.models import Flag, Grade, Reading, ReadingQuerySet, Score, SkipReason
from feedback_app.studies.models import Criterion, CriterionKind, Phase

TOO_CLOSE = "too close to a training image"
NOT_READ = "not read yet"
LEFT_OUT = "left out by hand"
NOT_MEASURED = "not measured for closeness to training images"
MEAN_DECIMALS = 4


@dataclass(frozen=True, kw_only=True)
class Rules:
    """A policy's content, without its name; ``studies`` are sorted ids."""

    studies: tuple[str, ...]
    min_readers: int = 1
    min_mean_scores: Mapping[str, float] = field(default_factory=dict)
    min_measures: Mapping[str, float] = field(default_factory=dict)
    vetoing_flags: tuple[str, ...] = ()
    vetoing_grade: str = Grade.MINOR.value
    refuses_copies: bool = True
    uses_simulated_readers: bool = False
    left_out: tuple[str, ...] = ()
    """Keys of the recipes whose candidates somebody left out by hand."""
    prefers_final: bool = False

    @classmethod
    def of(cls, policy: Policy) -> Self:
        scores = policy.min_mean_scores
        return cls(
            studies=tuple(sorted(str(pk) for pk in policy.studies.values_list("pk", flat=True))),
            min_readers=policy.min_readers,
            min_mean_scores={slug: float(scores[slug]) for slug in sorted(scores)},
            min_measures={
                name: float(policy.min_measures[name]) for name in sorted(policy.min_measures)
            },
            vetoing_flags=tuple(sorted(policy.vetoing_flags)),
            vetoing_grade=policy.vetoing_grade,
            refuses_copies=policy.refuses_copies,
            uses_simulated_readers=policy.uses_simulated_readers,
            left_out=tuple(
                sorted(policy.decisions.standing().values_list("candidate__recipe", flat=True))
            ),
            prefers_final=policy.prefers_final,
        )

    def as_json(self) -> dict[str, Any]:
        """Without rules that came later where they ask nothing: older sets keep their hashes."""
        content = asdict(self) | {
            "studies": list(self.studies),
            "vetoing_flags": list(self.vetoing_flags),
        }
        if not self.min_measures:
            del content["min_measures"]
        content["left_out"] = list(self.left_out)
        if not self.left_out:
            del content["left_out"]
        if not self.prefers_final:
            del content["prefers_final"]
        return content

    def readings(self) -> ReadingQuerySet:
        """Returns last revisions only, of people or of simulated readers, never of both.

        A case that was skipped is not read, and what is retracted does not count.
        """
        current = Reading.objects.current().standing().filter(skip_reason=SkipReason.NONE)
        readings = self._of_kind(current.filter(slot__study_id__in=self.studies))
        if not self.prefers_final:
            return readings
        finals = self._of_kind(final_readings())
        return with_finals(
            readings, finals.filter(slot__study__adjudicates__study_id__in=self.studies)
        )

    def _of_kind(self, readings: ReadingQuerySet) -> ReadingQuerySet:
        if self.uses_simulated_readers:
            return readings.by_simulated_readers()
        return readings.by_people()


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A measure, and the version of the scorer that it is by."""

    value: float
    version: str


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """A candidate that meets the rules, with the mean scores and measures that it does so with."""

    candidate_id: UUID
    recipe_key: str
    pixels_sha256: str
    mean_scores: dict[str, float]
    reader_count: int
    measures: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Every candidate considered is admitted (by recipe key) or refused for one reason."""

    admitted: list[Admitted]
    refused: dict[str, int]

    @property
    def considered(self) -> int:
        return len(self.admitted) + sum(self.refused.values())

    @property
    def reasons(self) -> list[tuple[str, int]]:
        return most_first(self.refused)


def most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Reasons with their counts, in an order that does not depend on how they were stored."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


@dataclass
class Opinion:
    """What readers said of one image: ``scores[criterion][reader]`` and vetoing flags."""

    scores: dict[str, dict[int, list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    flags: set[str] = field(default_factory=set)
    is_final: bool = False
    """Whether an adjudicator settled it: then it needs no further readers."""

    @property
    def reader_count(self) -> int:
        return len({reader for readers in self.scores.values() for reader in readers})

    def means(self) -> dict[str, Fraction]:
        """Over readers; a reader's repeated readings count as one."""
        return {
            criterion: mean([mean(values) for values in readers.values()])
            for criterion, readers in sorted(self.scores.items())
        }


def mean(values: Iterable[int | Fraction]) -> Fraction:
    exact = [Fraction(value) for value in values]
    return sum(exact, Fraction()) / len(exact)


def evaluate(rules: Rules) -> Verdict:
    """Apply rules to every candidate of their studies' cases."""
    opinions = collect_opinions(rules)
    criteria = Criterion.objects.filter(study_id__in=rules.studies).order_by("pk")
    names = dict(criteria.values_list("slug", "name"))
    copies = find_copies(rules) if rules.refuses_copies else {}
    measured = {name: measured_by(name, rules) for name in rules.min_measures}
    candidates = (
        Candidate.objects.filter(image__caseimage__case__study_id__in=rules.studies)
        .distinct()
        .order_by("recipe_id")
        .values_list("image_id", "recipe_id", "image__pixels_sha256")
    )
    left_out = set(rules.left_out)
    admitted: list[Admitted] = []
    refused: Counter[str] = Counter()
    for image_id, recipe_key, pixels_sha256 in candidates:
        opinion = opinions.get(image_id, Opinion())
        means = opinion.means()
        reason = LEFT_OUT if recipe_key in left_out else None
        reason = reason or find_refusal(rules, opinion=opinion, means=means, names=names)
        if reason is None and rules.refuses_copies:
            reason = copies.get(image_id, NOT_MEASURED)
        measures = {name: of[image_id] for name, of in measured.items() if image_id in of}
        reason = reason or find_low_measure(rules, measures)
        if reason:
            refused[reason] += 1
            continue
        rounded = {slug: float(round(value, MEAN_DECIMALS)) for slug, value in means.items()}
        admitted.append(
            Admitted(
                candidate_id=image_id,
                recipe_key=recipe_key,
                pixels_sha256=pixels_sha256,
                mean_scores=rounded,
                measures={name: asdict(found) for name, found in measures.items()},
                reader_count=opinion.reader_count,
            )
        )
    return Verdict(admitted=admitted, refused=dict(refused))


def collect_opinions(rules: Rules) -> dict[UUID, Opinion]:
    readings = rules.readings().order_by().values("pk")
    opinions: dict[UUID, Opinion] = defaultdict(Opinion)
    scores = Score.objects.filter(
        reading__in=readings, criterion__kind=CriterionKind.ORDINAL
    )  # how sure somebody is that an image is real says nothing of its quality
    for image, criterion, reader, value in scores.values_list(
        "image_id", "criterion__slug", "reading__reader_id", "value"
    ):
        opinions[image].scores[criterion][reader].append(value)
    if rules.prefers_final:
        for image in scores.filter(reading__slot__phase=Phase.FINAL).values_list(
            "image", flat=True
        ):
            opinions[image].is_final = True
    flags = Flag.objects.filter(reading__in=readings, kind__slug__in=rules.vetoing_flags)
    if rules.vetoing_grade == Grade.MAJOR:
        flags = flags.filter(grade=Grade.MAJOR)
    for image, name in flags.values_list("image_id", "kind__name"):
        opinions[image].flags.add(name)
    return opinions


def find_refusal(
    rules: Rules,
    *,
    opinion: Opinion,
    means: Mapping[str, Fraction],
    names: Mapping[str, str],
) -> str | None:
    """The first rule that readers' opinion of an image does not meet, or None.

    Rules have one order, since the database keeps none: a preview and the saved policy name
    the same reasons.
    """
    if opinion.reader_count == 0:
        return NOT_READ
    if opinion.reader_count < rules.min_readers and not opinion.is_final:
        return f"read by fewer than {rules.min_readers} readers"
    for slug, least in sorted(rules.min_mean_scores.items()):
        if slug not in means:
            return f"no score for “{names.get(slug, slug)}”"
        if means[slug] < Fraction(str(least)):
            return f"mean of “{names.get(slug, slug)}” below {least:g}"
    if opinion.flags:
        return f"flagged: {', '.join(sorted(opinion.flags))}"
    return None


def measured_by(scorer: str, rules: Rules) -> dict[UUID, Measured]:
    """Returns what the scorer's newest version measured, by image."""
    images = Candidate.objects.filter(image__caseimage__case__study_id__in=rules.studies)
    newest = Measure.objects.newest_of(scorer).filter(image__in=images.values("pk"))
    return {
        image: Measured(value=round(value, MEAN_DECIMALS), version=version)
        for image, value, version in newest.values_list("image_id", "value", "version")
    }


def find_low_measure(rules: Rules, measures: Mapping[str, Measured]) -> str | None:
    """The first rule about measures that an image does not meet, or None."""
    for scorer, least in sorted(rules.min_measures.items()):
        name = scorer.replace("-", " ")
        if scorer not in measures:
            return f"no measure of {name}"
        if measures[scorer].value < least:
            return f"{name} below {least:g}"
    return None


def find_copies(rules: Rules) -> dict[UUID, str]:
    """For each measured image why it is refused as a near copy, or an empty text."""
    measures = (
        Measure.objects.filter(
            scorer=NEAREST_TRAINING_IMAGE,
            image__caseimage__case__study_id__in=rules.studies,
        )
        .order_by("pk")
        .distinct()
    )
    verdicts: dict[UUID, str] = {}
    for image, value, details in measures.values_list("image_id", "value", "details"):
        if "threshold" in details:
            is_copy = value > details["threshold"]
            verdicts[image] = TOO_CLOSE if is_copy else verdicts.get(image, "")
    return verdicts
