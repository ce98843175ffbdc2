"""What the words around a finding say of it: denied, doubted, where, how large, how it changed."""

import re

from generation.conditioning.report_words import BOTH_SIDES, COMPARED, SIDES, SIZES, UNCHANGED
from generation.vlm.reports.mentions import Change, Presence

CLAUSE_END = re.compile(
    r"\b(?:but|however|although|though|except(?: for)?|other than|otherwise|apart from"
    r"|aside from|whereas|while|there (?:is|are|has been|have been))\b"
    r"|,\s*(?=(?:with|and)\b(?! no\b| or\b))|;|:"
)
"""Where a denial's reach ends."""
PSEUDO = re.compile(
    rf"{UNCHANGED.pattern}"
    r"|\bno (?:\w+ ){0,2}?(?:acute|active)(?: \w+){0,2}? (?:disease|process|findings?)"
    r"|\b(?:near(?:ly)?|partial(?:ly)?|incomplete(?:ly)?|almost)(?: complete(?:ly)?)?"
    r" (?:resol|clear|remov)\w*"
    r"|\bnot only\b|\bno doubt\b|\bwithout (?:difficulty|complication)\b"
)
"""Denials that deny no finding that follows."""
SOUGHT = re.compile(
    r"(?:\b(?:evaluat\w+|assess\w*|look|search|check|sensitivity|sensitive|limit\w*)"
    r"(?: (?:for|of|to|the|in|detect\w*|exclud\w*|assess\w*|visuali[sz]\w*|a|an|any|small|subtle))+"
    r"|\b(?:rule out|r/o|to (?:detect|exclude)))\s*$"
)
"""What was only looked for."""
DENIED_BEFORE = re.compile(
    r"\b(?:no|without|negative for|free of|absence of|absent|clear of|denies|neither|nor|never"
    r"|lack of|resolution of|resolved|cleared|clearing of|(?:interval )?removal of|removed"
    r"|rather than|instead of|not? (?:definite|convincing|evidence of|have|show\w*|demonstrat\w*"
    r"|see\w*|identif\w*)|rules? out|ruled out|excludes|are not|is not|none of)\b"
)
DENIED_WITHIN = re.compile(r"\b(?:no|not|without)\b")
DENIED_AFTER = re.compile(
    r"^(?:\W+\w+){0,6}?\W*\b(?:(?:has|have|had)(?: \w+)? (?:resolved|cleared|been removed)"
    r"|(?:is|are|was|were) no longer|no longer|(?:is|are|was|were)n't|(?:is|are) absent|ruled out"
    r"|(?:is|are|was|were|have been|has been)? ?not (?:(?:clearly|definitely|currently|yet) )?"
    r"(?:seen|identified|appreciated|visuali[sz]ed|evident|present|detected|demonstrated|noted"
    r"|enlarged|dilated|widened)"
    r"|(?:is|are) (?:resolved|gone|excluded)|(?:is|are|seems?) (?:very |less )?unlikely)\b"
)
DOUBTED_BEFORE = re.compile(
    r"\b(?:possibl[ey]|possibility|suspicious|suspicion|suspect\w*|question\w*|may|might|could"
    r"|versus|vs|cannot|can ?not|can't|difficult to exclude|concern(?:ing)?|differential|if"
    r"|consider\w*|exclude|suggest\w*|perhaps|potential\w*|equivocal|unlikely|likely|probabl[ey]"
    r"|presum\w*)\b|\?"
)
DOUBTED_AFTER = re.compile(
    r"^\W*(?:and/)?(?:or|versus|vs)\b|^(?:\W+\w+){0,4}?\W*\b(?:(?:is|are|was|were|be)? ?"
    r"(?:not|cannot be|can ?not be|can't be)(?: \w+){0,2} (?:excluded|ruled out)"
    r"|(?:is|are) (?:suspected|possible|questioned|likely|probable)|should be considered"
    r"|not well (?:seen|evaluated|assessed|delineated))\b"
)
CHANGES: tuple[tuple[Change, re.Pattern[str]], ...] = (
    ("stable", re.compile(
        r"\b(?:unchanged|stabl[ey]|similar|persist\w*|constant|again|remain\w*|as before"
        r"|(?:no|without)(?: \w+){0,3} change)\b")),
    ("resolved", re.compile(r"\b(?:resol[uv]\w*|cleared|no longer|disappear\w*)\b")),
    ("better", re.compile(r"\b(?:improv\w*|decreas\w*|smaller|diminish\w*|less|clearing)\b")),
    ("worse", re.compile(r"\b(?:wors\w*|increas\w*|progress\w*|larger|enlarging|greater)\b")),
    ("new", re.compile(r"\b(?:new(?:ly)?|develop\w*)\b")),
)  # fmt: skip
BOTH = frozenset({"bibasilar", "bibasal", "biapical"})
WORDS_BEFORE, WORDS_AFTER = 8, 5


def presence_in(clause: str, start: int, end: int) -> Presence | None:
    """Returns what a clause says of the finding between two places; None where it was only
    sought.
    """
    before = PSEUDO.sub(" ", clause[:start])
    within, after = clause[start:end], clause[end:]
    if SOUGHT.search(before):
        return None
    if (
        DENIED_BEFORE.search(before)
        or DENIED_WITHIN.search(within)
        or DENIED_AFTER.search(PSEUDO.sub(" ", after))
    ):
        return "absent"
    if DOUBTED_BEFORE.search(before) or DOUBTED_AFTER.search(after):
        return "uncertain"
    return "present"


def side_in(clause: str, start: int, end: int) -> str:
    """Left, right, bilateral, or empty: what stands before counts before what stands after."""
    before = re.findall(r"\w+", BOTH_SIDES.sub("bilateral", clause[:end]))[-WORDS_BEFORE:]
    after = re.findall(r"\w+", BOTH_SIDES.sub("bilateral", clause[end:]))[:WORDS_AFTER]
    for near in (before, after):
        sides = {SIDES[word] for word in near if word in SIDES}
        sides |= {"bilateral" for word in near if word in BOTH}
        if sides:
            return sides.pop() if len(sides) == 1 else "bilateral"
    return ""


def size_in(clause: str, end: int) -> str:
    """Returns the word of size or grade that is said last, before the finding or within its
    words.
    """
    near = re.findall(r"[\w-]+", COMPARED.sub(" ", clause[:end]))[-WORDS_BEFORE:]
    sizes = [SIZES[word] for word in near if word in SIZES]
    return sizes[-1] if sizes else ""


def change_in(clause: str) -> Change:
    return next((change for change, pattern in CHANGES if pattern.search(clause)), "")
