"""python -m generation.commands.build_benchmark INSTRUCTIONS OUT: a frozen benchmark.

INSTRUCTIONS is a folder of manage.py build_instructions, or CheXbench's own data.json.
"""

import argparse
import sys
from pathlib import Path

from generation.errors import RemediableError
from generation.vlm.benchmark.items import MOST, build, freeze, read_data_json


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instructions", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--most", type=int, default=MOST, help="questions of a task and source")
    parser.add_argument("--seed", default="0")
    arguments = parser.parse_args()
    try:
        questions = (
            read_data_json(arguments.instructions)
            if arguments.instructions.is_file()
            else build(arguments.instructions, seed=arguments.seed, most=arguments.most)
        )
        benchmark = freeze(questions, arguments.out)
    except RemediableError as error:
        sys.stderr.write(f"{error} {error.remedy}\n")
        return 1
    print(f"{len(benchmark.questions):,} questions, sha256 {benchmark.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
