"""A curated set says how it is made up by sex, age and view, and whom it thinned out."""

import pytest

from feedback_app.accounts.models import User
from feedback_app.curation.makeup import make_up_of
from feedback_app.images.models import Candidate
from feedback_app.studies.models import Case, CaseImage
from tests.curation.stage import make_version, set_stage
from tests.experiments.making import curate, make_batch
from tests.images.judged import PROMPTS, measured


@pytest.mark.django_db
def test_a_curated_set_says_whom_it_thinned_out(rosa: User) -> None:
    version, stage = make_version("drawer"), set_stage(rosa, count=1)
    women, men = (
        make_batch(version, prompts=[one for one in PROMPTS if f" {sex}," in one], name=sex)
        for sex in ("female", "male")
    )
    rows = list(Candidate.objects.filter(recipe__batches__in=[women, men]).select_related("recipe"))
    measured(rows)
    for number, row in enumerate(rows, start=10):
        case = Case.objects.create(study=stage.study, position=number)
        CaseImage.objects.create(case=case, image=row.image, position=0)
    curated = curate(men)
    curated.rules = {"studies": [str(stage.study.pk)]}
    lines = {(one.attribute, one.value): one for one in make_up_of(curated)}
    female, male = lines["sex", "female"], lines["sex", "male"]
    assert (female.count, female.asked, female.change) == (0, 0.5, "thinned out")
    assert (male.count, male.change) == (40, "more than asked for")
    assert lines["view", "PA"].change == ""
    assert lines["view", "PA"].generated == 0.5
    assert lines["age", "65 and over"].asked == 1
