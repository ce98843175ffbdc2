"""What a whole source holds, counted before its questions are drafted, and what is thinned."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from generation.conditioning.facts import age_band
from generation.vlm.instructions.records import Draft, Exam

YES, NO = "yes", "no"
MAX_NORMAL = 50_000
"""Exams without a finding that are asked for all their findings, at most, in one source."""


@dataclass
class Census:
    """Counts over one source's exams with pictures; the rule of thinning follows from them.

    Of each finding as many exams that lack it are asked as have it, by a hash that is drawn for
    each exam; likewise exams without any finding. So a question's words alone tell nothing of
    its answer. ``thinned`` counts what was not asked, by task.
    """

    seed: str
    present: Counter[str] = field(default_factory=Counter)
    absent: Counter[str] = field(default_factory=Counter)
    normal: Counter[bool] = field(default_factory=Counter)
    attributes: Counter[tuple[str, str]] = field(default_factory=Counter)
    answers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    thinned: Counter[str] = field(default_factory=Counter)

    def add(self, exam: Exam) -> None:
        if exam.pictures:
            self.present.update(exam.present)
            self.absent.update(exam.absent)
            if exam.labelling:
                self.normal[not exam.present] += 1
                self._note("findings", exam.labelling)
            for region in exam.regions:
                self._note(region.task, region.label)
            self.attributes.update(("view", picture.view) for picture in exam.pictures)
            self.attributes["sex", exam.sex] += 1
            self.attributes["age", age_band(exam.age_years)] += 1
        for draft in exam.asked:
            if draft.balanced:
                counts = self.present if draft.answer == YES else self.absent
                counts[asked(draft)] += 1

    def varies(self, question: str) -> bool:
        """Returns whether a source has more than one answer to a question: else it is not asked."""
        return len(self.answers[question]) > 1

    def _note(self, question: str, answer: str) -> None:
        if not self.varies(question):
            self.answers[question].add(answer)

    def values(self, attribute: str) -> tuple[str, ...]:
        """Returns the values that occur, in the order of the alphabet."""
        return tuple(
            sorted(value for name, value in self.attributes if name == attribute and value)
        )

    def has_both(self, finding: str) -> bool:
        return bool(self.present[finding] and self.absent[finding])

    def keeps(self, exam: Exam, finding: str, *, is_present: bool, task: str) -> bool:
        """Returns whether a question of present or absent is asked of this exam."""
        share = self.present[finding] / max(1, self.absent[finding])
        is_kept = is_present or self._draw(exam, finding) < share
        return self._counted(task, is_kept=is_kept)

    def keeps_normal(self, exam: Exam, *, task: str) -> bool:
        most = min(MAX_NORMAL, self.normal[False] or MAX_NORMAL)
        is_kept = self._draw(exam, "normal") < most / self.normal[True]
        return self._counted(task, is_kept=is_kept)

    def keeps_asked(self, exam: Exam, draft: Draft) -> bool:
        """Returns whether a source's own question is asked; all are that are not balanced."""
        if not draft.balanced:
            return True
        return self.keeps(exam, asked(draft), is_present=draft.answer == YES, task=draft.task)

    def _counted(self, task: str, *, is_kept: bool) -> bool:
        if not is_kept:
            self.thinned[task] += 1
        return is_kept

    def _draw(self, exam: Exam, what: str) -> float:
        """Uniform in [0, 1), the same whenever it is asked."""
        text = f"{self.seed}:{exam.source}:{exam.key}:{what}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def asked(draft: Draft) -> str:
    """Returns the name that a source's own question is counted by, apart from those of findings."""
    return f"{draft.task}: {draft.balanced}"


def take_census(exams: Iterable[Exam], *, seed: str) -> Census:
    census = Census(seed=seed)
    for exam in exams:
        census.add(exam)
    return census
