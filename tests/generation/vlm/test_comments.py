"""Which artefacts a reader's comment names, and whether as there, doubted or denied."""

import pytest

from feedback_app.studies.scales import DEFAULT_FLAGS
from generation.vlm.reports.comments import artefacts_in, contradicts

RIBS, CLAVICLES, DEVICE = "Rib count or continuity", "Clavicles", "Device that ends nowhere"


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("The fifth rib on the left is doubled.", {RIBS: "present"}),
        ("Left clavicle ends in nothing, ribs are fine.", {CLAVICLES: "present"}),
        ("Ribs and clavicles are fused.", {RIBS: "present", CLAVICLES: "present"}),
        ("Ribs look normal, no doubling.", {RIBS: "absent"}),
        ("Possibly an extra rib", {RIBS: "uncertain"}),
        ("No doubled rib. Later: a doubled rib after all.", {RIBS: "present"}),
        ("A catheter goes nowhere", {DEVICE: "present"}),
        ("It does not match the prompt.", {"Prompt mismatch": "present"}),
        ("The left lung has a pink spot", {"Pink spot": "present"}),
        ("Good image.", {}),
    ],
)
def test_artefacts_are_named_by_parts_and_faults_or_by_their_own_words(
    comment: str, expected: dict[str, str]
) -> None:
    found = artefacts_in(comment, [*DEFAULT_FLAGS, "Pink spot"])
    strongest = {one.name: one.presence for one in reversed(found)}
    assert strongest | {one.name: one.presence for one in found if one.presence == "present"} == (
        expected
    )


@pytest.mark.parametrize(
    ("comment", "letters"),
    [
        ("A rib is doubled.", [""]),
        ("A: doubled rib", ["A"]),
        ("B has a doubled rib", ["B"]),
        ("Doubled rib on image C", ["C"]),
        ("Image A is fine. Image B has a missing clavicle", ["B"]),
    ],
)
def test_an_image_is_meant_where_its_letter_is_named(comment: str, letters: list[str]) -> None:
    assert [one.letter for one in artefacts_in(comment, DEFAULT_FLAGS)] == letters


@pytest.mark.parametrize(
    ("comment", "prompt", "expected"),
    [
        ("No effusion to be seen.", "Frontal chest X-ray with effusion", ["effusion"]),
        ("The consolidation is missing.", "consolidation, female", ["consolidation"]),
        ("There is pneumonia.", "Normal chest X-ray", ["pneumonia"]),
        ("A large effusion.", "effusion", []),
        ("No pneumothorax.", "effusion", []),
    ],
)
def test_what_a_comment_denies_of_its_prompt_contradicts_it(
    comment: str, prompt: str, expected: list[str]
) -> None:
    assert contradicts(comment, prompt) == expected
