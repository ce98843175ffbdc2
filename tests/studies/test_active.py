"""Pools whose order is active: from measures to values, and a newer reward model's turn."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.images.models import Batch, Image, Measure, Scorer, ScorerKind
from feedback_app.readings.claims import claim
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from feedback_app.studies import services
from feedback_app.studies.models import (
    ActiveOrder,
    Allocation,
    CaseOrder,
    CaseRole,
    Draw,
    Slot,
    Study,
)
from feedback_app.studies.services import Design
from feedback_app.studies.services.active import follow_reward_model, value_of
from generation.errors import RemediableError
from generation.rewards.acquisition import preference_disagreement
from tests.readings.rooms import reward_model
from tests.studies.making import make_batch, make_cohort, posted_design

pytestmark = pytest.mark.django_db


def measure(model: Scorer, images: list[Image], *, step: float) -> None:
    """Two heads who differ about an image by twice ``step`` for each image before it."""
    for place, image in enumerate(images):
        apart = step * place
        Measure.objects.create(
            image=image,
            scorer=model.measure,
            version=model.version,
            value=2.5,
            details={"disagreement": apart, "utility": 0.0, "utilities": [apart, -apart]},
        )


@pytest.fixture
def model() -> Scorer:
    return reward_model(is_active=False)


@pytest.fixture
def batch(model: Scorer) -> Batch:
    """Five prompts of two images; the second prompt's are most disputed, the last not measured."""
    made = make_batch(prompts=5, each=2)
    for prompt_index, step in enumerate((0.1, 0.9, 0.3, 0.0)):
        measure(model, images_of(made, prompt_index), step=step)
    return made


def images_of(batch: Batch, prompt_index: int) -> list[Image]:
    recipes = batch.batchrecipe_set.filter(prompt_index=prompt_index).order_by("position")
    return [row.recipe.candidate.image for row in recipes]


def draft(batch: Batch, *readers: User, **changes: Any) -> Study:
    given: dict[str, Any] = {
        "name": "Doubts",
        "mode": "compare",
        "readers": readers,
        "allocation": Allocation.POOL,
        "case_order": CaseOrder.ACTIVE,
        "reward_model": Scorer.objects.get(name="telltale-reward"),
        "shuffle_seed": 7,
    }
    study = services.design_study(Design(**(given | changes)))
    services.add_cases(study, [batch])
    return study


def values(study: Study) -> list[float | None]:
    """By case, of the seats that are free."""
    free = study.slots.filter(reader=None).order_by("case__position", "seat")
    found = free.values_list("value", flat=True)
    return [None if value is None else round(value, 4) for value in found]


def test_opening_values_cases_by_the_heads_disagreement(batch: Batch, rosa: User) -> None:
    study = services.open_study(draft(batch, rosa))
    expected = [_apart(step) for step in (0.1, 0.9, 0.3, 0.0)]
    assert values(study) == [*expected, None]
    order = study.active_order
    assert (order.unmeasured, order.taken, study.seat_count) == (1, 0, 5)
    assert order.reward_model.name == "telltale-reward"


def _apart(step: float) -> float:
    return round(preference_disagreement(np.array([[0, step], [0, -step]])), 4)


def test_a_single_image_is_worth_the_spread_of_its_scores(batch: Batch, rosa: User) -> None:
    study = services.open_study(draft(batch, rosa, mode="rate"))
    assert values(study)[:4] == [0, 0.1, 0, 0.9]


def test_an_image_measured_before_heads_were_kept_apart_counts_as_not_measured() -> None:
    assert value_of([{"disagreement": 0.3, "utility": 1.0}]) is None
    assert value_of([None, {"disagreement": 0.3, "utilities": [0, 1]}]) is None


def test_what_all_read_has_no_value(batch: Batch, rosa: User) -> None:
    study = draft(batch, rosa)
    study.cases.filter(position=1).update(role=CaseRole.GOLD)
    services.open_study(study)
    assert values(study)[1] is None
    assert study.active_order.unmeasured == 1


