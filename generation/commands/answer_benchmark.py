"""python -m generation.commands.answer_benchmark BENCHMARK INSTRUCTIONS VLM ANSWERS.jsonl.

A VLM (``bundled``, or a folder) answers a frozen benchmark; score_answers makes figures of it.
"""

import argparse
import sys
from pathlib import Path

from generation.errors import RemediableError
from generation.vlm.benchmark.items import read_benchmark
from generation.vlm.instructions.folders import picture_folders
from generation.vlm.model.benchmarking import write_answers
from generation.vlm.model.vlms import load_vlm


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("benchmark", type=Path)
    parser.add_argument("instructions", type=Path, help="where its pictures are named")
    parser.add_argument("vlm")
    parser.add_argument("answers", type=Path)
    arguments = parser.parse_args()
    try:
        questions = read_benchmark(arguments.benchmark).questions
        folders = picture_folders(arguments.instructions)
        count = write_answers(load_vlm(arguments.vlm), questions, folders, arguments.answers)
    except RemediableError as error:
        sys.stderr.write(f"{error} {error.remedy}\n")
        return 1
    print(f"{count} answers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
