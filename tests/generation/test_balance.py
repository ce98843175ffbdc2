from collections import Counter
from itertools import product

import pytest

from generation.conditioning.balance import Wish, balanced_prompts
from generation.conditioning.facts import AGE_BANDS, PromptFacts, age_band, facts_of
from generation.errors import RemediableError

EVERYONE = [
    PromptFacts(findings=findings, sex=sex, view=view, age_years=age)
    for findings, sex, view, age in product(
        [(), ("edema",), ("edema", "effusion")], "FM", ("PA", "AP"), range(10, 90, 5)
    )
]


def test_findings_sexes_views_and_age_bands_come_equally_often() -> None:
    wish = Wish(findings=("no finding", "edema"), count=32)
    found = balanced_prompts(EVERYONE, wish)
    facts = [facts_of(prompt) for prompt in found.prompts]
    assert len(set(found.prompts)) == 32
    assert Counter(one.findings for one in facts) == {(): 16, ("edema",): 16}
    assert Counter(one.sex for one in facts) == {"F": 16, "M": 16}
    assert Counter(one.view for one in facts) == {"PA": 16, "AP": 16}
    assert Counter(age_band(one.age_years) for one in facts) == dict.fromkeys(AGE_BANDS, 8)
    assert found.shortfalls == ()


def test_the_same_wish_gives_the_same_prompts_and_another_seed_others() -> None:
    wish = Wish(findings=("edema",), count=8)
    assert balanced_prompts(EVERYONE, wish) == balanced_prompts(EVERYONE, wish)
    other = balanced_prompts(EVERYONE, Wish(findings=("edema",), count=8, seed=1))
    assert other.prompts != balanced_prompts(EVERYONE, wish).prompts


def test_prompts_with_several_findings_are_those_that_occur() -> None:
    wish = Wish(findings=("edema", "effusion"), count=16, several_percent=50)
    several = [p for p in balanced_prompts(EVERYONE, wish).prompts if "edema, effusion" in p]
    assert len(several) == 8


def test_what_cannot_be_filled_is_said() -> None:
    rare = [PromptFacts(findings=("hernia",), sex="F", view="PA", age_years=70)]
    found = balanced_prompts([*EVERYONE, *rare], Wish(findings=("edema", "hernia"), count=16))
    assert sum("hernia" in prompt for prompt in found.prompts) == 1
    assert any(line.startswith("hernia: 1 of 8 wanted") for line in found.shortfalls)
    missing = "hernia: none is male, under 18, 18 to 39, 40 to 64, AP"
    assert missing in found.shortfalls


def test_an_attribute_that_the_whole_cohort_lacks_is_left_out_of_the_prompts() -> None:
    images = [PromptFacts(findings=("mass",), sex="F", age_years=age) for age in (30, 31, 50)]
    found = balanced_prompts(images, Wish(findings=("mass",), count=3))
    assert all("view" not in prompt for prompt in found.prompts)
    assert "view: no image of the cohort has one" in found.shortfalls


def test_images_that_lack_what_others_have_are_left_out_and_counted() -> None:
    incomplete = PromptFacts(findings=("edema",), sex="", view="PA", age_years=30)
    found = balanced_prompts([*EVERYONE, incomplete], Wish(findings=("edema",), count=4))
    assert found.left_out == 1


def test_findings_that_no_image_has_are_refused() -> None:
    with pytest.raises(RemediableError, match="no image"):
        balanced_prompts(EVERYONE, Wish(findings=("fibrosis",), count=4))


def test_facts_are_read_from_a_prompts_words() -> None:
    facts = facts_of("chest x-ray, edema, effusion, AP view, male, 41 years")
    assert facts == PromptFacts(findings=("edema", "effusion"), view="AP", sex="M", age_years=41)
    assert facts_of("small left pleural effusions") == PromptFacts(
        findings=("effusion",), side="left"
    )
    assert facts_of("a female of 999 years").sex == "F"
    assert age_band(999) == ""
