"""A curated set that is ready to be exported."""

from collections.abc import Callable

import pytest

from feedback_app.accounts.models import User
from feedback_app.curation.models import CuratedSet
from feedback_app.curation.services import apply_policy, create_policy
from feedback_app.exports.models import Export
from feedback_app.exports.services import start_export
from feedback_app.runs import services as runs
from tests.curation.stage import Stage, set_stage
from tests.exports.masked import make_masked_set


@pytest.fixture
def stage(rosa: User) -> Stage:
    stage = set_stage(rosa, count=5)
    for index, score in enumerate((5, 4, 4, 3, 0)):
        stage.read(rosa, index, score)
    return stage


@pytest.fixture
def curated_set(stage: Stage) -> CuratedSet:
    """Four of five candidates."""
    policy = create_policy("Night 1", studies=[stage.study], min_mean_scores={"realism": 2.5})
    return apply_policy(policy)


@pytest.fixture
def masked_set(rosa: User) -> CuratedSet:
    return make_masked_set(rosa)


@pytest.fixture
def exported(curated_set: CuratedSet) -> Callable[[], Export]:
    """Starts an export of the curated set and does its run here."""

    def make() -> Export:
        export = start_export(curated_set)
        runs.execute(export.run_id)
        export.refresh_from_db()
        return export

    return make
