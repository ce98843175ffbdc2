"""Captions of about five words from the impression of a radiology report, by rules.

The captions that Prakash et al. 2024 (arXiv 2411.18602) condition on name the main finding
with its size and side and say nothing of earlier images. Here a caption is put together from
the words below alone, so that nothing else of a report can get into it: the first finding
that the impression affirms, from the vocabulary of findings. What is denied, only suspected,
or told of the past gives none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from generation.conditioning.findings import NORMAL

ITEM_NUMBER = re.compile(r"(?:^|(?<=\s))\d{1,2}[.)]+\s*(?=[A-Za-z(])")
SENTENCE_END = re.compile(r"(?<!\d)[.;]+(?=\s|$)|(?<=\d)\.(?=\s+[A-Z]|\s*$)|[\n:?]")

SIZES = {
    "tiny": "tiny", "trace": "tiny", "minimal": "minimal", "minimally": "minimal",
    "small": "small", "slight": "mild", "slightly": "mild", "mild": "mild", "mildly": "mild",
    "borderline": "borderline", "moderate": "moderate", "moderately": "moderate",
    "moderate-sized": "moderate", "large": "large", "marked": "severe", "markedly": "severe",
    "severe": "severe", "severely": "severe", "massive": "large", "extensive": "extensive",
}  # fmt: skip
SIDES = {"left": "left", "right": "right", "bilateral": "bilateral", "both": "bilateral"}
ZONES = (
    (r"(upper|middle|lower) lobes?", r"\1 lobe"),
    (r"(?:right )?(middle) lobe", r"\1 lobe"),
    (r"(upper|lower) (?:lung(?: zones?)?|zones?)", r"\1 lung"),
    (r"mid ?-?(?:lung|zones?)(?: zones?)?|middle lung", "mid lung"),
    (r"lingular?|lingula", "lingular"),
    (r"basilar|basal|bases?|costophrenic", "basal"),
    (r"apical|apex|apices", "apical"),
    (r"perihilar|parahilar", "perihilar"),
    (r"retrocardiac", "retrocardiac"),
)


@dataclass(frozen=True)
class Kind:
    """A finding's words in reports, and how a caption names it.

    ``{zone}`` stands where the caption has room for a part of the lung; ``plural`` where
    reports tell of several.
    """

    pattern: re.Pattern[str]
    name: str
    plural: str = ""
    has_side: bool = True
    has_zone: bool = True
    not_after: re.Pattern[str] | None = None


def _kind(pattern: str, name: str, **options: object) -> Kind:
    return Kind(re.compile(rf"\b(?:{pattern})\b"), name, **options)  # type: ignore[arg-type]


_HEART = r"(?:heart|cardiac silhouette|cardiomediastinal silhouette|cardiac shadow)"
_GRADE = r"(?:mildly |slightly |moderately |markedly |severely |borderline )?"
KINDS = (
    _kind(
        r"(?:(?:pleural|parapneumonic) )?effusions?|pleural fluid(?: collections?)?",
        "pleural effusion",
        plural="pleural effusions",
        has_zone=False,
        not_after=re.compile(r"(?:pericardial|joint)\s*$"),
    ),
    _kind(r"pneumothora(?:x|ces)", "pneumothorax"),
    _kind(
        rf"cardiomegaly|{_GRADE}enlarged {_HEART}|enlargement of (?:the )?{_HEART}"
        r"|cardiac enlargement"
        rf"|{_HEART}(?: size)? (?:is|appears|remains) (?:again |still |stably )?{_GRADE}enlarged"
        rf"|{_GRADE}enlarged cardiac",
        "cardiomegaly",
        has_side=False,
        has_zone=False,
    ),
    _kind(
        r"(?:(?:pulmonary|interstitial|alveolar|pulmonary interstitial) )*(?:edema|oedema)",
        "pulmonary edema",
        has_side=False,
        has_zone=False,
        not_after=re.compile(r"(?:soft tissue|subcutaneous|peripheral)\s*$"),
    ),
    _kind(r"consolidations?", "consolidation", plural="consolidations"),
    _kind(r"(?:broncho)?pneumonia", "pneumonia"),
    _kind(r"atelecta(?:sis|ses|tic changes?)", "atelectasis"),
    _kind(
        r"opacit(?:y|ies)|opacifications?|air ?-?space disease",
        "lung opacity",
        plural="lung opacities",
    ),
    _kind(r"infiltrates?|infiltrations?", "infiltration", plural="infiltrations"),
    _kind(r"nodules?", "lung nodule", plural="lung nodules"),
    _kind(
        r"mass(?:es)?(?! effect|-like)",
        "lung mass",
        plural="lung masses",
        not_after=re.compile(r"(?:mediastinal|hilar|breast|soft tissue|chest wall|abdominal)\s*$"),
    ),
    _kind(r"emphysema(?:tous changes?)?", "emphysema", has_side=False, has_zone=False,
          not_after=re.compile(r"(?:subcutaneous|soft tissue)\s*$")),
    _kind(r"(?:pulmonary |interstitial )*(?:fibrosis|fibrotic changes?)", "pulmonary fibrosis",
          has_side=False, not_after=re.compile(r"cystic\s*$")),
    _kind(r"(?:hiatal|hiatus|diaphragmatic) hernia", "hiatal hernia", has_side=False,
          has_zone=False),
    _kind(r"pleural thickening|(?:bi)?apical thickening", "pleural thickening"),
    _kind(r"fractures?", "fracture", plural="fractures", has_zone=False),
    _kind(
        r"pacemaker|defibrillator|aicd|picc(?: line)?|central (?:venous )?(?:catheter|line)"
        r"|(?:ij|subclavian|jugular)(?: \w+){0,2} catheter|port-?a-?cath|mediport|chest port"
        r"|endotracheal tube|et tube|chest tube|tracheostomy(?: tube)?|nasogastric tube|ng tube",
        "support devices",
        has_side=False,
        has_zone=False,
    ),
)  # fmt: skip
MINOR = {"support devices"}
"""Named only where nothing else is."""
BONES = (
    (r"\bribs?\b", "rib"),
    (r"\bclavic(?:le|ular)\b", "clavicle"),
    (r"\b(?:vertebra\w*|compression|spine|thoracic|t\d+|l\d+)\b", "vertebral"),
    (r"\bhumer(?:us|al)\b", "humerus"),
    (r"\bstern(?:um|al)\b", "sternal"),
)

BOTH_SIDES = re.compile(
    r"\b(?:left and right|right and left|bilaterally|(?:left|right) ?> ?(?:left|right)"
    r"|(?:left|right) (?:greater|more|worse|larger) than (?:left|right))\b"
)
UNCHANGED = re.compile(
    r"\b(?:no|without|not?) (?:\w+ ){0,3}?(?:chang\w*|interval increase|worsening)"
    r"(?: (?:in|of|from|to)(?: the)?(?: appearance of| size of)?(?: the)?)?"
)
NO_ACUTE = re.compile(
    r"\b(?:no|without|negative for|free of)\b(?: \w+){0,3}? (?:acute|active)"
    r"(?: (?!or\b|and\b)[\w/-]+)*? "
    r"(?:diseases?|process(?:es)?|abnormalit(?:y|ies)|findings?|changes?|complications?"
    r"|pathology|illness)"
    r"(?: (?:is |are )?(?:identified|seen|noted|demonstrated|evident))?"
)
DENIED = re.compile(
    r"\b(?:no|without|negative for|free of|absence of|clear of|denies|rule out|r/o|neither|never"
    r"|resolution|clearing|(?:interval )?removal of|rather than|instead of|resolved|cleared|removed"
    r"|nor|lack of|previously|please note|not? (?:definite|convincing|evidence of))\b"
)
DENIED_AFTER = re.compile(
    r"\b(?:(?:has|have|had)(?: \w+)? (?:resolved|cleared)|resolved|(?:is|are|was|were) no longer"
    r"|no longer|(?:is|are|was|were) not|may not"
    r"|not (?:well[ -]|clearly )?(?:seen|identified|appreciated|visuali[sz]ed|evident)"
    r"|(?:is|are) absent|(?:has|have) been removed|unlikely|less likely"
    r"|(?:was|were) (?:not )?(?:present|seen) (?:on|in) (?:the )?prior)\b"
)
SUSPECTED = re.compile(
    r"\b(?:possibl[ey]|possibility|probabl[ey]|suspect\w*|suspicious|question\w*|may|might|could"
    r"|likely|presumed|versus|vs|or|cannot|can ?not|can't|difficult to exclude|concern\w*"
    r"|suggest\w*|favou?r\w*|differential|if|consider|considered|evaluate|evaluation|correlat\w*"
    r"|recommend\w*|exclude|risk|would|history|h/o|post|previous|prior to|follow-?up|consistent"
    r"|compatible|represent\w*|related|secondary|due|given|reflect\w*|artifact\w*|simulat\w*"
    r"|mimic\w*)\b"
)
SUSPECTED_AFTER = re.compile(
    r"\b(?:(?:is|are|was|were|be)? ?(?:not|cannot be|can't be)(?: \w+){0,2} (?:excluded|ruled out)"
    r"|(?:is|are) (?:suspected|possible|questioned)|should be considered)\b"
    r"|^\W*(?:and/)?(?:or|versus|vs)\b"
)
CLAUSE_END = re.compile(
    r"\b(?:but|however|although|though|except(?: for)?|other than|otherwise|apart from"
    r"|aside from|there (?:is|are)|whereas|while|and (?:no|without)(?= ))\b"
)
PART_END = re.compile(r",|\band\b|\bwith\b|\bplus\b|\bas well as\b|/")
COMPARED = re.compile(
    r"\b\w+ly (?:improv|increas|decreas|larger|smaller|wors|more|less|progress|enlarging"
    r"|displaced)\w*"
)
ABNORMAL = re.compile(
    r"\b(?:abnormal|calcifi\w+|granulom\w+|scar\w*|copd|hyper\w+|hypo\w+|tortuo\w+|tortuosity|ectas\w+"
    r"|ectatic|degenerat\w+|scoliosis|kyphosis|spur\w*|spondyl\w+|osteo\w+|surg\w+|post\w*"
    r"|sternotomy|elevat\w+|eventration|deform\w+|prominen\w+|thicken\w+|congestion|markings"
    r"|bull\w+|adenopathy|blunt\w+|clips?|stents?|densit\w+|lesions?|widen\w+|atheroscler\w+"
    r"|low lung volumes|crowding|cavit\w+|failure|chronic|emphysem\w+|enlarge\w*|changes"
    r"|prosth\w+|hardware|foreign|catheter\w*|tube\w*|wires?|line|lines)\b"
)
NEUTRAL = re.compile(
    r"^(?:(?:stable|unchanged)(?: \w+){0,3}|chest(?: \w+){0,2}|comparison\b.*|(?:\w+ )*limited\b.*"
    r"|.*\b(?:recommend\w*|follow-?up|correlat\w*|consider|please note|discussed|notified"
    r"|dictated|available)\b.*)$"
)
NOTHING_SEEN = re.compile(
    r"\b(?:normal|unremarkable|clear|negative|no (?:\w+ ){0,4}(?:acute|active|evidence|significant"
    r"|abnormalit\w+|disease|findings?)|within normal limits|no)\b"
)


class Outcome(StrEnum):
    CAPTIONED = "captioned"
    NORMAL = "normal"
    UNCERTAIN = "uncertain"
    OTHER = "outside the vocabulary"
    EMPTY = "empty"


@dataclass(frozen=True)
class Caption:
    """``text`` is empty unless the outcome is ``CAPTIONED`` or ``NORMAL``."""

    outcome: Outcome
    text: str = ""


@dataclass(frozen=True)
class Mention:
    """A finding in a clause, with the words before and after it that may qualify it."""

    kind: Kind
    text: str
    before: str
    after: str
    is_suspected: bool


def caption_of(impression: str) -> Caption:
    """The main finding of an impression in a few words; see the module."""
    clauses = list(_clauses(impression))
    if not clauses:
        return Caption(Outcome.EMPTY)
    mentions = [mention for clause in clauses for mention in _mentions(clause)]
    affirmed = [mention for mention in mentions if not mention.is_suspected]
    main = [mention for mention in affirmed if mention.kind.name not in MINOR] or affirmed
    if main:
        return Caption(Outcome.CAPTIONED, _words(main[0]))
    if mentions:
        return Caption(Outcome.UNCERTAIN)
    if not any(_names_more(clause) for clause in clauses) and any(
        NOTHING_SEEN.search(UNCHANGED.sub(" ", clause)) for clause in clauses
    ):
        return Caption(Outcome.NORMAL, NORMAL)
    return Caption(Outcome.OTHER)


def _clauses(impression: str) -> Iterator[str]:
    legible = re.sub(r"<br>|\bX{2,}[\w-]*", " ", impression, flags=re.IGNORECASE)
    for sentence in SENTENCE_END.split(ITEM_NUMBER.sub("\n", legible)):
        text = " ".join(sentence.lower().split())
        text = BOTH_SIDES.sub("bilateral", text)
        text = re.sub(r"\bbibas(?:ilar|al)\b", "bilateral basilar", text)
        text = re.sub(r"\bbiapical\b", "bilateral apical", text)
        text = re.sub(r"\b(left|right)-sided\b", r"\1", text)
        if re.search(r"[a-z]{2}", text):
            yield text


def _mentions(sentence: str) -> Iterator[Mention]:
    """The findings that a sentence does not deny."""
    text = _without_generalities(sentence)
    for clause in CLAUSE_END.split(text):
        found = sorted(
            ((match, kind) for kind in KINDS for match in kind.pattern.finditer(clause)),
            key=lambda pair: pair[0].start(),
        )
        for place, (match, kind) in enumerate(found):
            start, end = match.span()
            earlier, later = clause[:start], clause[end:]
            if kind.not_after and kind.not_after.search(earlier):
                continue
            if DENIED.search(earlier) or DENIED_AFTER.search(later):
                continue
            if kind.name == "fracture" and not _bone(clause):
                continue  # of a hand, say
            limit = found[place + 1][0].start() if place + 1 < len(found) else len(clause)
            yield Mention(
                kind=kind,
                text=match.group(),
                before=PART_END.split(clause[found[place - 1][0].end() if place else 0 : start])[
                    -1
                ],
                after=PART_END.split(clause[end:limit])[0],
                is_suspected=bool(SUSPECTED.search(earlier) or SUSPECTED_AFTER.search(later)),
            )


def _without_generalities(sentence: str) -> str:
    """Without “no acute disease” and “no change in”, which deny no finding that follows."""
    text = UNCHANGED.sub(" ", sentence)
    for match in reversed(list(NO_ACUTE.finditer(text))):
        if not re.search(r"\b(?:or|nor)\b", text[match.end() :]):
            text = text[: match.start()] + " ; " + text[match.end() :]
    return text


def _names_more(sentence: str) -> bool:
    """Whether it tells of something that is not normal, or of nothing that is known here."""
    text = _without_generalities(sentence)
    if any(not DENIED.search(text[: match.start()]) for match in ABNORMAL.finditer(text)):
        return True
    told = UNCHANGED.sub(" ", sentence).strip(" .,")
    return bool(told) and not (NOTHING_SEEN.search(told) or NEUTRAL.search(told))


def _words(mention: Mention) -> str:
    kind, before, after = mention.kind, mention.before, mention.after
    parts = [_size(COMPARED.sub(" ", f"{before} {mention.text}"))]
    if kind.has_side:
        parts.append(_side(before) or _side(after))
    name = kind.name
    if kind.plural and re.search(r"(?:ies|s|masses)$", mention.text) and mention.text != "mass":
        name = kind.plural
    zone = _zone(before) or _zone(after) if kind.has_zone else ""
    if kind.name == "fracture":
        zone = _bone(f"{before} {after}")
    if zone.endswith((" lobe", " lung")) and name.startswith("lung "):
        # “right upper lung opacity” names the same finding as “lung opacity”.
        zone = zone.removesuffix(" lobe").removesuffix(" lung")
    if zone == "basal" and re.search(r"\bbases\b", before + after) and not parts[-1]:
        parts[-1] = "bilateral"
    return " ".join(part for part in (*parts, zone, name) if part)


def _size(text: str) -> str:
    """The size that is said last, so nearest to the finding."""
    words = [SIZES[word] for word in re.findall(r"[\w-]+", text) if word in SIZES]
    return words[-1] if words else ""


def _bone(text: str) -> str:
    """The bone of the chest that is named first in the order of the list."""
    return next((bone for pattern, bone in BONES if re.search(pattern, text)), "")


def _side(text: str) -> str:
    words = [SIDES[word] for word in re.findall(r"\w+", text) if word in SIDES]
    return "bilateral" if len(set(words)) > 1 else (words[-1] if words else "")


def _zone(text: str) -> str:
    for pattern, zone in ZONES:
        if match := re.search(rf"\b(?:{pattern})\b", text):
            return match.expand(zone)
    return ""
