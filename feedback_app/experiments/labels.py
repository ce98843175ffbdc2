"""Arms, metrics and states in words."""

from generation.specs import Arm

ARM_LABELS: dict[str, str] = {
    "real": "Real alone",
    "unfiltered": "Real + unfiltered",
    "curated": "Real + curated",
    "finetuned_curated": "Real + fine-tuned, curated",
    "pretrained": "Synthetic first, then real",
    "synthetic": "Synthetic alone",
    "transformed": "Real + transformed real",
}
ARM_SENTENCES: dict[Arm, str] = {
    "real": "The real images alone: what every other arm is compared with.",
    "unfiltered": "And synthetic images as they were generated, from a batch.",
    "curated": "And synthetic images from a curated set.",
    "finetuned_curated": "And a curated set of images that a fine-tuned model made.",
    "pretrained": "Trained on synthetic images first, then on the real ones.",
    "synthetic": "Synthetic images alone, as many as the ratio says.",
    "transformed": (
        "And moved copies of the real images, as masks are moved: what a gain would owe to the "
        "transforms, not to the generator."
    ),
}
SETTING_LABELS = {
    "resolution": "Pixels a side",
    "widths": "Channels, finest level first",
    "max_steps": "Steps, at most",
    "evaluate_every": "Steps between measurements",
    "patience": "Measurements without a gain, then stop",
    "stopping": "End and threshold by validation, or fixed",
}
FOLD = "\N{MULTIPLICATION SIGN}"


def setting_label(name: str) -> str:
    return SETTING_LABELS.get(name, name.replace("_", " ").capitalize())


def arm_at(arm: str, ratio: float) -> str:
    """Returns ``Real + curated, 2×``."""
    return f"{ARM_LABELS[arm]}, {ratio:g}{FOLD}" if ratio else ARM_LABELS[arm]
