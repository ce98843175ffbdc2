"""Arms, metrics and states in words."""

from generation.specs import Arm

ARM_LABELS: dict[str, str] = {
    "real": "Real alone",
    "unfiltered": "Real + unfiltered",
    "own_generator": "Real + own generator",
    "curated": "Real + curated",
    "finetuned_curated": "Real + fine-tuned, curated",
    "pretrained": "Synthetic first, then real",
    "synthetic": "Synthetic alone",
    "transformed": "Real + transformed real",
}
ARM_SENTENCES: dict[Arm, str] = {
    "real": "The real images alone: what every other arm is compared with.",
    "unfiltered": "And synthetic images as they were generated, from a batch.",
    "own_generator": (
        "And images of a small generator that learns from exactly these real images, in a run "
        "of its own for each size and seed: equal data."
    ),
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
OWN_SETTING_LABELS = {
    "autoencoder_steps": "Steps of its autoencoder",
    "latent_versions": "Augmented versions of each image",
    "decoder_steps": "Steps of its decoder alone",
    "denoiser_steps": "Steps of its denoiser",
    "controlnet_steps": "Steps of its masks, where it follows masks",
    "batch_size": "Images a step of its denoiser",
    "guidance_scale": "Guidance",
}
FOLD = "\N{MULTIPLICATION SIGN}"


def setting_label(name: str) -> str:
    return SETTING_LABELS.get(name, name.replace("_", " ").capitalize())


def arm_at(arm: str, ratio: float) -> str:
    """Returns ``Real + curated, 2×``."""
    return f"{ARM_LABELS[arm]}, {ratio:g}{FOLD}" if ratio else ARM_LABELS[arm]
