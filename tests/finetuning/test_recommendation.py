"""Which method is recommended for how much of what."""

import pytest

from feedback_app.finetuning.services.recommendation import BEST_OF_N, Supply, recommend


@pytest.mark.parametrize(
    ("supply", "method", "safeguarded"),
    [
        (Supply(pairs=0, scored=0), BEST_OF_N, False),
        (Supply(pairs=29, scored=29), BEST_OF_N, False),
        (Supply(pairs=20, scored=30), "reward_weighted", False),
        (Supply(pairs=299, scored=400), "reward_weighted", False),
        (Supply(pairs=300, scored=400), "dpo_margin", True),
        (Supply(pairs=1_000, scored=400), "dpo_margin", False),
        (Supply(pairs=40, scored=0), "dpo_margin", True),
        (Supply(pairs=40, scored=20, accepted=80, rejected=30), "kto", False),
        (Supply(pairs=0, scored=0, accepted=20, rejected=15), "kto", False),
        (Supply(pairs=0, scored=0, rejected=200), BEST_OF_N, False),
    ],
)
def test_the_method_follows_from_number_and_kind(
    supply: Supply, method: str, safeguarded: bool
) -> None:
    found = recommend(supply)
    assert (found.method, found.safeguarded) == (method, safeguarded)
    assert found.trains == (method != BEST_OF_N)
    assert found.reason.endswith(".")


def test_the_reason_names_what_there_is() -> None:
    reason = recommend(Supply(pairs=1_200, scored=800)).reason
    assert reason == "1,200 pairs are enough to learn from what was preferred."
