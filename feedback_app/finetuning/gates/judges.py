"""Who may judge: somebody that the training did not learn from."""

from feedback_app.finetuning.models import FineTune
from feedback_app.images.models import ModelVersion

NO_JUDGE = (
    "no reward model is registered that learnt from other readings than these. Have people "
    "compare the two versions blind, or train a reward model on readings that were not taught on."
)


def own_fine_tune(version: ModelVersion) -> FineTune | None:
    """The fine-tune that gave this version itself."""
    rows = FineTune.objects.filter(model_version=version).select_related("snapshot", "run")
    return rows.first()
