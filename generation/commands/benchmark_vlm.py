"""python -m generation.commands.benchmark_vlm RUN_DIR: a VLM and its probe answer a benchmark."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generation.commands.run_folder import RunFolder, run_command
from generation.specs import BenchmarkSpec
from generation.vlm.benchmark.items import read_benchmark
from generation.vlm.instructions.folders import picture_folders
from generation.vlm.model.benchmarking import write_answers
from generation.vlm.model.probing import probe_answers
from generation.vlm.model.rows import read_rows
from generation.vlm.model.vlms import load_vlm


def benchmark(folder: RunFolder) -> Mapping[str, Any]:
    """Write RUN_DIR/answers.jsonl, and RUN_DIR/probe.jsonl for what a linear probe can tell."""
    spec = folder.spec(BenchmarkSpec)
    instructions = Path(spec.instructions)
    questions = read_benchmark(Path(spec.benchmark)).questions
    folders = picture_folders(instructions)
    vlm = load_vlm(spec.vlm)

    def report(done: int, total: int) -> None:
        folder.report(done, total, "Answering")

    count = write_answers(vlm, questions, folders, folder.path / "answers.jsonl", report=report)
    folder.report(count, count, "Teaching linear probes")
    rows = read_rows(instructions, "train")
    lines = [json.dumps(line) for line in probe_answers(vlm, questions, rows, folders)]
    (folder.path / "probe.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return {"answers": count, "probed": len(lines)}


def main() -> int:
    return run_command(benchmark, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
