"""Multiple choice: the option of the highest likelihood, with the options in every cyclic order.

The score of an option is the mean log likelihood of its tokens after image and question, as in
CheXbench (arXiv 2401.12208), so that long options are not worse for being long. A model may
prefer a place or a letter whatever stands there: so each question is asked once for each
rotation of its options, and an option's score is its mean over them.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LETTERED = re.compile(r"\(\s*([A-Za-z0-9])\s*\)|^\s*([A-Za-z0-9])\s*[).:]|^\s*([A-Za-z])\s*$")
"""``(B)``, ``B.`` or ``b)`` at the start, or a letter alone."""


@dataclass(frozen=True)
class Choice:
    """Mean score of each option in the question's own order, the best, and whether it is stable.

    ``is_stable`` where every rotation has the same best option.
    """

    scores: tuple[float, ...]
    best: int
    is_stable: bool

    @property
    def probabilities(self) -> tuple[float, ...]:
        """The softmax of the scores."""
        return softmax(self.scores)


def softmax(scores: Sequence[float]) -> tuple[float, ...]:
    """Probabilities of options; where none of them can be chosen they are alike."""
    if max(scores) == -np.inf:
        return (1 / len(scores),) * len(scores)
    powers = np.exp(np.array(scores) - max(scores))
    return tuple(float(power) for power in powers / powers.sum())


def rotations(count: int) -> list[tuple[int, ...]]:
    """Returns every cyclic order of so many options, the question's own first."""
    return [tuple((start + place) % count for place in range(count)) for start in range(count)]


def normalised(token_log_likelihoods: Sequence[float]) -> float:
    """Returns the mean over an option's tokens; an option without tokens cannot be chosen."""
    return float(np.mean(token_log_likelihoods)) if len(token_log_likelihoods) else -np.inf


def choose(scores: Sequence[Sequence[float]]) -> Choice:
    """From scores as they were asked: a row a rotation, options in that rotation's order."""
    count = len(scores)
    if any(len(row) != count for row in scores):
        raise ValueError("a question of k options needs k rotations of k scores")
    own = np.empty((count, count))
    for order, row in zip(rotations(count), scores, strict=True):
        own[order[0], list(order)] = row
    means = own.mean(axis=0)
    best = int(np.argmax(means))
    return Choice(
        scores=tuple(means.tolist()), best=best, is_stable=bool((own.argmax(axis=1) == best).all())
    )


def parse_answer(text: str, options: Sequence[str], *, letters: Sequence[str] = ()) -> int | None:
    """Returns which option a generated answer chooses; None where it chooses none, or several.

    A letter that was listed counts first, then an option word for word, then the only option
    that the answer contains. Nothing is guessed: None is wrong.
    """
    if letters:
        said = {group for match in LETTERED.finditer(text) for group in match.groups() if group}
        named = [place for place, letter in enumerate(letters) if letter in said]
        if len(named) == 1:
            return named[0]
        if len(named) > 1:
            return None
    plain = [_plain(option) for option in options]
    answer = _plain(text)
    if answer in plain:
        return plain.index(answer) if plain.count(answer) == 1 else None
    contained = [
        place
        for place, option in enumerate(plain)
        if re.search(rf"\b{re.escape(option)}\b", answer)
    ]
    # “left pleural effusion” contains “pleural effusion” too: the longer one was meant.
    whole = [
        place
        for place in contained
        if not any(
            place != other and re.search(rf"\b{re.escape(plain[place])}\b", plain[other])
            for other in contained
        )
    ]
    return whole[0] if len(whole) == 1 else None


def majority(answers: Sequence[str]) -> str:
    """Returns the most frequent answer, of several the one that comes first; empty without any."""
    counts = Counter(answers)
    return max(counts, key=counts.__getitem__, default="")


def blind_partners(patients: Sequence[str], *, seed: int) -> list[int]:
    """Finds for each question another patient's, whose picture it is asked with.

    Every question lends its picture once; where a patient has more than half of the questions
    there is no such order, and it is refused.
    """
    count = len(patients)
    names, members = np.unique(np.asarray(patients), return_inverse=True)
    largest = int(np.bincount(members).max()) if count else 0
    if 2 * largest > count:
        raise ValueError(f"{largest} of {count} questions are of one patient: nobody can swap")
    generator = np.random.default_rng(seed)
    # Questions of one patient stand together; a shift by the largest patient leaves none at home.
    rank = generator.permutation(len(names))[members]
    order = np.lexsort((generator.random(count), rank))
    partners = np.empty(count, dtype=int)
    partners[order] = np.roll(order, -largest)
    return partners.tolist()


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