def test_candidates_that_are_added_are_valued_and_drawn(
    batch: Batch, model: Scorer, rosa: User
) -> None:
    study = services.open_study(draft(batch, rosa))
    more = make_batch(prompts=1, each=2, name="more", seed=1)
    measure(model, images_of(more, 0), step=2.0)
    services.add_batches(study, [more])
    study.refresh_from_db()
    assert (study.seat_count, values(study)[-1]) == (6, _apart(2.0))
    held: list[Slot] = []
    while slot := claim(study, rosa, holding=[slot.pk for slot in held]):
        held.append(slot)
    assert len(held) == study.active_order.__class__.objects.get(study=study).taken == 6


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"allocation": Allocation.ASSIGNED}, "Only in an open pool"),
        ({"mode": "real_or_synthetic"}, "the order would tell"),
        ({"reward_model": None}, "Choose the reward model"),
        ({"exploration_percent": 4}, "Choose from 5 to 100 %"),
    ],
)
def test_what_cannot_be_drawn_by_value_is_refused(
    batch: Batch, rosa: User, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(RemediableError, match=sentence):
        draft(batch, rosa, **changes)


def newer(batch: Batch, *, name: str = "newer", **values: object) -> Scorer:
    """Active, and of another opinion: the first prompt's images are most disputed."""
    made = reward_model(name, **values)
    made.sha256 = "2" * 64
    made.save()
    for prompt_index, step in enumerate((2.0, 0.1, 0.1, 0.1, 0.1)):
        measure(made, images_of(batch, prompt_index), step=step)
    return made


def test_another_reward_model_values_what_is_free_and_nothing_else(
    batch: Batch, rosa: User, cora: User
) -> None:
    study = services.open_study(draft(batch, rosa))
    given = claim(study, rosa)
    assert given is not None
    before = given.value
    run = services.start_valuing(study, newer(batch), actor=cora)
    done = runs.execute(run.pk)
    assert done is not None
    assert (done.state, done.result["unmeasured"]) == (State.SUCCEEDED, 0)
    of_cases = [_apart(step) for step in (2.0, 0.1, 0.1, 0.1, 0.1)]
    assert values(study) == [
        value for place, value in enumerate(of_cases) if place != given.case.position
    ]
    given.refresh_from_db()
    assert (given.value, given.draw.value) == (before, before)
    assert given.draw.reward_model.name == "telltale-reward"
    order = ActiveOrder.objects.get(study=study)
    assert (order.reward_model.name, order.unmeasured) == ("newer", 0)
    assert AuditEvent.objects.get(action="study.reward_model_changed").actor == cora


def test_cases_are_valued_by_one_run_at_a_time_in_a_study_that_draws(
    batch: Batch, rosa: User
) -> None:
    study = draft(batch, rosa)
    model = newer(batch)
    with pytest.raises(RemediableError, match="draws nothing"):
        services.start_valuing(study, model)
    services.open_study(study)
    services.start_valuing(Study.objects.get(), model)
    with pytest.raises(RemediableError, match="being valued just now"):
        services.start_valuing(Study.objects.get(), model)


def test_a_newer_reward_model_of_the_same_kind_of_readers_takes_over_once(
    batch: Batch, rosa: User
) -> None:
    services.open_study(draft(batch, rosa))
    measuring = runs.start("measure", title="Measure", spec={})
    model = newer(batch)
    assert follow_reward_model(model, after=measuring) == 1
    order = ActiveOrder.objects.get()
    assert order.run is not None
    assert order.run.title == "Value the cases of Doubts by newer"
    assert runs.execute(order.run.pk) is None  # its measures are still to come
    succeed(measuring)
    assert runs.execute(order.run.pk) is not None
    assert ActiveOrder.objects.get().reward_model.name == "newer"
    assert follow_reward_model(model, after=measuring) == 0


def succeed(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state=State.SUCCEEDED, finished_at=timezone.now())


def test_of_two_newer_reward_models_the_last_one_stays(batch: Batch, rosa: User) -> None:
    services.open_study(draft(batch, rosa))
    measuring = [runs.start("measure", title="Measure", spec={}) for _ in range(2)]
    follow_reward_model(newer(batch), after=measuring[0])
    first = ActiveOrder.objects.get().run
    follow_reward_model(newer(batch, name="newest", is_active=False), after=measuring[1])
    last = ActiveOrder.objects.get().run
    assert first is not None and last is not None
    succeed(measuring[1])
    assert runs.execute(last.pk) is None  # the first comes before it
    succeed(measuring[0])
    runs.execute(first.pk)
    runs.execute(last.pk)
    assert ActiveOrder.objects.get().reward_model.name == "newest"


def test_an_older_reward_model_does_not_take_over(batch: Batch, rosa: User) -> None:
    services.open_study(draft(batch, rosa))
    model = newer(batch)
    Scorer.objects.filter(pk=model.pk).update(created_at=timezone.now() - timedelta(days=9))
    model.refresh_from_db()
    measuring = runs.start("measure", title="Measure", spec={})
    assert follow_reward_model(model, after=measuring) == 0


def test_what_simulated_readers_taught_does_not_take_over(batch: Batch, rosa: User) -> None:
    services.open_study(draft(batch, rosa))
    measuring = runs.start("measure", title="Measure", spec={})
    model = newer(batch, taught_by_simulated_readers=True)
    assert follow_reward_model(model, after=measuring) == 0


def posted(batch: Batch, model: Scorer, **changes: Any) -> dict[str, Any]:
    return posted_design(
        mode="rate_k",
        allocation="pool",
        images_per_case="2",
        batches=[batch.pk],
        case_order="active",
        reward_model=model.pk,
        exploration_percent="30",
        **changes,
    )


def test_a_coordinator_designs_an_active_order(
    cora_client: Client, batch: Batch, model: Scorer, rosa: User
) -> None:
    data = posted(batch, model, readers=[rosa.pk])
    preview = cora_client.post(reverse("studies:preview"), data).content.decode()
    assert "30 % by lot" in preview
    assert "1 of 5 cases have not been measured" in preview
    assert cora_client.post(reverse("studies:create"), data).status_code == 302
    study = Study.objects.get()
    assert (study.case_order, study.reward_model, study.exploration_percent) == (
        CaseOrder.ACTIVE,
        model,
        30,
    )
    page = cora_client.get(reverse("studies:edit", args=[study.pk])).content.decode()
    assert f'<option value="{model.pk}" selected>' in page


def test_a_form_without_a_reward_model_says_so(
    cora_client: Client, batch: Batch, model: Scorer
) -> None:
    unnamed = posted(batch, model) | {"reward_model": ""}
    answer = cora_client.post(reverse("studies:create"), unnamed)
    assert b"Choose the reward model whose doubts lead." in answer.content
    too_low = posted(batch, model) | {"exploration_percent": "4"}
    low = cora_client.post(reverse("studies:create"), too_low)
    assert b"greater than or equal to 5" in low.content
    assert not Study.objects.exists()


def test_fields_of_an_active_order_count_only_where_they_are_in_sight(
    cora_client: Client, batch: Batch, model: Scorer
) -> None:
    data = posted(batch, model) | {"allocation": "assigned"}
    assert cora_client.post(reverse("studies:create"), data).status_code == 302
    study = Study.objects.get()
    assert (study.case_order, study.reward_model) == (CaseOrder.RANDOM, None)


def test_the_studys_page_tells_what_was_drawn_and_takes_another_model(
    cora_client: Client, batch: Batch, rosa: User
) -> None:
    study = services.open_study(draft(batch, rosa, exploration_percent=5))
    address = reverse("studies:detail", args=[study.pk])
    assert "Nothing drawn yet" in cora_client.get(address).content.decode()
    claim(study, rosa)
    page = cora_client.get(address).content.decode()
    assert "of 1 draw by lot" in page
    assert "1 case without a measure come by lot alone" in page
    answer = cora_client.post(
        reverse("studies:use-reward-model", args=[study.pk]),
        {"reward_model": newer(batch).pk},
        follow=True,
    )
    assert b"newer values what is still free" in answer.content
    assert b"Being valued anew" in answer.content


def test_a_scorer_of_another_kind_is_no_choice(
    cora_client: Client, batch: Batch, model: Scorer, rosa: User
) -> None:
    study = services.open_study(draft(batch, rosa))
    other = Scorer.objects.create(
        name="labels", kind=ScorerKind.CLASSIFIER, location="-", sha256="3"
    )
    address = reverse("studies:use-reward-model", args=[study.pk])
    answer = cora_client.post(address, {"reward_model": other.pk}, follow=True)
    assert b"Choose a reward model." in answer.content
    with pytest.raises(RemediableError, match="is no reward model"):
        services.start_valuing(study, other)


def test_an_active_order_goes_over_the_api(
    cora_client: Client, batch: Batch, model: Scorer, rosa: User
) -> None:
    sent = {
        "name": "Doubts",
        "mode": "compare",
        "readers": ["rosa"],
        "batches": [str(batch.pk)],
        "allocation": "pool",
        "case_order": "active",
        "reward_model": model.name,
        "exploration_percent": 40,
    }
    answer = cora_client.post(reverse("api:studies"), sent, content_type="application/json")
    assert answer.status_code == 201, answer.content
    got = answer.json()
    assert {key: got[key] for key in sent} == sent
    seen = cora_client.get(reverse("api:study-draft-preview", args=[got["id"]])).json()
    assert seen["unmeasured"] == 1
    wrong = cora_client.post(
        reverse("api:studies"),
        sent | {"name": "Other", "allocation": "assigned"},
        content_type="application/json",
    )
    assert wrong.status_code == 400
    assert "case_order" in wrong.json()["error"]["fields"]


def test_a_draw_of_real_images_is_impossible_since_the_order_would_tell(rosa: User) -> None:
    cohort = make_cohort(test=3)
    with pytest.raises(RemediableError, match="the order would tell"):
        services.design_study(
            Design(
                name="Real?",
                mode="real_or_synthetic",
                readers=(rosa,),
                real_cohort=cohort,
                allocation=Allocation.POOL,
                case_order=CaseOrder.ACTIVE,
                reward_model=reward_model(),
            )
        )
    assert not Draw.objects.exists()
