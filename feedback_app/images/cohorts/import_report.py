"""What an import did, and what it left out and why."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from feedback_app.images.cohorts.models import ImportSkip
from feedback_app.runs.progress import Progress, storable
from generation.datasets.parsed import Skip

LOGGED_SKIPS = 100
"""Lines of the log; the table of skips has them all."""
SKIPS_AT_ONCE = 1_000
WARNING = "warning"
"""What came in, and people should look at before they use it."""


@dataclass
class Tally:
    """What became of some images."""

    added: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    shared: int = 0
    moved: int = 0
    skips: list[Skip] = field(default_factory=list)


@dataclass
class Report:
    """The tally of a whole import; what was left out goes to the database as it comes."""

    progress: Progress
    added: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    shared: int = 0
    moved: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    warnings: int = 0
    done: int = 0
    _waiting: list[Skip] = field(default_factory=list)

    @classmethod
    def begin(cls, progress: Progress) -> "Report":
        """Forget what an earlier attempt of the same run left out: it is met again."""
        ImportSkip.objects.filter(run=progress.run).delete()
        return cls(progress=progress)

    def count(self, tally: Tally) -> None:
        self.added += tally.added
        self.unchanged += tally.unchanged
        self.shared += tally.shared
        self.moved += tally.moved
        self.skip(tally.skips)

    def skip(self, skips: Iterable[Skip]) -> None:
        for skip in skips:
            if self.skipped.total() + self.warnings < LOGGED_SKIPS:
                self.progress.log(f"{skip.file} ({skip.what}): {skip.reason}")
            if skip.what == WARNING:
                self.warnings += 1
            else:
                self.skipped[skip.what] += 1
            self._waiting.append(skip)
        if len(self._waiting) >= SKIPS_AT_ONCE:
            self.write_skips()

    def write_skips(self) -> None:
        ImportSkip.objects.bulk_create(
            ImportSkip(
                run=self.progress.run,
                file=storable(skip.file),
                what=skip.what,
                reason=storable(skip.reason),
            )
            for skip in self._waiting
        )
        self._waiting.clear()

    def tell(self, *, total: int) -> None:
        """Report progress; raises where the import must stop."""
        self.write_skips()
        note = f"{self.added['images']:,} added, {self.unchanged:,} there already"
        if self.skipped:
            note += f", {self.skipped.total():,} skipped"
        if self.warnings:
            note += f", {self.warnings:,} to look at"
        self.progress.update(self.done, total=total, note=note)

    def as_result(self) -> dict[str, Any]:
        return {
            "added": {what: count for what, count in sorted(self.added.items()) if count},
            "unchanged": self.unchanged,
            "shared": self.shared,
            "moved": self.moved,
            "skipped": dict(sorted(self.skipped.items())),
            "warnings": self.warnings,
        }
