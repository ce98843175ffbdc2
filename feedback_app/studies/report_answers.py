"""Known answers about reports: which findings a reference names, and whether a report agrees.

Both are read by the rule parser. Each finding is an answer of its own, so that a study's pass
mark means the same in every mode.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from generation.errors import RemediableError
from generation.vlm.reports.mentions import Presence
from generation.vlm.reports.rules import RuleParser

NOT_SAID = "not mentioned"


@dataclass(frozen=True)
class FindingCompared:
    """What a reference and a report say of one finding."""

    finding: str
    expected: str
    given: str
    is_right: bool


def compare_findings(reference: str, report: str) -> list[FindingCompared]:
    """Returns a line a finding that the reference says is there or is not, or that the report alone
    sees.

    A finding that is absent need not be mentioned, and one that the reference leaves open is
    not compared; nor is what the report is unsure of beyond the reference.
    """
    wanted, said = _findings(reference), _findings(report)
    return list(_lines(wanted, said))


def require_findings(reference: str) -> None:
    """Raises RemediableError where nothing that could be compared is said."""
    if not any(presence != "uncertain" for presence in _findings(reference).values()):
        raise RemediableError(
            "No finding is named in the reference report.",
            remedy="Say which are there or not, as “No pleural effusion.” does.",
        )


def _lines(wanted: dict[str, Presence], said: dict[str, Presence]) -> Iterator[FindingCompared]:
    for finding, expected in sorted(wanted.items()):
        if expected == "uncertain":
            continue
        given = said.get(finding)
        is_right = (
            given in {"present", "uncertain"}
            if expected == "present"
            else (given in {None, "absent"})
        )
        yield FindingCompared(finding, expected, given or NOT_SAID, is_right)
    for finding, given in sorted(said.items()):
        if finding not in wanted and given == "present":
            yield FindingCompared(finding, NOT_SAID, given, is_right=False)


@cache
def _parser() -> RuleParser:
    return RuleParser()


def _findings(report: str) -> dict[str, Presence]:
    return _parser().parse(report).findings
