"""Working out the figures and plots of a large study; the handlers are free of torch."""

from feedback_app.results.cache import disagreements_of, figures_for, plot_content, state_of
from feedback_app.results.kinds import WORK_OUT
from feedback_app.results.plots.catalogue import plots_of
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress
from feedback_app.studies.models import Study

FORM = "svg"


@handles(WORK_OUT)
def work_out(progress: Progress) -> dict[str, object]:
    """Put the figures and plots of the readings as they are now where pages find them."""
    study = Study.objects.get(pk=progress.run.spec["study"])
    state = state_of(study)
    disagreements_of(study)
    plots = plots_of(figures_for(study, state=state))
    for done, plot in enumerate(plots.values(), start=1):
        plot_content(study, plot, FORM, state=state)
        progress.update(done, total=len(plots), note=plot.name)
    return {"study": study.name, "state": state}
