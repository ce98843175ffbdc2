"""The data card: counts by source, task, split and licence, and what was left out and why.

``card.json`` has all of it; ``README.md`` says it in words and tells `datasets` how to load it.
"""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from generation.specs import Split
from generation.vlm.instructions.build import SPLITS, Part, Request, write_whole
from generation.vlm.instructions.grouping import Sides
from generation.vlm.instructions.sources.catalogue import facts_of
from generation.vlm.instructions.tasks import FAMILIES, FAMILY_OF

REPEATED_FAMILY = "text generation"
QUOTED = re.compile(r"'[^']*'")
"""Values in a reason: reasons are counted without them."""
SCHEMA = """dataset_info:
  features:
  - {name: id, dtype: string}
  - {name: source, dtype: string}
  - {name: family, dtype: string}
  - {name: task, dtype: string}
  - {name: split, dtype: string}
  - {name: patient, dtype: string}
  - {name: images, list: string}
  - {name: question, dtype: string}
  - {name: answer, dtype: string}
  - {name: stem, dtype: string}
  - {name: options, list: string}
  - {name: option, dtype: int64}
  - {name: boxes, list: {list: int64}}
  - {name: labels, list: string}
"""


def make_card(
    request: Request, folder: Path, *, parts: Sequence[Part], sides: Sides
) -> dict[str, Any]:
    """Write both files; the same build gives the same bytes."""
    card = {
        "seed": request.seed,
        "splits": _totals(parts),
        "families": _families(parts),
        "sources": {part.source: _source(part, request)
                    for part in parts},
        "alike": [
            {"sources": list(pair), "pairs": count} for pair, count in sorted(sides.alike.items())
        ],
        "groups_across_sources": sides.across_sources,
        "repeated_in_training": repeated(folder, [part.source for part in parts]),
    }  # fmt: skip
    write_whole(folder / "card.json", json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    write_whole(folder / "README.md", "\n".join(_readme(card)) + "\n")
    return card


def repeated(folder: Path, sources: Sequence[str]) -> dict[str, dict[str, float]]:
    """Returns the share of texts to be written outside training that training has word for word.

    By task and split: what repeats can be learnt by heart.
    """
    known: dict[str, set[bytes]] = defaultdict(set)
    for task, answer in _answers(folder, sources, "train"):
        known[task].add(answer)
    shares: dict[str, dict[str, float]] = {}
    for split in ("validation", "test"):
        found: Counter[str] = Counter()
        total: Counter[str] = Counter()
        for task, answer in _answers(folder, sources, split):
            total[task] += 1
            found[task] += answer in known[task]
        shares[split] = {task: round(found[task] / total[task], 3) for task in sorted(total)}
    return shares


def _answers(folder: Path, sources: Sequence[str], split: str) -> Iterator[tuple[str, bytes]]:
    """Task and a hash of the answer of every text that is to be written."""
    for source in sources:
        path = folder / split / f"{source}.jsonl"
        if path.is_file():
            with path.open(encoding="utf-8") as lines:
                for line in lines:
                    row = json.loads(line)
                    if row["family"] == REPEATED_FAMILY:
                        text = " ".join(row["answer"].lower().split())
                        yield row["task"], hashlib.blake2b(text.encode(), digest_size=8).digest()


def _totals(parts: Sequence[Part]) -> dict[Split, int]:
    return {split: sum(sum(part.records[split].values()) for part in parts) for split in SPLITS}


def _families(parts: Sequence[Part]) -> dict[str, dict[str, dict[Split, int]]]:
    """Counts by family, task and split."""
    counts: dict[str, dict[str, dict[Split, int]]] = {family: {} for family in FAMILIES}
    for part in parts:
        for split in SPLITS:
            for task, count in part.records[split].items():
                of_task = counts[FAMILY_OF[task]].setdefault(task, dict.fromkeys(SPLITS, 0))
                of_task[split] += count
    return counts


def _source(part: Part, request: Request) -> dict[str, Any]:
    facts = facts_of(part.source, request.folders)
    tasks = sorted({task for split in SPLITS for task in part.records[split]})
    left_out: Counter[str] = Counter()
    for reason, count in part.left_out.items():
        left_out[QUOTED.sub("…", reason)] += count
    return {
        "title": facts.title,
        "licence": facts.licence,
        "weights_may_ship": facts.may_ship,
        "folder": request.folders[part.source].name,
        "exams": part.exams,
        "pictures": part.pictures,
        "patients": dict(part.patients),
        "tasks": {
            task: {split: part.records[split].get(task, 0) for split in SPLITS} for task in tasks
        },
        "thinned": dict(part.thinned),
        "left_out": dict(sorted(left_out.items())),
    }


def _readme(card: Mapping[str, Any]) -> Iterator[str]:
    yield from _front_matter(card)
    yield "# Instructions for chest X-rays"
    yield ""
    total = sum(card["splits"].values())
    yield f"{total:,} questions with answers, seed {card['seed']}. A patient is on one side of the"
    yield "split in all sources; pictures that look alike are kept together."
    yield ""
    yield from _table(("split", "instructions"), card["splits"].items())
    yield "## By task"
    yield ""
    rows = [
        (family, task, *of_splits.values())
        for family, tasks in card["families"].items()
        for task, of_splits in sorted(tasks.items())
    ]
    yield from _table(("family", "task", *SPLITS), rows)
    yield "## By source"
    yield ""
    for name, source in card["sources"].items():
        yield from _of_source(name, source)
    yield "## Pictures in two places"
    yield ""
    pairs = [(*one["sources"], one["pairs"]) for one in card["alike"]]
    yield from _table(("source", "source", "pairs that look alike"), pairs)
    yield f"{card['groups_across_sources']:,} groups of patients reach over several sources."
    yield ""
    yield "## Texts that training has word for word"
    yield ""
    rows = [
        (split, task, f"{share:.1%}")
        for split, of_tasks in card["repeated_in_training"].items()
        for task, share in of_tasks.items()
    ]
    yield from _table(("split", "task", "share"), rows)


def _front_matter(card: Mapping[str, Any]) -> Iterator[str]:
    yield "---"
    yield "license: other"
    yield "task_categories: [visual-question-answering]"
    yield "configs:"
    yield "- config_name: default"
    yield "  data_files:"
    for split in (split for split in SPLITS if card["splits"][split]):
        yield f"  - {{split: {split}, path: {split}/*.jsonl}}"
    yield SCHEMA.rstrip()
    yield "---"
    yield ""


def _of_source(name: str, source: Mapping[str, Any]) -> Iterator[str]:
    ships = "may" if source["weights_may_ship"] else "may not"
    yield f"### {source['title']} (`{name}`)"
    yield ""
    yield f"Licence: {source['licence']}. Weights that learnt from it {ships} be given away."
    yield f"{source['exams']:,} exams, {source['pictures']:,} pictures."
    yield ""
    rows = [(task, *of_splits.values()) for task, of_splits in source["tasks"].items()]
    rows.append(("*patients or groups*", *source["patients"].values()))
    yield from _table(("task", *SPLITS), rows)
    if source["thinned"]:
        told = "; ".join(f"{task} {count:,}" for task, count in source["thinned"].items())
        yield f"Thinned, so that the question alone tells nothing: {told}."
        yield ""
    if source["left_out"]:
        yield "Left out:"
        yield ""
        for reason, count in source["left_out"].items():
            yield f"- {count:,}: {reason}"
        yield ""


def _table(head: Sequence[str], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"
    yield ""


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
