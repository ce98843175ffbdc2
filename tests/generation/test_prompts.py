import random

from generation.conditioning.prompts import (
    default_prompts,
    prompt_for,
    prompt_set,
    training_prompt,
)
from generation.specs import TrainingImage

PATIENT = TrainingImage(
    path="a.png",
    image_id="a",
    patient="1",
    split="train",
    findings=("edema", "effusion"),
    view="AP",
    sex="M",
    age_years=41,
)


def test_a_prompt_names_finding_view_sex_and_age() -> None:
    prompt = prompt_for(("pneumonia",), view="PA", sex="F", age_years=60)
    assert prompt == "chest x-ray, pneumonia, PA view, female, 60 years"


def test_what_is_not_known_is_left_out() -> None:
    assert prompt_for(view="AP") == "chest x-ray, no finding, AP view"


def test_an_image_with_several_findings_mostly_names_one_of_them() -> None:
    randomness = random.Random(0)
    prompts = [training_prompt(PATIENT, randomness) for _ in range(400)]
    both = sum("edema" in prompt and "effusion" in prompt for prompt in prompts)
    assert 0.2 < both / len(prompts) < 0.4
    assert all("edema" in prompt or "effusion" in prompt for prompt in prompts)


def test_a_prompt_set_has_every_combination_once_and_is_always_the_same() -> None:
    prompts = prompt_set(["edema", "mass"], views=["PA"], sexes=["F", "M"], ages_years=[40, 60])
    assert len(set(prompts)) == 8
    assert default_prompts() == default_prompts()


def test_the_first_default_prompts_differ_in_more_than_their_age() -> None:
    findings = {prompt.split(", ")[1] for prompt in default_prompts()[:8]}
    assert len(findings) > 2
