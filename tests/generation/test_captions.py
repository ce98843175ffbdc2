"""Captions of impressions that were made up for these tests, and of the real reports."""

from collections import Counter
from pathlib import Path

import pytest

from generation.conditioning.captions import Outcome, caption_of
from generation.conditioning.findings import findings_in
from generation.datasets.openi import read_impressions
from generation.errors import RemediableError

CAPTIONED = {
    # Size, side and zone
    "Small left pleural effusion.": "small left pleural effusion",
    "Left-sided pneumothorax, moderate.": "left pneumothorax",
    "Trace right effusion.": "tiny right pleural effusion",
    "There is a large right-sided pneumothorax.": "large right pneumothorax",
    "Bibasilar atelectasis.": "bilateral basal atelectasis",
    "Minimal atelectasis at the left base.": "minimal left basal atelectasis",
    "Right lower lobe pneumonia.": "right lower lobe pneumonia",
    "Right lower lobe opacity.": "right lower lung opacity",
    "Patchy opacities in both lung bases.": "bilateral basal lung opacities",
    "Airspace disease in the right middle lobe.": "right middle lung opacity",
    "Left and right pleural effusions.": "bilateral pleural effusions",
    "Pleural effusions, left greater than right.": "pleural effusions",
    "Small to moderate left effusion.": "moderate left pleural effusion",
    "Left upper lobe nodule.": "left upper lung nodule",
    "Multiple bilateral pulmonary nodules.": "bilateral lung nodules",
    "3.4 cm right upper lobe mass.": "right upper lung mass",
    "Infiltrate in the lingula.": "lingular infiltration",
    "Small right apical pneumothorax.": "small right apical pneumothorax",
    # Ways to name one finding
    "The heart is mildly enlarged.": "mild cardiomegaly",
    "Heart size is moderately enlarged.": "moderate cardiomegaly",
    "Enlarged cardiac silhouette.": "cardiomegaly",
    "Borderline enlarged heart.": "borderline cardiomegaly",
    "Marked cardiomegaly": "severe cardiomegaly",
    "Mild interstitial edema.": "mild pulmonary edema",
    "Bullous emphysema.": "emphysema",
    "Large hiatal hernia.": "large hiatal hernia",
    "Old healed left rib fractures.": "left rib fractures",
    "Compression fracture of T8.": "vertebral fracture",
    "Minimally displaced right rib fracture.": "right rib fracture",
    "Right PICC line with its tip in the SVC.": "support devices",
    # Words of comparison go
    "Unchanged small left pleural effusion.": "small left pleural effusion",
    "Stable mild cardiomegaly compared to prior.": "mild cardiomegaly",
    "Interval increase in the moderate right pleural effusion.": "moderate right pleural effusion",
    "Slightly increased left basilar opacity.": "left basal lung opacity",
    "No interval change in the small left effusion.": "small left pleural effusion",
    "Improving right upper lobe consolidation, again seen.": "right upper lobe consolidation",
    "Persistent retrocardiac opacity, not significantly changed.": "retrocardiac lung opacity",
    # Denied findings are passed over
    "No pneumothorax. Small left effusion.": "small left pleural effusion",
    "Mild cardiomegaly without edema or effusion.": "mild cardiomegaly",
    "No focal consolidation but mild left basilar atelectasis.": "mild left basal atelectasis",
    "1. No acute disease. 2. Emphysema.": "emphysema",
    "No acute abnormality other than mild cardiomegaly.": "mild cardiomegaly",
    "Resolved right effusion. Left lower lobe pneumonia.": "left lower lobe pneumonia",
    "Interval removal of the left chest tube. Small right effusion.": (
        "small right pleural effusion"
    ),
    "The effusion has resolved. Cardiomegaly persists.": "cardiomegaly",
    "Right lung nodule is not seen. Hiatal hernia.": "hiatal hernia",
    # So are suspected ones, and what is not a finding of the chest
    "Left base opacity, which may represent pneumonia.": "left basal lung opacity",
    "Possible pneumonia. Mild cardiomegaly.": "mild cardiomegaly",
    "Pneumothorax cannot be excluded. Right rib fracture.": "right rib fracture",
    "Pericardial effusion. Cardiomegaly.": "cardiomegaly",
    "Subcutaneous emphysema. Small left pneumothorax.": "small left pneumothorax",
    "Pacemaker. Small left effusion.": "small left pleural effusion",
    # What is blacked out, and line breaks
    "XXXX left basilar opacity, XXXX atelectasis.": "left basal lung opacity",
    "Two right lung nodules<BR>": "right lung nodules",
}

