"""The words of radiology reports that captions go by: findings, places, sizes, denials."""

import re
from dataclasses import dataclass

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
