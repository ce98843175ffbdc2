"""The kinds of run of this app."""

from feedback_app.runs.kinds import CPU, GPU, Kind, declare

declare(
    Kind(
        name="generate",
        queue=GPU,
        tasks="feedback_app.images.candidates.tasks.candidates",
        is_told=True,
        page=("images:batch", "batch"),
        is_one_of_many=True,
    ),
    Kind(name="measure", queue=GPU, tasks="feedback_app.images.candidates.tasks.measures"),
    Kind(
        name="convert_checkpoint",
        queue=GPU,
        tasks="feedback_app.images.versions.tasks.checkpoints",
        is_told=True,
    ),
    Kind(
        name="continue_training",
        queue=GPU,
        tasks="feedback_app.images.versions.tasks.continuing",
        is_told=True,
    ),
    Kind(
        name="evaluate_version",
        queue=GPU,
        tasks="feedback_app.images.versions.tasks.evaluating",
        is_told=True,
        page=("images:evaluations", "version"),
    ),
    Kind(
        name="pretrain",
        queue=GPU,
        tasks="feedback_app.images.versions.tasks.pretraining",
        is_told=True,
    ),
    Kind(
        name="train_controlnet",
        queue=GPU,
        tasks="feedback_app.images.versions.tasks.controlnets",
        is_told=True,
    ),
    Kind(
        name="train_proxy",
        queue=GPU,
        tasks="feedback_app.images.scorers.tasks.proxies",
        is_told=True,
    ),
    Kind(name="pseudo_masks", queue=GPU, tasks="feedback_app.images.scorers.tasks.proxies"),
    Kind(name="import_cohort", queue=CPU, tasks="feedback_app.images.cohorts.tasks", is_told=True),
)
