"""The places of a run whose images are tried until they fit."""

from collections.abc import Sequence

from feedback_app.images.candidates.fitting import decide, in_order, is_fit, judge_by_measures
from feedback_app.images.candidates.fitting_models import Fitting, Try


class FittingPart:
    """The places of one run, named by the recipes of their first tries.

    All that is known of them stands in the database, so that a run that was killed goes on
    where it was.
    """

    def __init__(self, fitting: Fitting, firsts: Sequence[str]) -> None:
        self.fitting, self.total = fitting, len(firsts)
        of_batch = Try.objects.filter(batch=fitting.pk)
        places = of_batch.firsts().filter(recipe__in=firsts).values_list("position", flat=True)
        self.tries = of_batch.filter(position__in=list(places))

    def waiting(self) -> list[Try]:
        """Returns the next try of each place that has nothing yet, in the batch's order."""
        undecided = self.tries.undecided().order_by("position", "number")
        return list(undecided.distinct("position").select_related("recipe"))

    @property
    def done(self) -> int:
        """How many places have what fits, or no try left."""
        waiting = self.tries.undecided().order_by().values("position").distinct().count()
        return self.total - waiting

    def judge(self, tried: Sequence[Try]) -> None:
        for attempt in tried:
            seen = judge_by_measures(attempt.recipe, in_order(self.fitting.attributes))
            decide(attempt, fits=is_fit(attempt.recipe, seen), seen=seen)
