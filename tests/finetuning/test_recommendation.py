"""Which method is recommended for how much of what."""

import pytest

from feedback_app.finetuning.services.recommendation import BEST_OF_N, Supply, recommend


@pytest.mark.parametrize(
    ("supply", "method"),
    [
        (Supply(pairs=0, scored=0), BEST_OF_N),
        (Supply(pairs=99, scored=99), BEST_OF_N),
        (Supply(pairs=99, scored=100), "kto"),
        (Supply(pairs=100, scored=90), "dpo_margin"),
        (Supply(pairs=1_000, scored=400), "dpo_margin"),
        (Supply(pairs=40, scored=20, accepted=80, rejected=30), "kto"),
        (Supply(pairs=0, scored=0, accepted=20, rejected=15), BEST_OF_N),
        (Supply(pairs=0, scored=0, rejected=200), BEST_OF_N),
    ],
)
def test_the_method_follows_from_number_and_kind(supply: Supply, method: str) -> None:
    found = recommend(supply)
    assert found.method == method
    assert found.trains == (method != BEST_OF_N)
    assert found.reason.endswith(".")


def test_the_reason_names_what_there_is() -> None:
    reason = recommend(Supply(pairs=1_200, scored=800)).reason
    assert reason == "1,200 pairs are enough to learn from what was preferred."
