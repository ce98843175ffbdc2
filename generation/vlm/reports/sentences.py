"""The sentences of a report, and those that only an earlier examination explains."""

import re

END = re.compile(
    r"(?<!\b[A-Za-z])(?<!\bDr)(?<!\bMr)(?<!\bMrs)(?<!\bvs)[.?!;](?=\s+|$)|\n+"
    r"|(?:^|(?<=\s))\d{1,2}[.)](?=\s+[A-Za-z])"
)
"""Full stops (not of initials), lines, and the numbers of a list."""
CHANGE = re.compile(
    r"\b(?:new(?:ly)?|(?:un)?chang\w*|stable|stably|interval\w*|prior|previous\w*|earlier|again"
    r"|increas\w*|decreas\w*|improv\w*|wors\w*|progress\w*|remain\w*|persist\w*|resol[uv]\w*"
    r"|recurr\w*|redemonstrat\w*|compar\w+|since|similar|removed|no longer|constant|larger"
    r"|smaller)\b",
    re.IGNORECASE,
)


def sentences_of(text: str) -> list[str]:
    """Without their full stops and numbers."""
    return [part.strip() for part in END.split(text) if re.search(r"[A-Za-z]{2}", part)]


def tells_of_change(text: str) -> bool:
    """Returns whether an earlier examination is needed to write this."""
    return CHANGE.search(text) is not None


def without_change(text: str) -> str:
    """Returns the sentences that one examination alone explains; a text without others is as it
    was.
    """
    if not tells_of_change(text):
        return text
    kept = [sentence for sentence in sentences_of(text) if not tells_of_change(sentence)]
    return " ".join(f"{sentence}." for sentence in kept)
