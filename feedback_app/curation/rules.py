"""What a policy says of each candidate: in, or out and why."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Self
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import (
    BooleanField,
    Count,
    ExpressionWrapper,
    FloatField,
    Q,
    QuerySet,
    Sum,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from feedback_app.curation.models import Policy
from feedback_app.images.measures import NEAREST_TRAINING_IMAGE
from feedback_app.images.models import Candidate, Measure
from feedback_app.readings.adjudication.finals import final_readings, with_finals
from feedback_app.readings.models import (
    Flag,
    Grade,
    Reading,
    ReadingQuerySet,
    Score,
    SkipReason,
)
from feedback_app.studies.models import CaseImage, Criterion, CriterionKind, Phase

ADMITTED = ""
TOO_CLOSE = "too close to a training image"
NOT_READ = "not read yet"
LEFT_OUT = "left out by hand"
NOT_MEASURED = "not measured for closeness to training images"
MEAN_DECIMALS = 4
LISTS = ("studies", "vetoing_flags", "left_out")


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

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Returns the rules that ``as_json`` wrote."""
        lists = {name: tuple(content.get(name, ())) for name in LISTS}
        return cls(**{**content, **lists})

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


def most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Reasons with their counts, in an order that does not depend on how they were stored."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


@dataclass
class Opinion:
    """What readers said of one image: the mean over them by criterion, and vetoing flags.

    A reader's repeated readings count as one.
    """

    means: dict[str, Fraction] = field(default_factory=dict)
    readers: set[int] = field(default_factory=set)
    flags: set[str] = field(default_factory=set)
    is_final: bool = False
    """Whether an adjudicator settled it: then it needs no further readers."""

    @property
    def reader_count(self) -> int:
        return len(self.readers)


@dataclass(frozen=True)
class Decision:
    """One candidate, what is known of it, and why it is refused: empty where it is not."""

    image: UUID
    recipe: str
    opinion: Opinion
    measures: dict[str, Measured]
    reason: str


def count_considered(rules: Rules) -> int:
    return candidates_of(rules).count()


def evaluate(rules: Rules) -> Verdict:
    """Apply rules to every candidate of their studies' cases."""
    pixels = dict(candidates_of(rules).values_list("image_id", "image__pixels_sha256"))
    admitted: list[Admitted] = []
    refused: Counter[str] = Counter()
    for decision in decisions_under(rules):
        if decision.reason:
            refused[decision.reason] += 1
            continue
        means = sorted(decision.opinion.means.items())
        admitted.append(
            Admitted(
                candidate_id=decision.image,
                recipe_key=decision.recipe,
                pixels_sha256=pixels[decision.image],
                mean_scores={slug: float(round(value, MEAN_DECIMALS)) for slug, value in means},
                measures={name: asdict(found) for name, found in decision.measures.items()},
                reader_count=decision.opinion.reader_count,
            )
        )
    return Verdict(admitted=admitted, refused=dict(refused))


def candidates_of(rules: Rules) -> QuerySet[Candidate]:
    """Returns every candidate of the rules' studies, in an order that is the same everywhere."""
    shown = CaseImage.objects.filter(case__study_id__in=rules.studies)
    return Candidate.objects.filter(image__in=shown.values("image")).order_by("recipe_id")


def decisions_under(rules: Rules) -> Iterator[Decision]:
    """Hold every candidate against the rules."""
    opinions = collect_opinions(rules)
    criteria = Criterion.objects.filter(study_id__in=rules.studies).order_by("pk")
    names = dict(criteria.values_list("slug", "name"))
    least = {slug: Fraction(str(score)) for slug, score in rules.min_mean_scores.items()}
    copies = find_copies(rules) if rules.refuses_copies else {}
    measured = {name: measured_by(name, rules) for name in rules.min_measures}
    nothing, left_out = Opinion(), set(rules.left_out)
    for image, recipe in candidates_of(rules).values_list("image_id", "recipe_id"):
        opinion = opinions.get(image, nothing)
        reason = LEFT_OUT if recipe in left_out else ADMITTED
        reason = reason or find_refusal(rules, opinion=opinion, least=least, names=names)
        if not reason and rules.refuses_copies:
            reason = copies.get(image, NOT_MEASURED)
        measures = {name: of[image] for name, of in measured.items() if image in of}
        reason = reason or find_low_measure(rules, measures)
        yield Decision(image, recipe, opinion, measures, reason)


