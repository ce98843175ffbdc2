"""Earlier images of the same patients, where a data set tells the order of its examinations.

NIH ChestX-ray14 numbers a patient's follow-ups, CheXpert their studies, and a table of one's own
may have a column for either. MIMIC's dates are not kept at import, and others say nothing.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from feedback_app.images.cohorts.models import CohortImage

NUMBERED = ("followup", "followupnumber", "studynumber", "examination", "examinationnumber")
"""Names of columns without their signs and spaces, in small letters."""
STUDY = re.compile(r"(?:^|/)study(\d+)(?:/|$)")
WHOLE = re.compile(r"\d{1,9}(?:\.0+)?")


def examination_of(source_id: str, labels: Mapping[str, object]) -> int | None:
    """Returns which of its patient's examinations an image is of; None where nothing tells."""
    for column, cell in labels.items():
        name = re.sub(r"[^a-z]", "", column.lower())
        if name in NUMBERED and WHOLE.fullmatch(str(cell).strip()):
            return int(float(str(cell)))
    found = STUDY.search(source_id)
    return int(found[1]) if found else None


def priors_of(images: Collection[UUID]) -> dict[UUID, UUID]:
    """Returns by image its patient's last earlier one, of the same view where there is one.

    Images of one examination are none of each other's.
    """
    asked = CohortImage.objects.filter(image__in=images)
    rows = CohortImage.objects.filter(patient__in=asked.values("patient")).values_list(
        "patient", "image", "source_id", "source_labels", "view"
    )
    of_patient: dict[int, list[tuple[int, str, UUID, str]]] = defaultdict(list)
    for patient, image, source_id, labels, view in rows:
        number = examination_of(source_id, labels)
        if number is not None:
            of_patient[patient].append((number, source_id, image, view))
    wanted = set(images)
    found: dict[UUID, UUID] = {}
    for examined in of_patient.values():
        for number, _, image, view in examined:
            if image in wanted:
                earlier = [(one[3] == view, *one[:3]) for one in examined if one[0] < number]
                if earlier:
                    found[image] = max(earlier)[3]
    return found
