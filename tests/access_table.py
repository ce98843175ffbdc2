"""Who gets which answer at every address of the site.

A line names the method and what each of the cast is answered: nobody, Rosa (who reads the study
and has the slot), Ravi (who reads the study but has another slot), Otto (a reader of nothing),
Cora (a coordinator) and Ada (an admin).
"""

from tests.access_lines import (
    ADMINS,
    ADMINS_BY_API,
    COORDINATORS,
    COORDINATORS_BY_API,
    LOGGED_IN,
    LOGGED_IN_BY_API,
    THE_SLOTS_READER,
    THE_SLOTS_READER_BY_API,
    Line,
    answers,
    does,
    get,
    post,
)
from tests.access_of_people import PEOPLE
from tests.world import COHORT

TABLE: dict[str, Line] = {
    **PEOPLE,
    "operations:metrics": get(
        answers(404, 404, 404, 404, 404, 404)
    ),  # nobody is let in by the settings
    "home": get(answers(302, 302, 302, 302, 200, 200)),
    "models": get(COORDINATORS),
    "model": get(COORDINATORS, lambda world: [world.version.pk]),
    "models_beside": get(COORDINATORS),
    "api:api-root": get(LOGGED_IN_BY_API),
    "api:schema": get(LOGGED_IN_BY_API),
    "api:docs": get(LOGGED_IN),
    "api:nowhere": get(answers(404, 404, 404, 404, 404, 404), lambda _: ["nowhere/at/all"]),
    # Runs
    "api:runs": get(COORDINATORS_BY_API),
    "api:run": get(COORDINATORS_BY_API, lambda world: [world.run.pk]),
    "api:run-log": get(COORDINATORS_BY_API, lambda world: [world.run.pk]),
    "api:run-cancel": post(COORDINATORS_BY_API, lambda world: [world.run.pk]),
    "api:run-retry": post(does(COORDINATORS_BY_API, 400), lambda world: [world.run.pk]),
    "runs:list": get(COORDINATORS),
    "runs:workers": get(COORDINATORS),
    "runs:run": get(COORDINATORS, lambda world: [world.run.pk]),
    "runs:progress": get(COORDINATORS, lambda world: [world.run.pk]),
    "runs:cancel": post(does(COORDINATORS), lambda world: [world.run.pk]),
    "runs:retry": post(does(COORDINATORS), lambda world: [world.run.pk]),
    # Images
    "api:cohorts": get(COORDINATORS_BY_API),
    "api:cohort": get(COORDINATORS_BY_API, lambda _: [COHORT]),
    "api:images": get(COORDINATORS_BY_API),
    "api:image": get(COORDINATORS_BY_API, lambda world: [world.mask.cohort_image_id]),
    "api:image-file": get(COORDINATORS_BY_API, lambda world: [world.stage.candidates[0].pk]),
    "api:masks": get(COORDINATORS_BY_API),
    "api:mask": get(COORDINATORS_BY_API, lambda world: [world.mask.pk]),
    "api:mask-file": get(COORDINATORS_BY_API, lambda world: [world.mask.pk]),
    "api:model-versions": get(COORDINATORS_BY_API),
    "api:model-version": get(COORDINATORS_BY_API, lambda world: [world.version.pk]),
    "api:scorers": get(COORDINATORS_BY_API),
    "api:scorer": get(does(COORDINATORS_BY_API, 404), lambda _: [0]),
    "images:cohorts": get(COORDINATORS),
    "images:cohort": get(COORDINATORS, lambda _: [COHORT]),
    "images:cohort-skipped": get(COORDINATORS, lambda _: [COHORT]),
    "images:cohort-mask": get(COORDINATORS, lambda world: [world.mask.pk]),
    "images:file": get(COORDINATORS, lambda world: [world.stage.candidates[0].pk]),
    "images:console": get(COORDINATORS),
    "images:pick-masks": post(COORDINATORS),
    "images:preview-masks": post(COORDINATORS),
    "images:measure-prompts": post(COORDINATORS),
    "images:recipe-mask": get(does(COORDINATORS, 404), lambda _: [0]),
    "images:prompt-sets": get(COORDINATORS),
    "images:prompt-set-new": get(COORDINATORS),
    "images:prompt-set": get(COORDINATORS, lambda world: [world.prompt_set.pk]),
    "images:prompt-set-revise": get(COORDINATORS, lambda world: [world.prompt_set.pk]),
    "images:prompt-set-text": get(COORDINATORS, lambda world: [world.prompt_set.pk]),
    "api:prompt-sets": get(COORDINATORS_BY_API),
    "api:prompt-set": get(COORDINATORS_BY_API, lambda world: [str(world.prompt_set)]),
    "api:batches": get(COORDINATORS_BY_API),
    "api:batch": get(COORDINATORS_BY_API, lambda world: [world.batch.pk]),
    "api:batch-candidates": get(COORDINATORS_BY_API, lambda world: [world.batch.pk]),
    "api:batch-tries": get(COORDINATORS_BY_API, lambda world: [world.batch.pk]),
    "api:batch-cancel": post(COORDINATORS_BY_API, lambda world: [world.batch.pk]),
    "api:batch-complete": post(COORDINATORS_BY_API, lambda world: [world.batch.pk]),
    "images:batches": get(COORDINATORS),
    "api:candidates": get(COORDINATORS_BY_API),
    "api:candidate": get(COORDINATORS_BY_API, lambda world: [world.stage.candidates[0].pk]),
    "api:measures": get(COORDINATORS_BY_API),
    "api:measure": get(does(COORDINATORS_BY_API, 404), lambda _: [0]),
    "images:batch": get(COORDINATORS, lambda world: [world.batch.pk]),
    "images:cancel-batch": post(does(COORDINATORS), lambda world: [world.batch.pk]),
    "images:complete-batch": post(does(COORDINATORS), lambda world: [world.batch.pk]),
    "images:gallery": get(COORDINATORS),
    "images:repair": get(COORDINATORS, lambda world: [world.stage.candidates[0].pk]),
    "images:compare-repair": post(
        does(COORDINATORS, 404), lambda world: [world.stage.candidates[0].pk]
    ),
    "api:candidate-repair": post(
        does(COORDINATORS_BY_API, 400), lambda world: [world.stage.candidates[0].pk]
    ),
    "images:evaluations": get(COORDINATORS, lambda world: [world.version.pk]),
    "api:model-version-evaluations": get(COORDINATORS_BY_API, lambda world: [world.version.pk]),
    "api:model-version-pretrain": post(does(COORDINATORS_BY_API, 400)),
    "api:model-version-continue-training": post(
        does(COORDINATORS_BY_API, 400), lambda world: [world.version.pk]
    ),
    "api:model-version-train-controlnet": post(
        does(COORDINATORS_BY_API, 400), lambda world: [world.version.pk]
    ),
    "api:model-version-evaluate": post(
        does(COORDINATORS_BY_API, 400), lambda world: [world.version.pk]
    ),
    "images:candidate": get(COORDINATORS, lambda world: [world.stage.candidates[0].pk]),
    "images:register-version": get(ADMINS),
    # VLMs
    "vlms:list": get(COORDINATORS),
    "vlms:register": get(ADMINS),
    "vlms:ask": get(COORDINATORS),
    "vlms:question": get(COORDINATORS, lambda world: [world.image_question.pk]),
    "vlms:version": get(COORDINATORS, lambda world: [world.image_question.version_id]),
    "vlms:curve": get(
        does(COORDINATORS, 404), lambda world: [world.image_question.version_id, "bridge"]
    ),
    "vlms:sets": get(COORDINATORS),
    "vlms:set-new": get(COORDINATORS),
    "vlms:set": get(COORDINATORS, lambda world: [world.benchmark_result.instruction_set_id]),
    "vlms:set-download": get(ADMINS, lambda world: [world.benchmark_result.instruction_set_id]),
    "vlms:set-sample": get(
        COORDINATORS, lambda world: [world.benchmark_result.instruction_set_id, 0]
    ),
    "vlms:benchmark": get(COORDINATORS, lambda world: [world.benchmark_result.instruction_set_id]),
    "vlms:start": post(
        does(COORDINATORS), lambda world: [world.benchmark_result.instruction_set_id]
    ),
    "vlms:bring": get(COORDINATORS, lambda world: [world.benchmark_result.instruction_set_id]),
    "vlms:result": get(COORDINATORS, lambda world: [world.benchmark_result.pk]),
    "vlms:picture": get(COORDINATORS, lambda world: [world.benchmark_result.pk, 0]),
    "vlms:fairness": get(does(COORDINATORS, 404), lambda world: [world.benchmark_result.pk, 99]),
    "vlms:experiment-groups": get(COORDINATORS, lambda world: [world.experiment.pk]),
    "vlms:scorer-groups": get(COORDINATORS, lambda world: [world.scorer.pk]),
    "vlms:group-plot": get(does(COORDINATORS, 404), lambda world: [world.run.pk, 0]),
    "vlms:report-snapshots": get(COORDINATORS),
    "vlms:report-snapshot-new": get(COORDINATORS),
    "vlms:report-snapshot": get(COORDINATORS, lambda world: [world.report_snapshot.pk]),
    "vlms:train": get(COORDINATORS),
    "vlms:drafts": get(COORDINATORS),
    "api:draft-sets": get(COORDINATORS_BY_API),
    "api:draft-set": get(COORDINATORS_BY_API, lambda world: [world.draft_set.pk]),
    "api:draft-set-write": post(does(COORDINATORS_BY_API, 400)),
    "api:draft-set-signed": post(does(COORDINATORS_BY_API, 400)),
    "vlms:teach": get(COORDINATORS),
    "vlms:gate-ask": post(does(COORDINATORS), lambda world: [world.vlm_gate.child_id]),
    "vlms:gate": get(COORDINATORS, lambda world: [world.vlm_gate.pk]),
    "vlms:promote": post(does(COORDINATORS), lambda world: [world.vlm_gate.child_id]),
    "vlms:back": post(does(COORDINATORS)),
    "api:vlm-gates": get(COORDINATORS_BY_API),
    "api:vlm-gate": get(COORDINATORS_BY_API, lambda world: [world.vlm_gate.pk]),
    "api:vlm-promotions": get(COORDINATORS_BY_API),
    "api:vlm-promotion-back": post(does(COORDINATORS_BY_API, 400)),
    "api:vlm-fine-tunes": get(COORDINATORS_BY_API),
    "api:vlm-fine-tune": get(COORDINATORS_BY_API, lambda world: [world.vlm_fine_tune.pk]),
    "api:report-snapshots": get(COORDINATORS_BY_API),
    "api:report-snapshot": get(COORDINATORS_BY_API, lambda world: [world.report_snapshot.pk]),
    "api:report-snapshot-file": get(COORDINATORS_BY_API, lambda world: [world.report_snapshot.pk]),
    "api:vlms": get(COORDINATORS_BY_API),
    "api:vlm-train": post(does(COORDINATORS_BY_API, 400)),
    "api:vlm": get(COORDINATORS_BY_API, lambda world: [world.image_question.version_id]),
    "api:instruction-sets": get(COORDINATORS_BY_API),
    "api:instruction-set": get(
        COORDINATORS_BY_API, lambda world: [world.benchmark_result.instruction_set_id]
    ),
    "api:benchmark-results": get(COORDINATORS_BY_API),
    "api:benchmark-result": get(COORDINATORS_BY_API, lambda world: [world.benchmark_result.pk]),
    "api:benchmark-result-bring": post(does(COORDINATORS_BY_API, 400)),
    "api:image-questions": get(COORDINATORS_BY_API),
    "api:image-question": get(COORDINATORS_BY_API, lambda world: [world.image_question.pk]),
    # Studies
    "studies:list": get(COORDINATORS),
    "studies:create": get(COORDINATORS),
    "studies:picked": get(COORDINATORS),
    "studies:preview": post(COORDINATORS),
    "studies:offered-batches": get(COORDINATORS),
    "studies:detail": get(COORDINATORS, lambda world: [world.study.pk]),
    "studies:edit": get(COORDINATORS, lambda world: [world.draft.pk]),
    "studies:open": post(does(COORDINATORS), lambda world: [world.draft.pk]),
    "studies:cases": get(COORDINATORS, lambda world: [world.study.pk]),
    "studies:anchor": post(does(COORDINATORS), lambda world: [world.draft.pk, world.case.pk]),
    "studies:gold": get(COORDINATORS, lambda world: [world.draft.pk, world.case.pk]),
    "studies:calibration": get(COORDINATORS, lambda world: [world.study.pk]),
    "studies:add-example": get(COORDINATORS, lambda world: [world.draft.pk]),
    "studies:remove-example": post(does(COORDINATORS), lambda world: [world.draft.pk, 0]),
    "studies:make-training": get(COORDINATORS, lambda world: [world.draft.pk, world.case.pk]),
    "studies:training": get(does(COORDINATORS, 404), lambda world: [world.draft.pk, world.case.pk]),
    "studies:end-training": post(
        does(COORDINATORS, 404), lambda world: [world.draft.pk, world.case.pk]
    ),
    "studies:close": post(does(COORDINATORS), lambda world: [world.study.pk]),
    "studies:pause": post(does(COORDINATORS), lambda world: [world.study.pk]),
    "studies:resume": post(does(COORDINATORS), lambda world: [world.study.pk]),
    "studies:reopen": post(does(COORDINATORS), lambda world: [world.study.pk]),
    "studies:add-readers": post(does(COORDINATORS), lambda world: [world.study.pk]),
    "studies:due": post(does(COORDINATORS), lambda world: [world.study.pk]),
    "studies:remove-reader": post(
        does(COORDINATORS), lambda world: [world.study.pk, world.slot.reader_id]
    ),
    "studies:add-batches": post(does(COORDINATORS), lambda world: [world.study.pk]),
    "studies:use-reward-model": post(does(COORDINATORS, 404), lambda world: [world.study.pk]),
    "studies:unblind": post(does(COORDINATORS), lambda world: [world.study.pk]),
    "studies:delete": post(does(COORDINATORS), lambda world: [world.draft.pk]),
    "api:studies": get(COORDINATORS_BY_API),
    "api:study-preview": post(does(COORDINATORS_BY_API, 400)),
    "api:study": get(COORDINATORS_BY_API, lambda world: [world.study.pk]),
    "api:study-draft-preview": get(COORDINATORS_BY_API, lambda world: [world.draft.pk]),
    "api:study-open": post(COORDINATORS_BY_API, lambda world: [world.draft.pk]),
    "api:study-pause": post(COORDINATORS_BY_API, lambda world: [world.study.pk]),
    "api:study-resume": post(does(COORDINATORS_BY_API, 400), lambda world: [world.study.pk]),
    "api:study-close": post(COORDINATORS_BY_API, lambda world: [world.study.pk]),
    "api:study-reopen": post(does(COORDINATORS_BY_API, 400), lambda world: [world.study.pk]),
    "api:study-unblind": post(does(COORDINATORS_BY_API, 400), lambda world: [world.study.pk]),
    "api:study-add-readers": post(does(COORDINATORS_BY_API, 400), lambda world: [world.study.pk]),
    "api:study-due": post(does(COORDINATORS_BY_API, 400), lambda world: [world.study.pk]),
    "api:study-remove-reader": post(does(COORDINATORS_BY_API, 400), lambda world: [world.study.pk]),
    "api:study-add-batches": post(does(COORDINATORS_BY_API, 400), lambda world: [world.study.pk]),
    "api:readings-file": get(COORDINATORS_BY_API, lambda world: [world.study.pk, "scores", "csv"]),
    # Readings
    "readings:worklist": get(LOGGED_IN),
    "readings:own": get(LOGGED_IN),
    "readings:read": get(THE_SLOTS_READER, lambda world: [world.slot.pk]),
    "readings:picture": get(THE_SLOTS_READER, lambda world: [world.slot.pk, 0]),
    "readings:reference": get(does(THE_SLOTS_READER, 404), lambda world: [world.slot.pk]),
    "readings:preview-reference": get(
        does(COORDINATORS, 404), lambda world: [world.draft.pk, world.case.pk]
    ),
    "readings:mask": get(does(THE_SLOTS_READER, 404), lambda world: [world.slot.pk, "lungs"]),
    "readings:example": get(
        answers(302, 404, 404, 404, 404, 404), lambda world: [world.study.pk, 0]
    ),
    "readings:preview": get(COORDINATORS, lambda world: [world.draft.pk]),
    "readings:preview-case": get(COORDINATORS, lambda world: [world.draft.pk, world.case.pk]),
    "readings:preview-picture": get(COORDINATORS, lambda world: [world.draft.pk, world.case.pk, 0]),
    "readings:preview-mask": get(
        does(COORDINATORS, 404), lambda world: [world.draft.pk, world.case.pk, "lungs"]
    ),
    "readings:results-doubts": get(COORDINATORS),
    "readings:results-calibration": get(COORDINATORS, lambda world: [world.study.pk]),
    "api:guideline": get(answers(403, 200, 200, 404, 200, 200), lambda world: [world.study.pk]),
    "api:preview": get(COORDINATORS_BY_API, lambda world: [world.draft.pk, world.case.pk]),
    "api:preview-readings": post(
        does(COORDINATORS_BY_API, 400), lambda world: [world.draft.pk, world.case.pk]
    ),
    "readings:begin": post(answers(302, 302, 302, 404, 404, 404), lambda world: [world.study.pk]),
    "readings:results": get(COORDINATORS, lambda world: [world.study.pk]),
    "readings:results-page": get(COORDINATORS, lambda world: [world.study.pk]),
    "readings:results-images": get(COORDINATORS, lambda world: [world.study.pk]),
    "readings:plot": get(COORDINATORS, lambda world: [world.study.pk, "pace", "svg"]),
    "readings:results-cases": get(COORDINATORS, lambda world: [world.study.pk]),
    "readings:results-comment": post(does(COORDINATORS, 404), lambda world: [world.case.pk]),
    "readings:results-comment-back": post(does(COORDINATORS, 404), lambda world: [world.case.pk]),
    "readings:results-candidate": get(COORDINATORS, lambda world: [world.stage.candidates[0].pk]),
    "readings:results-withdraw": post(
        does(COORDINATORS, 404), lambda world: [world.study.pk, world.case.pk]
    ),
    "readings:readings-file": get(COORDINATORS, lambda world: [world.study.pk, "scores", "csv"]),
    "api:cases": get(COORDINATORS_BY_API),
    "api:case": get(COORDINATORS_BY_API, lambda world: [world.case.pk]),
    "api:slots": get(COORDINATORS_BY_API),
    "api:stored-readings": get(COORDINATORS_BY_API),
    "api:comment-flags": get(COORDINATORS_BY_API),
    "api:comment-flag": get(does(COORDINATORS_BY_API, 404), lambda world: [world.case.pk]),
    "api:comment-flag-back": post(does(COORDINATORS_BY_API, 404), lambda world: [world.case.pk]),
    "api:adjudications": get(COORDINATORS_BY_API),
    "api:adjudication": get(does(COORDINATORS_BY_API, 404), lambda world: [world.case.pk]),
    "api:adjudication-withdraw": post(
        does(COORDINATORS_BY_API, 404), lambda world: [world.case.pk]
    ),
    "api:slot": get(THE_SLOTS_READER_BY_API, lambda world: [world.slot.pk]),
    "api:readings": post(answers(403, 400, 400, 400, 400, 400), lambda world: [world.slot.pk]),
    "api:next": post(THE_SLOTS_READER_BY_API, lambda world: [world.slot.pk]),
    "api:heartbeat": post(THE_SLOTS_READER_BY_API, lambda world: [world.slot.pk]),
    "api:bookmark": Line(does(THE_SLOTS_READER_BY_API, 204), "put", lambda world: [world.slot.pk]),
    "api:reading-preferences": get(answers(403, 200, 200, 200, 200, 200)),
    # Learning
    "finetuning:overview": get(COORDINATORS),
    "finetuning:snapshot_new": get(COORDINATORS),
    "finetuning:snapshot": get(COORDINATORS, lambda world: [world.snapshot.pk]),
    "finetuning:snapshot_file": get(COORDINATORS, lambda world: [world.snapshot.pk]),
    "finetuning:snapshot_remarks": get(
        does(COORDINATORS, 404), lambda world: [world.snapshot.pk]
    ),  # nobody said anything in words
    "finetuning:finetune_new": get(COORDINATORS),
    "finetuning:finetune": get(COORDINATORS, lambda world: [world.fine_tune.pk]),
    "finetuning:finetune_curve": get(COORDINATORS, lambda world: [world.fine_tune.pk, "svg"]),
    "finetuning:gate": get(COORDINATORS, lambda world: [world.gate.pk]),
    "finetuning:gate_report": get(COORDINATORS, lambda world: [world.gate.pk, "html"]),
    "finetuning:gate_plot": get(COORDINATORS, lambda world: [world.gate.pk, "quality"]),
    "finetuning:gate_study": post(does(COORDINATORS), lambda world: [world.gate.pk]),
    "finetuning:gate_start": post(does(COORDINATORS), lambda world: [world.version.pk]),
    "finetuning:promote": post(does(COORDINATORS), lambda world: [world.version.pk]),
    "finetuning:back": post(does(COORDINATORS)),
    "finetuning:schedule_new": get(COORDINATORS),
    "finetuning:schedule": get(COORDINATORS, lambda world: [world.schedule.pk]),
    # Curation and exports
    "curation:list": get(COORDINATORS),
    "curation:create": get(COORDINATORS),
    "curation:policy": get(COORDINATORS, lambda world: [world.curated_set.policy_id]),
    "curation:let-in": post(does(COORDINATORS, 404), lambda world: [world.curated_set.policy_id]),
    "curation:apply": post(does(COORDINATORS), lambda world: [world.curated_set.policy_id]),
    "curation:set": get(COORDINATORS, lambda world: [world.curated_set.pk]),
    "retractions:list": get(COORDINATORS),
    "retractions:new": get(COORDINATORS),
    "retractions:show": get(COORDINATORS, lambda world: [world.retraction.pk]),
    "retractions:undo": post(does(COORDINATORS), lambda world: [world.retraction.pk]),
    "retractions:rebuild-all": post(does(COORDINATORS), lambda world: [world.retraction.pk]),
    "retractions:rebuild": post(
        does(COORDINATORS),
        lambda world: [world.retraction.pk],
        lambda world: {"kind": "snapshot", "row": str(world.snapshot.pk)},
    ),
    "api:retractions": get(COORDINATORS_BY_API),
    "api:retraction-preview": post(does(COORDINATORS_BY_API, 400)),
    "api:retraction": get(COORDINATORS_BY_API, lambda world: [world.retraction.pk]),
    "api:retraction-undo": post(
        does(COORDINATORS_BY_API, 400), lambda world: [world.retraction.pk]
    ),
    "api:retraction-rebuild": post(COORDINATORS_BY_API, lambda world: [world.retraction.pk]),
    # Experiments
    "experiments:list": get(COORDINATORS),
    "experiments:create": get(COORDINATORS),
    "experiments:preview": post(COORDINATORS),
    "experiments:experiment": get(COORDINATORS, lambda world: [world.experiment.pk]),
    "experiments:edit": get(COORDINATORS, lambda world: [world.draft_experiment.pk]),
    "experiments:start": post(does(COORDINATORS), lambda world: [world.draft_experiment.pk]),
    "experiments:pause": post(does(COORDINATORS), lambda world: [world.experiment.pk]),
    "experiments:resume": post(does(COORDINATORS), lambda world: [world.experiment.pk]),
    "experiments:cancel": post(does(COORDINATORS), lambda world: [world.experiment.pk]),
    "experiments:retry": post(does(COORDINATORS), lambda world: [world.experiment.pk]),
    "experiments:delete": post(does(COORDINATORS), lambda world: [world.draft_experiment.pk]),
    "experiments:retry-cell": post(
        does(COORDINATORS), lambda world: [world.experiment.pk, world.cell.pk]
    ),
    "experiments:cancel-cell": post(
        does(COORDINATORS), lambda world: [world.experiment.pk, world.cell.pk]
    ),
    "experiments:report": get(COORDINATORS, lambda world: [world.experiment.pk]),
    "experiments:report-to-keep": get(COORDINATORS, lambda world: [world.experiment.pk, "html"]),
    "experiments:plot": get(COORDINATORS, lambda world: [world.experiment.pk, "forest", "svg"]),
    "api:promotions": get(COORDINATORS_BY_API),
    "api:promotion-back": post(does(COORDINATORS_BY_API, 400)),
    "api:snapshots": get(COORDINATORS_BY_API),
    "api:snapshot": get(COORDINATORS_BY_API, lambda world: [world.snapshot.pk]),
    "api:snapshot-file": get(COORDINATORS_BY_API, lambda world: [world.snapshot.pk]),
    "api:snapshot-remarks": get(COORDINATORS_BY_API, lambda world: [world.snapshot.pk]),
    "api:fine-tunes": get(COORDINATORS_BY_API),
    "api:fine-tune": get(COORDINATORS_BY_API, lambda world: [world.fine_tune.pk]),
    "api:gates": get(COORDINATORS_BY_API),
    "api:gate": get(COORDINATORS_BY_API, lambda world: [world.gate.pk]),
    "api:gate-study": post(does(COORDINATORS_BY_API, 400), lambda world: [world.gate.pk]),
    "api:reward-models": get(COORDINATORS_BY_API),
    "api:reward-model": get(does(COORDINATORS_BY_API, 404), lambda _: [0]),
    "api:gate-report": get(COORDINATORS_BY_API, lambda world: [world.gate.pk]),
    "api:schedules": get(COORDINATORS_BY_API),
    "api:schedule": get(COORDINATORS_BY_API, lambda world: [world.schedule.pk]),
    "api:policies": get(COORDINATORS_BY_API),
    "api:policy": get(COORDINATORS_BY_API, lambda world: [world.curated_set.policy_id]),
    "api:curated-sets": get(COORDINATORS_BY_API),
    "api:curated-set": get(COORDINATORS_BY_API, lambda world: [world.curated_set.pk]),
    "api:curated-set-items": get(COORDINATORS_BY_API, lambda world: [world.curated_set.pk]),
    "api:exports": get(ADMINS_BY_API),
    "api:export-preferences": post(does(ADMINS_BY_API, 400)),
    "api:export": get(ADMINS_BY_API, lambda world: [world.export.pk]),
    "api:export-download": get(ADMINS_BY_API, lambda world: [world.export.pk]),
    "api:experiments": get(COORDINATORS_BY_API),
    "api:experiment": get(COORDINATORS_BY_API, lambda world: [world.experiment.pk]),
    "api:experiment-start": post(
        does(COORDINATORS_BY_API, 400), lambda world: [world.experiment.pk]
    ),
    "api:experiment-pause": post(
        does(COORDINATORS_BY_API, 400), lambda world: [world.experiment.pk]
    ),
    "api:experiment-resume": post(
        does(COORDINATORS_BY_API, 400), lambda world: [world.experiment.pk]
    ),
    "api:experiment-cancel": post(
        does(COORDINATORS_BY_API, 400), lambda world: [world.experiment.pk]
    ),
    "api:experiment-retry": post(
        does(COORDINATORS_BY_API, 400), lambda world: [world.experiment.pk]
    ),
    "exports:list": get(ADMINS),
    "exports:create": post(
        does(ADMINS), body=lambda world: {"curated_set": str(world.curated_set.pk)}
    ),
    "exports:create_preferences": post(
        does(ADMINS), body=lambda world: {"snapshot": str(world.snapshot.pk)}
    ),
    "exports:export": get(ADMINS, lambda world: [world.export.pk]),
    "exports:download": get(ADMINS, lambda world: [world.export.pk]),
}
