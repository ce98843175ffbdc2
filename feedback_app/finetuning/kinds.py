"""The kinds of run of this app."""

from feedback_app.runs.kinds import CPU, GPU, Kind, declare

TASKS = "feedback_app.finetuning.tasks"
COUNT = "count_teaching"

declare(
    Kind(
        name="finetune",
        queue=GPU,
        tasks=TASKS,
        is_told=True,
        page=("finetuning:finetune", "fine_tune"),
    ),
    Kind(name="train_reward_model", queue=GPU, tasks=TASKS, is_told=True),
    Kind(name="compare_versions", queue=GPU, tasks=TASKS),
    Kind(name="gate", queue=GPU, tasks=TASKS, is_told=True),
    Kind(name="ask_gate", queue=CPU, tasks=TASKS),
    Kind(name="take_snapshot", queue=CPU, tasks=TASKS, is_told=True),
    Kind(name=COUNT, queue=CPU, tasks=TASKS),
)
