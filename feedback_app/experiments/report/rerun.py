"""The report as a file: its design, from which it can be run again, hashes and figures."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from feedback_app.experiments.models import Experiment
from feedback_app.experiments.report.figures import Compared, Figures
from feedback_app.experiments.services.design import Design, design_of, read_design
from feedback_app.experiments.services.manifests import freeze
from feedback_app.experiments.services.plan import Plan
from generation.errors import RemediableError

FORMAT = 1


def report_file(experiment: Experiment, figures: Figures) -> dict[str, Any]:
    """As JSON; what is not known is null."""
    return {
        "reading_room_experiment": FORMAT,
        "id": str(experiment.pk),
        "started_at": _time(experiment.started_at),
        "finished_at": _time(experiment.finished_at),
        "design": design_of(experiment).as_json,
        "real_manifest_sha256": experiment.real_manifest_id,
        "lineage": experiment.lineage,
        "cells": [
            {
                "arm": cell.arm,
                "real_size": cell.real_size,
                "ratio": cell.ratio,
                "seed": cell.seed,
                "synthetic_count": cell.synthetic_count,
                "content_hash": cell.content_hash,
                "own_generator": cell.own_generator_id,
                "state": cell.state,
                "figures": cell.result.figures if cell.result else None,
                "predictions_sha256": cell.result.predictions_id if cell.result else None,
            }
            for cell in experiment.cells.for_pages()
        ],
        "comparisons": [_compared(one) for one in figures.comparisons],
        "controls": [_compared(one) for one in figures.controls],
    }


def _time(moment: Any) -> str | None:
    return moment.isoformat() if moment else None


def _compared(one: Compared) -> dict[str, Any]:
    return {
        "arm": one.place.arm,
        "real_size": one.place.real_size,
        "ratio": one.place.ratio,
        "against": one.against.arm,
        "is_primary": one.is_primary,
        "finding": one.finding.value,
        "gain": _known(one.gain.value),
        "low": _known(one.gain.low),
        "high": _known(one.gain.high),
        "p_value": _known(one.gain.p_value),
        "p_holm": one.p_holm,
        "cohens_d": _known(one.gain.cohens_d),
        "hedges_g": _known(one.gain.hedges_g),
        "seeds": one.gain.seeds,
        "patients": one.gain.patients,
        "paper": {
            "gain": _known(one.paper.value),
            "low": _known(one.paper.low),
            "high": _known(one.paper.high),
            "p_value": _known(one.paper.p_value),
            "p_bonferroni": one.p_bonferroni,
        },
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def read_report_file(content: bytes) -> tuple[Design, str]:
    """Returns the design in a report's file, and the hash of the real images that it was run on."""
    try:
        stored = json.loads(content)
        if not isinstance(stored, Mapping) or stored["reading_room_experiment"] != FORMAT:
            raise KeyError("reading_room_experiment")
        return read_design(stored["design"]), stored["real_manifest_sha256"] or ""
    except (ValueError, KeyError) as error:
        raise RemediableError(
            f"This is no file of an experiment's report: {error}.",
            remedy="Take the JSON file that the report's page offers.",
        ) from error


def require_same_content(plan: Plan, *, real: str) -> None:
    """Refuse where cohort or sources hold something else than when the file was written."""
    differing = []
    if real and freeze(plan.subsets.rows).sha256 != real:
        differing.append(f"the cohort {plan.design.cohort}")
    expected = {ref.arm: ref.sha256 for ref in plan.design.sources}
    for one in plan.sources:
        wanted = expected[one.source.arm]  # type: ignore[index]
        if wanted and freeze(one.rows).sha256 != wanted:
            differing.append(f"the {one.source.title}")
    if differing:
        raise RemediableError(
            f"Other images than when the report was written: {', '.join(differing)}.",
            remedy="Bring the same ones in, or say --on-what-there-is to run on these.",
        )
