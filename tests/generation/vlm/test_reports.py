"""Reports: sections, sentences, what the rules and the learned parser make of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generation.commands.fit_report_parser import fit_parser
from generation.errors import RemediableError
from generation.vlm.reports.leaves import LeafParser, best_threshold, f1, fit, words_of
from generation.vlm.reports.mentions import Mention, Presence
from generation.vlm.reports.rules import RuleParser
from generation.vlm.reports.sections import sections_of
from generation.vlm.reports.sentences import sentences_of, without_change
from generation.vlm.reports.vocabulary import Vocabulary, stem
from generation.vlm.structured_answers import read_leaves, read_texts

RULES = RuleParser()


def mention_of(sentence: str, finding: str) -> Mention | None:
    """The only mention of a finding in a sentence."""
    found = [mention for mention in RULES.mentions_in(sentence) if mention.finding == finding]
    assert len(found) < 2, found
    return found[0] if found else None


# Sections and sentences


def test_sections_have_one_name_whatever_their_heading() -> None:
    report = "FINAL REPORT\nREASON FOR EXAM: cough\n\nFINDINGS: Clear.\nCONCLUSION: Normal."
    assert sections_of(report) == {
        "preamble": "FINAL REPORT", "indication": "cough", "findings": "Clear.",
        "impression": "Normal.",
    }  # fmt: skip


def test_what_follows_a_comparison_without_a_heading_is_findings() -> None:
    report = "COMPARISON: Yesterday.\n\nThe heart is enlarged.\n\nNo effusion."
    assert sections_of(report)["findings"] == "The heart is enlarged. No effusion."


def test_a_heading_that_names_the_examination_heads_findings() -> None:
    assert sections_of("PORTABLE AP VIEW OF THE CHEST: No effusion.") == {
        "findings": "No effusion."
    }


def test_a_word_that_is_no_heading_cuts_nothing() -> None:
    text = "The findings: are not new, and history repeats."
    assert list(sections_of(text)) == ["preamble"]


def test_sentences_are_cut_at_stops_numbers_and_lines_not_at_decimals() -> None:
    text = "1. Tube 4.5 cm above the carina. 2. Dr. Smith was told\nNo effusion"
    assert sentences_of(text) == [
        "Tube 4.5 cm above the carina", "Dr. Smith was told", "No effusion",
    ]  # fmt: skip


def test_comparisons_are_left_out_sentence_by_sentence() -> None:
    text = "The heart is large. The effusion has increased. Lungs are clear."
    assert without_change(text) == "The heart is large. Lungs are clear."
    assert without_change("Effusion is unchanged.") == ""
    assert without_change("Lungs are clear.") == "Lungs are clear."


# Rules


@pytest.mark.parametrize(
    ("sentence", "finding", "presence"),
    [
        ("Small left pleural effusion", "pleural effusion", "present"),
        ("No pleural effusion or pneumothorax is seen", "pneumothorax", "absent"),
        ("No effusion, edema or masses", "pleural effusion", "absent"),
        ("No effusion, edema or masses", "lung nodule or mass", "absent"),
        ("There is no definite evidence of pneumothorax", "pneumothorax", "absent"),
        ("The heart is mildly enlarged", "cardiomegaly", "present"),
        ("The heart is not enlarged", "cardiomegaly", "absent"),
        ("The pneumothorax has resolved", "pneumothorax", "absent"),
        ("Nearly resolved pneumothorax", "pneumothorax", "present"),
        ("No change in the right pleural effusion", "pleural effusion", "present"),
        ("No acute disease, cardiomegaly", "cardiomegaly", "present"),
        ("Possible pneumonia in the left lung", "pneumonia", "uncertain"),
        ("Pneumonia cannot be excluded", "pneumonia", "uncertain"),
        ("Opacities concerning for pneumonia", "pneumonia", "uncertain"),
        ("No pneumothorax but a small pleural effusion", "pleural effusion", "present"),
        ("Clear lungs without consolidation", "consolidation", "absent"),
        ("Pneumothoraces are no longer seen", "pneumothorax", "absent"),
        ("Evaluation for pneumothorax is limited", "pneumothorax", None),
        ("Pericardial effusion", "pleural effusion", None),
    ],
)
def test_a_finding_is_present_doubted_or_denied(
    sentence: str, finding: str, presence: Presence | None
) -> None:
    mention = mention_of(sentence, finding)
    assert (mention.presence if mention else None) == presence


@pytest.mark.parametrize(
    ("sentence", "side", "size", "change"),
    [
        ("Small left pleural effusion has increased", "left", "small", "worse"),
        ("Moderate bilateral pleural effusions, unchanged", "bilateral", "moderate", "stable"),
        ("Large pleural effusion on the right", "right", "large", ""),
        ("Left and right pleural effusions are smaller", "bilateral", "", "better"),
        ("New trace pleural effusion", "", "tiny", "new"),
        ("Right pleural effusion is markedly increased", "right", "", "worse"),
    ],
)
def test_side_size_and_change_stand_near_their_finding(
    sentence: str, side: str, size: str, change: str
) -> None:
    mention = mention_of(sentence, "pleural effusion")
    assert mention
    assert (mention.side, mention.size, mention.change) == (side, size, change)


def test_a_mention_says_where_its_words_are() -> None:
    mention = mention_of("There is no pneumothorax, but the heart is enlarged", "cardiomegaly")
    assert mention and mention.words == "heart is enlarged"


def test_why_a_picture_was_made_is_no_finding() -> None:
    report = "INDICATION: pneumonia?\nCOMPARISON: pneumothorax then.\n\nFINDINGS: Cardiomegaly."
    assert RULES.parse(report).findings == {"cardiomegaly": "present"}


def test_the_strongest_that_is_said_of_a_finding_counts() -> None:
    parsed = RULES.parse("FINDINGS: No left pneumothorax. Right pneumothorax.")
    assert parsed.presence_of("pneumothorax") == "present"
    assert parsed.presence_of("cardiomegaly") is None


def test_a_phrase_may_be_turned_round_but_not_over_an_and() -> None:
    words = Vocabulary({"big heart": ["large heart"]}, excluded={})
    assert words.hits("heart is very large") and words.hits("large heart")
    assert not words.hits("heart and large vessels")


@pytest.mark.parametrize(
    ("word", "singular"),
    [("opacities", "opacity"), ("effusions", "effusion"), ("pneumothoraces", "pneumothorax"),
     ("atelectases", "atelectasis"), ("thorax", "thorax"), ("mass", "mass"), ("oedema", "edema"),
     ("hilus", "hilus"), ("diagnosis", "diagnosis")],
)  # fmt: skip
def test_words_are_compared_in_the_singular(word: str, singular: str) -> None:
    assert stem(word) == singular


# The learned parser

YES = ["Opacity in the left lung. No effusion.", "Left lung opacity is seen. Heart normal."]
NO = ["No opacity. Clear lungs.", "Clear lungs. Heart normal. No opacity.", "Normal chest."]


@pytest.fixture(scope="module")
def toy() -> LeafParser:
    reports = {str(number): text for number, text in enumerate((YES + NO) * 5)}
    answers = {
        number: {"lung_signs_opacity"} if text in YES else set() for number, text in reports.items()
    }
    return fit(reports, answers)


def test_what_a_denial_reaches_is_another_word() -> None:
    assert list(words_of("Heart normal and no effusion")) == [
        "heart", "normal", "and", "no effusion", ".",
    ]  # fmt: skip


def test_a_leaf_is_learnt_with_its_denials(toy: LeafParser) -> None:
    probabilities = toy.probabilities([*YES, *NO])[:, 0]
    assert probabilities[:2].min() > 0.8 and probabilities[2:].max() < 0.2
    assert toy.parse("FINDINGS: " + YES[0]).findings == {"lung_signs_opacity": "present"}
    assert toy.parse(NO[0]).findings == {}


def test_a_parser_that_is_kept_answers_the_same(toy: LeafParser, tmp_path: Path) -> None:
    replace(toy, threshold=0.3).save(tmp_path)
    kept = LeafParser.load(tmp_path)
    assert kept.threshold == 0.3
    np.testing.assert_array_equal(kept.probabilities(YES), toy.probabilities(YES))


def test_a_folder_without_a_parser_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(RemediableError, match="holds no parser") as refusal:
        LeafParser.load(tmp_path)
    assert "fit_report_parser" in refusal.value.remedy


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    said, truth = np.array([1, 1, 1, 0, 0], bool), np.array([1, 1, 0, 1, 0], bool)
    scores = f1(said, truth)
    assert (scores.precision, scores.recall) == (2 / 3, 2 / 3)
    assert scores.f1 == pytest.approx(2 / 3)


def test_the_threshold_is_where_f1_is_highest() -> None:
    probabilities = np.array([0.05, 0.3, 0.31, 0.6])
    assert best_threshold(probabilities, np.array([False, False, True, True])) == 0.31


@pytest.mark.slow
def test_the_learned_parser_answers_rad_restructs_test_reports(real_data: Path) -> None:
    openi, restruct = real_data / "openi", real_data / "rad_restruct"
    learned, texts = fit_parser(openi, restruct), read_texts(openi)
    asked = list(read_leaves(restruct, "test"))
    assert len(asked) == 7_940
    numbers = sorted({one.report for one in asked})
    rows = learned.probabilities([texts[number] for number in numbers])
    yes = {
        (number, leaf)
        for number, row in zip(numbers, rows, strict=True)
        for leaf, probability in zip(learned.leaves, row, strict=True)
        if probability >= learned.threshold
    }
    said = np.array([(one.report, one.leaf) in yes and not one.is_another for one in asked])
    assert f1(said, np.array([one.is_yes for one in asked])).f1 >= 0.7