WITHOUT = {
    "No pneumothorax.": Outcome.NORMAL,
    "No acute cardiopulmonary abnormality.": Outcome.NORMAL,
    "1. No evidence of active disease.": Outcome.NORMAL,
    "No pneumothorax, effusion, or focal consolidation.": Outcome.NORMAL,
    "Normal chest. Recommend follow-up as clinically indicated.": Outcome.NORMAL,
    "Negative for pneumonia.": Outcome.NORMAL,
    "Lungs are clear. Heart size normal. Stable chest.": Outcome.NORMAL,
    "Possible small left effusion.": Outcome.UNCERTAIN,
    "Atelectasis versus infiltrate.": Outcome.UNCERTAIN,
    "Findings are suspicious for pneumonia.": Outcome.UNCERTAIN,
    "Calcified granuloma. No acute disease.": Outcome.OTHER,
    "Low lung volumes.": Outcome.OTHER,
    "Tortuous aorta, no acute findings.": Outcome.OTHER,
    "No significant interval change.": Outcome.OTHER,
    "Cystic fibrosis.": Outcome.OTHER,
    "Fracture of the scaphoid.": Outcome.OTHER,
    "Near complete clearing of the right effusion.": Outcome.OTHER,
    "No acute findings. Please note that fractures may not be demonstrated.": Outcome.NORMAL,
    "": Outcome.EMPTY,
    " 1. . ": Outcome.EMPTY,
    "XXXX.": Outcome.EMPTY,
}

COMPARED = (
    "stable",
    "unchanged",
    "interval",
    "increase",
    "prior",
    "new",
    "worse",
    "improv",
    "again",
)


@pytest.mark.parametrize(("impression", "caption"), CAPTIONED.items())
def test_a_caption_names_the_main_finding(impression: str, caption: str) -> None:
    found = caption_of(impression)
    assert (found.outcome, found.text) == (Outcome.CAPTIONED, caption)


@pytest.mark.parametrize(("impression", "outcome"), WITHOUT.items())
def test_what_is_denied_or_doubtful_gives_no_finding(impression: str, outcome: Outcome) -> None:
    found = caption_of(impression)
    assert found.outcome == outcome
    assert found.text == ("no finding" if outcome is Outcome.NORMAL else "")


@pytest.mark.parametrize("caption", CAPTIONED.values())
def test_a_caption_is_short_and_names_a_finding_of_the_vocabulary(caption: str) -> None:
    assert len(caption.split()) <= 6
    assert findings_in(caption)


def test_the_reports_of_open_i_give_captions_without_words_of_comparison(real_data: Path) -> None:
    archive = real_data / "openi" / "NLMCXR_reports.tgz"
    if not archive.is_file():
        pytest.skip(f"NO OPEN-I REPORTS: {archive} is not there")
    found = [caption_of(impression) for impression in read_impressions(archive)]
    outcomes = Counter(one.outcome for one in found)
    captions = {one.text for one in found if one.outcome is Outcome.CAPTIONED}
    assert len(found) == 3955
    assert outcomes[Outcome.CAPTIONED] > 800
    assert outcomes[Outcome.NORMAL] > 2000
    assert outcomes[Outcome.EMPTY] == 34
    assert all(findings_in(caption) and len(caption.split()) <= 6 for caption in captions)
    assert not [caption for caption in captions if any(word in caption for word in COMPARED)]


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "reports.tgz").write_bytes(b"not an archive")
    with pytest.raises(RemediableError, match=r"reports\.tgz"):
        list(read_impressions(tmp_path / "reports.tgz"))