def collect_opinions(rules: Rules) -> dict[UUID, Opinion]:
    readings = rules.readings().order_by().values("pk")
    opinions: dict[UUID, Opinion] = defaultdict(Opinion)
    scores = Score.objects.filter(
        reading__in=readings, criterion__kind=CriterionKind.ORDINAL
    )  # how sure somebody is that an image is real says nothing of its quality
    several = set()
    of_criterion = scores.values_list("image_id", "criterion__slug").annotate(
        total=Sum("value"), readers=ArrayAgg("reading__reader_id")
    )
    for image, slug, total, readers in of_criterion:
        opinion = opinions[image]
        opinion.means[slug] = Fraction(total, len(readers))
        opinion.readers.update(readers)
        if len({*readers}) < len(readers):
            several.add(image)
    for (image, slug), value in _means_of_repeated(scores.filter(image__in=several)).items():
        opinions[image].means[slug] = value
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


def _means_of_repeated(scores: QuerySet[Score]) -> dict[tuple[UUID, str], Fraction]:
    """Returns the mean over readers of each one's own mean, by image and criterion."""
    means: dict[tuple[UUID, str], list[Fraction]] = defaultdict(list)
    of_reader = scores.values_list("image_id", "criterion__slug", "reading__reader_id")
    for image, slug, _, total, count in of_reader.annotate(Sum("value"), Count("pk")):
        means[image, slug].append(Fraction(total, count))
    return {key: sum(values, Fraction()) / len(values) for key, values in means.items()}


def find_refusal(
    rules: Rules,
    *,
    opinion: Opinion,
    least: Mapping[str, Fraction],
    names: Mapping[str, str],
) -> str:
    """Returns the first rule that readers' opinion of an image does not meet; empty where it meets
    all.

    Rules have one order, since the database keeps none: a preview and the saved policy name
    the same reasons.
    """
    if opinion.reader_count == 0:
        return NOT_READ
    if opinion.reader_count < rules.min_readers and not opinion.is_final:
        return f"read by fewer than {rules.min_readers} readers"
    for slug, wanted in sorted(least.items()):
        if slug not in opinion.means:
            return f"no score for “{names.get(slug, slug)}”"
        if opinion.means[slug] < wanted:
            return f"mean of “{names.get(slug, slug)}” below {rules.min_mean_scores[slug]:g}"
    if opinion.flags:
        return f"flagged: {', '.join(sorted(opinion.flags))}"
    return ADMITTED


def measured_by(scorer: str, rules: Rules) -> dict[UUID, Measured]:
    """Returns what the scorer's newest version measured, by image."""
    newest = Measure.objects.newest_of(scorer).filter(image__in=candidates_of(rules).values("pk"))
    return {
        image: Measured(value=round(value, MEAN_DECIMALS), version=version)
        for image, value, version in newest.values_list("image_id", "value", "version")
    }


def find_low_measure(rules: Rules, measures: Mapping[str, Measured]) -> str:
    """Returns the first rule about measures that an image does not meet; empty where it meets
    all.
    """
    for scorer, least in sorted(rules.min_measures.items()):
        name = scorer.replace("-", " ")
        if scorer not in measures:
            return f"no measure of {name}"
        if measures[scorer].value < least:
            return f"{name} below {least:g}"
    return ADMITTED


def find_copies(rules: Rules) -> dict[UUID, str]:
    """For each measured image why it is refused as a near copy, or an empty text."""
    threshold = Cast(KT("details__threshold"), FloatField())
    measures = (
        Measure.objects.filter(
            scorer=NEAREST_TRAINING_IMAGE,
            details__has_key="threshold",
            image__in=candidates_of(rules).values("pk"),
        )
        .annotate(is_copy=ExpressionWrapper(Q(value__gt=threshold), BooleanField()))
        .values_list("image_id", "is_copy")
    )
    verdicts: dict[UUID, str] = {}
    for image, is_copy in measures:
        verdicts[image] = TOO_CLOSE if is_copy else verdicts.get(image, ADMITTED)
    return verdicts
