"""Best of n: no training, the candidate of each prompt that scores best."""

from collections.abc import Sequence


def best_of_n(prompts: Sequence[str], scores: Sequence[float]) -> list[int]:
    """Returns the place of each prompt's best candidate, in order of the prompts' first appearance.

    Both sequences are of one length, candidate by candidate; of equals the first is taken.
    """
    best: dict[str, int] = {}
    for place, (prompt, score) in enumerate(zip(prompts, scores, strict=True)):
        if prompt not in best or score > scores[best[prompt]]:
            best[prompt] = place
    return list(best.values())
