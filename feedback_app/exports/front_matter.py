"""The YAML at the head of a data card, which the Hugging Face Hub and ``datasets`` read."""

from collections.abc import Sequence

import yaml

SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))
LARGEST = "1M<n<10M"


def front_matter(
    *, name: str, count: int, is_simulated: bool, data_files: Sequence[str] = ()
) -> str:
    """Returns it between its two lines; no licence is named, for only the owner can give one.

    ``data_files`` are patterns of the files that ``datasets`` loads as the split *train*.
    """
    said: dict[str, object] = {
        "pretty_name": name,
        "language": ["en"],
        "task_categories": ["text-to-image"],
        "annotations_creators": ["machine-generated" if is_simulated else "expert-generated"],
        "size_categories": [next((size for limit, size in SIZES if count < limit), LARGEST)],
        "tags": ["medical", "synthetic", "chest-x-ray"],
    }
    if data_files:
        train = {"split": "train", "path": list(data_files)}
        said["configs"] = [{"config_name": "default", "data_files": [train]}]
    written = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{written}---\n\n"
