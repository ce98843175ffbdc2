"""Rules and figures of curation in words."""

from typing import Any

from feedback_app.curation.rules import Rules
from feedback_app.curation.services import criteria_of, flags_of
from feedback_app.images.measures import label_of
from feedback_app.studies.models import Study


def describe(rules: Rules) -> dict[str, Any]:
    """Returns rules in the words of their studies."""
    studies = list(Study.objects.filter(pk__in=rules.studies).prefetch_related("criteria"))
    names, flags = criteria_of(studies), flags_of(studies)
    return {
        "rules": rules,
        "studies": studies,
        "criteria": names,
        "least_scores": [
            (names.get(slug, slug), least) for slug, least in rules.min_mean_scores.items()
        ],
        "flags": [flags.get(slug, slug) for slug in rules.vetoing_flags],
        "least_measures": [(label_of(name), least) for name, least in rules.min_measures.items()],
    }


def name_means(means: dict[str, float], *, names: dict[str, str]) -> list[tuple[str, float]]:
    """Mean scores under the names of their criteria, in the order in which readers see them."""
    slugs = [*(slug for slug in names if slug in means), *sorted(means.keys() - names.keys())]
    return [(names.get(slug, slug), means[slug]) for slug in slugs]
