"""Candidates as a judge measured them, who sees the view that was asked for and nothing of sex."""

from collections.abc import Sequence

import numpy as np

from feedback_app.images.models import Candidate, Measure

PROMPTS = [f"chest x-ray, {finding}, {view} view, {sex}, 70 years"
           for finding in ("pneumonia", "no finding")
           for view in ("PA", "AP") for sex in ("female", "male")]  # fmt: skip


def measured(rows: Sequence[Candidate]) -> None:
    """The judge sees the view that was asked for, and nothing of the sex."""
    randomness = np.random.default_rng(0)
    for candidate in rows:
        prompt = candidate.recipe.prompt
        view, sex = "PA" if " PA " in prompt else "AP", "female" if "female" in prompt else "male"
        likely = float(randomness.uniform(0.6, 0.95))
        other = "AP" if view == "PA" else "PA"
        of_sex = float(randomness.uniform())
        for scorer, value, details in (
            ("view", likely, {"phrase": f"view {view}", "is_reached": likely > 0.7,
                              "phrases": {f"view {view}": likely, f"view {other}": 1 - likely}}),
            ("sex", of_sex, {"phrase": f"sex {sex}", "is_reached": True}),  # as they were before
        ):  # fmt: skip
            Measure.objects.create(image=candidate.image, scorer=f"visible-{scorer}", version="1",
                                   value=value, details=details)  # fmt: skip
