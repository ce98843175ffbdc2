"""A linear probe on a VLM's frozen encoder answers what a benchmark asks of pictures alone.

It is taught on training pictures of the same source, a probe for each question that all of them
can be asked: view, sex, age, and each finding. Its answers are lines like anybody's.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from generation.vlm.benchmark.items import BINARY, TASKS, Question
from generation.vlm.benchmark.probe import STRENGTH
from generation.vlm.model.rows import Row
from generation.vlm.model.seen import read_picture
from generation.vlm.model.vlms import Vlm

PROBED = ("view classification", "sex classification", "age classification", BINARY)
MOST_TAUGHT = 600
"""Training pictures of one source that are looked at, chosen by hash."""
FEWEST = 10
"""Training pictures with an answer, for it to be one."""
AT_ONCE = 32

Key = tuple[str, str, str]
"""Source, task and finding."""


def probe_answers(
    vlm: Vlm, questions: Sequence[Question], rows: Sequence[Row], folders: Mapping[str, Path]
) -> Iterator[dict[str, Any]]:
    """Yields a line for each question that a probe could be taught for."""
    asked: dict[Key, list[Question]] = defaultdict(list)
    for one in questions:
        if one.task in PROBED and len(one.images) == 1:
            asked[one.source, one.task, one.finding].append(one)
    taught = _taught(rows, asked)
    names = {row.images[0] for group in taught.values() for row in group}
    names |= {one.images[0] for key in taught for one in asked[key]}
    seen = _encoded(vlm, sorted(names), folders)
    for key, group in taught.items():
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=300))
        probe.fit(np.stack([seen[row.images[0]] for row in group]), [row.answer for row in group])
        said = probe.predict(np.stack([seen[one.images[0]] for one in asked[key]]))
        for one, answer in zip(asked[key], said, strict=True):
            yield {"id": one.id, "answer": str(answer)}


def _taught(rows: Sequence[Row], asked: Mapping[Key, Sequence[Question]]) -> dict[Key, list[Row]]:
    """Returns the training rows of each question that is asked; of rare answers none."""
    groups: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        key = _key(row)
        if key in asked and len(row.images) == 1:
            groups[key].append(row)
    taught = {}
    for key, group in groups.items():
        chosen = sorted(group, key=lambda row: hashlib.sha256(row.images[0].encode()).digest())
        counts = Counter(row.answer for row in chosen[:MOST_TAUGHT])
        kept = [row for row in chosen[:MOST_TAUGHT] if counts[row.answer] >= FEWEST]
        if len({row.answer for row in kept}) > 1:
            taught[key] = kept
    return taught


def _key(row: Row) -> Key:
    task = TASKS.get(row.task, ("", ""))[0]
    return row.source, task, row.id.rpartition("/")[2] if task == BINARY else ""


def _encoded(
    vlm: Vlm, names: Sequence[str], folders: Mapping[str, Path]
) -> dict[str, np.ndarray[Any, Any]]:
    found: dict[str, np.ndarray[Any, Any]] = {}
    for start in range(0, len(names), AT_ONCE):
        part = names[start : start + AT_ONCE]
        seen = vlm.encode([read_picture(name, folders) for name in part])
        found |= dict(zip(part, seen.numpy(), strict=True))
    return found
