"""The kinds of run of this app."""

from feedback_app.runs.kinds import CPU, GPU, Kind, declare

declare(
    Kind(name="generate", queue=GPU, tasks="feedback_app.images.candidates.tasks.candidates"),
    Kind(name="measure", queue=GPU, tasks="feedback_app.images.candidates.tasks.measures"),
    Kind(
        name="continue_training", queue=GPU, tasks="feedback_app.images.versions.tasks.continuing"
    ),
    Kind(name="pretrain", queue=GPU, tasks="feedback_app.images.versions.tasks.pretraining"),
    Kind(
        name="train_controlnet", queue=GPU, tasks="feedback_app.images.versions.tasks.controlnets"
    ),
    Kind(name="train_proxy", queue=GPU, tasks="feedback_app.images.scorers.tasks.proxies"),
    Kind(name="pseudo_masks", queue=GPU, tasks="feedback_app.images.scorers.tasks.proxies"),
    Kind(name="import_cohort", queue=CPU, tasks="feedback_app.images.cohorts.tasks"),
)
