"""Sources of text alone: RadNLI, RadGraph and ReXVal, all on reports of MIMIC-CXR."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from generation.datasets.parsed import Skip, require_folder
from generation.datasets.tables import stream_rows
from generation.errors import RemediableError
from generation.vlm.instructions.families import other
from generation.vlm.instructions.records import Draft, Exam
from generation.vlm.instructions.sources.common import SPLITS, Folders, require_file

RADNLI, RADGRAPH, REXVAL = "radnli", "radgraph", "rexval"
NLI_FILES = {"radnli_dev_v1.jsonl": "dev", "radnli_test_v1.jsonl": "test"}
GRAPH_FILES = ("train.json", "dev.json", "test.json")
KINDS = {
    "ANAT-DP": "anatomy",
    "OBS-DP": "observation that is present",
    "OBS-U": "observation that is uncertain",
    "OBS-DA": "observation that is absent",
}
PATIENT_IN_PATH = re.compile(r"(?:^|/)p(\d{8})(?:/|$)")
SAMPLES, RATINGS = (
    "50_samples_gt_and_candidates.csv", "6_valid_raters_per_rater_error_categories.csv",
)  # fmt: skip
TRUTH, CANDIDATES = "gt_report", ("radgraph", "bertscore", "s_emb", "bleu")
ERRORS = {
    "1": "false prediction of a finding",
    "2": "omission of a finding",
    "3": "wrong place of a finding",
    "4": "wrong severity of a finding",
    "5": "mention of a comparison that is not in the reference",
    "6": "omission of a comparison that tells of a change",
}


def read_radnli(folders: Folders) -> Iterator[Exam | Skip]:
    """Pairs of sentences; a premise is one patient, since none is told."""
    for name, part in NLI_FILES.items():
        for row in read_lines(require_file(folders[RADNLI], name)):
            relation = str(row["gold_label"])
            if relation not in other.RELATIONS:
                yield Skip(file=str(row["pair_id"]), reason=f"has the label {relation!r}")
                continue
            premise, hypothesis = (str(row[f"sentence{place}"]).strip() for place in (1, 2))
            yield Exam(
                source=RADNLI,
                key=f"{part} {row['pair_id']}",
                patient=f"{RADNLI}:{premise.lower()}",
                given_split=SPLITS[part],
                asked=(other.relate(premise, hypothesis, relation=relation),),
            )


def read_radgraph(folders: Folders) -> Iterator[Exam | Skip]:
    """Entities of reports, by kind; of two labellers of a test report the first counts."""
    for name in GRAPH_FILES:
        for report, told in read_object(require_file(folders[RADGRAPH], name)).items():
            entities = (told.get("labeler_1") or told).get("entities")
            if not entities:
                yield Skip(file=report, reason="is a report without entities")
                continue
            patient = PATIENT_IN_PATH.search(report)
            yield Exam(
                source=RADGRAPH,
                key=report,
                patient=f"mimic:{patient[1]}" if patient else f"{RADGRAPH}:{report}",
                given_split=SPLITS[name.removesuffix(".json")],
                asked=tuple(_entities(str(told["text"]), entities)),
            )


def read_rexval(folders: Folders) -> Iterator[Exam | Skip]:
    """Candidates beside a reference, with what most of six raters counted; for tests alone."""
    folder = require_folder(folders[REXVAL])
    counts: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    columns = ("study_number", "candidate_type", "error_category", "clinically_significant",
               "num_errors")  # fmt: skip
    for row in stream_rows(require_file(folder, RATINGS), columns=columns):
        if isinstance(row, Skip):
            yield row
            continue
        if row["clinically_significant"].strip().lower() in {"true", "1", "1.0"}:
            key = (row["study_number"], row["candidate_type"], row["error_category"])
            counts[key].append(int(float(row["num_errors"])))
    samples = stream_rows(require_file(folder, SAMPLES), columns=(TRUTH, *CANDIDATES))
    for number, row in enumerate(samples):
        if isinstance(row, Skip):
            yield row
            continue
        yield Exam(
            source=REXVAL,
            key=str(number),
            patient=f"{REXVAL}:{number}",
            given_split="test",
            asked=tuple(
                other.evaluate(
                    row[TRUTH].strip(),
                    row[kind].strip(),
                    errors={
                        name: most(counts[str(number), kind, code]) for code, name in ERRORS.items()
                    },
                    key=kind,
                )
                for kind in CANDIDATES
            ),
        )


def most(counts: list[int]) -> int:
    """Returns what most raters counted, of several equal ones the least; none without raters."""
    tally = Counter(counts)
    return min(tally, key=lambda count: (-tally[count], count), default=0)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                yield dict(json.loads(line))
            except (ValueError, TypeError) as error:
                raise _refusal(path, error) from error


def read_object(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise _refusal(path, error) from error


def _entities(text: str, entities: Mapping[str, Mapping[str, Any]]) -> Iterator[Draft]:
    """Yields what the text names of each kind."""
    ordered = sorted(entities.values(), key=lambda entity: int(entity["start_ix"]))
    for label, kind in KINDS.items():
        found = [str(entity["tokens"]) for entity in ordered if entity["label"] == label]
        yield other.name_entities(text, kind=kind, found=found)


def _refusal(path: Path, error: Exception) -> RemediableError:
    return RemediableError(
        f"{path.name} cannot be read: {error}", remedy="Fetch the file again as it is distributed."
    )
