"""python -m generation.commands.score_answers BENCHMARK ANSWERS.jsonl [--out FIGURES.json].

Scores a model's answers to a benchmark; docs/vlm-benchmark.md has the form of the file.
"""

import argparse
import json
import sys
from pathlib import Path

from generation.errors import RemediableError
from generation.vlm.benchmark.answers import as_json, as_table, read_answers, score
from generation.vlm.benchmark.items import read_benchmark


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("benchmark", type=Path)
    parser.add_argument("answers", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    try:
        benchmark = read_benchmark(arguments.benchmark)
        figures = score(benchmark, read_answers(arguments.answers, benchmark))
    except RemediableError as error:
        sys.stderr.write(f"{error} {error.remedy}\n")
        return 1
    print(as_table(figures))
    if arguments.out:
        arguments.out.write_text(json.dumps(as_json(benchmark, figures), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
