"""A curated set of images that follow masks: one of text, one of one kind, one of two."""

from feedback_app.accounts.models import User
from feedback_app.curation.models import CuratedSet
from feedback_app.curation.services import apply_policy, create_policy
from feedback_app.images.candidates.batches import Settings, create_batch
from feedback_app.images.candidates.mask_choice import MaskChoice
from feedback_app.images.candidates.mask_plan import keep_masks, plan_masks
from feedback_app.studies.services import add_cases, create_study, open_study
from tests.curation.stage import Stage, make_version
from tests.finetuning.gate_world import fill
from tests.images.masked import make_masked_cohort

SIDE = 64


def make_masked_set(rosa: User) -> CuratedSet:
    """One image of text, one of lungs, one of lungs and an opacity, all admitted."""
    version = make_version(follows_masks=True)
    cohort = make_masked_cohort(train=2)
    batches = []
    for mode, kinds in (("t2i", ()), ("m2i", ("lungs",)), ("tm2i", ("lungs", "opacity"))):
        choice = MaskChoice(
            cohort=cohort,
            kinds=kinds,  # type: ignore[arg-type]
            number=1,
            families=("affine",),
            variants=1,
            keeps_parents=False,
        )
        batches.append(
            create_batch(
                mode,
                model_version=version,
                prompts=[] if mode == "m2i" else ["chest x-ray, pneumonia"],
                images_per_prompt=1,
                mode=mode,  # type: ignore[arg-type]
                conditions=keep_masks(plan_masks(choice, side=SIDE)) if kinds else (),
                settings=Settings(side=SIDE),
            )
        )
    candidates = [candidate for batch in batches for candidate in fill(batch, side=SIDE)]
    study = create_study(name="Masks", mode="rate", readers=[rosa], readers_per_case=1)
    add_cases(study, batches)
    stage = Stage(study=open_study(study), candidates=candidates)
    for index in range(len(candidates)):
        stage.read(rosa, index, 5)
    policy = create_policy("Masks", studies=[study], min_mean_scores={}, refuses_copies=False)
    return apply_policy(policy)
