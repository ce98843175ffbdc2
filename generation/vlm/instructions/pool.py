"""A bounded choice of earlier exams, from which questions take their wrong answers."""

import random
from collections.abc import Callable

from generation.vlm.instructions.records import Exam

POOL_SIZE = 256
TRIES = 16


class Pool:
    """The last exams of one source and one split; the oldest gives way once it is full."""

    def __init__(self) -> None:
        self._exams: list[Exam] = []
        self._added = 0

    def add(self, exam: Exam) -> None:
        if len(self._exams) < POOL_SIZE:
            self._exams.append(exam)
        else:
            self._exams[self._added % POOL_SIZE] = exam
        self._added += 1

    def of_another_patient(
        self,
        exam: Exam,
        randomness: random.Random,
        *,
        suits: Callable[[Exam], bool] = lambda _: True,
    ) -> Exam | None:
        """Returns an exam of somebody else that suits; None where a few draws found none."""
        for _ in range(TRIES if self._exams else 0):
            other = randomness.choice(self._exams)
            if other.patient != exam.patient and suits(other):
                return other
        return None
