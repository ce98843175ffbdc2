"""The kinds of run of this app."""

from feedback_app.runs.kinds import CPU, GPU, Kind, declare

TASKS = "feedback_app.vlms.tasks"

declare(
    Kind(name="train_vlm", queue=GPU, tasks=TASKS),
    Kind(name="teach_vlm", queue=GPU, tasks=TASKS, is_told=True),
    Kind(name="ask_vlm_gate", queue=CPU, tasks=TASKS),
    Kind(name="gate_vlm", queue=GPU, tasks=TASKS, is_told=True),
    Kind(name="build_instructions", queue=CPU, tasks=TASKS, is_told=True),
    Kind(name="benchmark_vlm", queue=GPU, tasks=TASKS, is_told=True),
    Kind(name="score_answers", queue=CPU, tasks=TASKS, is_told=True),
    Kind(name="write_drafts", queue=GPU, tasks=TASKS, is_told=True),
    Kind(name="ask_vlm", queue=GPU, tasks=TASKS),
    Kind(name="experiment_fairness", queue=CPU, tasks=TASKS, is_told=True),
    Kind(name="scorer_fairness", queue=GPU, tasks=TASKS, is_told=True),
)
