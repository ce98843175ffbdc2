"""What lmms-eval asks of this task. The figures that count are made where the log is brought to."""

from pathlib import Path
from typing import Any

from PIL import Image

HERE = Path(__file__).parent


def doc_to_visual(doc: dict[str, Any]) -> list[Image.Image]:
    """Returns the pictures of a document, in order."""
    return [Image.open(HERE / name).convert("RGB") for name in doc["pictures"]]


def doc_to_text(doc: dict[str, Any], lmms_eval_specific_kwargs: Any = None) -> str:
    """Returns the question, and its options as text."""
    if doc["kind"] == "box":
        return f"{doc['question']}\nAnswer with boxes [left, top, right, bottom] in percent."
    if not doc["options"]:
        return str(doc["question"])
    return f"{doc['question']}\nOptions: {', '.join(doc['options'])}\nAnswer with one of them."


def process_results(doc: dict[str, Any], results: list[Any]) -> dict[str, float]:
    """Returns whether the answer is the right one word for word."""
    said = " ".join(str(results[0]).lower().split()).strip(" .")
    return {"exact_answer": float(said == str(doc["answer"]).lower())}
