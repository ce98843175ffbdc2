"""Whether a model's parts fit each other, by their settings and the headers of their weights."""

import math
from pathlib import Path
from typing import Any

from generation.errors import RemediableError

PREDICTIONS = ("epsilon", "v_prediction")
SCHEDULES = ("linear", "scaled_linear", "squaredcos_cap_v2")
MORE_THAN_A_PROMPT = ("addition_embed_type", "class_embed_type", "num_class_embeds")
"""Settings of a UNet that wants sizes, classes or images as well, as that of XL does."""
WORDS_ENDS = ("token_embedding.weight", "word_embeddings.weight", "embed_tokens.weight")
"""How the table of a text encoder's words is called."""

Config = dict[str, Any]
Configs = dict[str, Config]


def require_fit(folder: Path, configs: Configs, *, words: int) -> None:
    """The parts must speak of the same channels and widths, and predict what is known."""
    unet, vae, text = configs["unet"], configs["vae"], configs["text_encoder"]
    _require_channels(folder, unet, vae)
    attended, width = unet.get("cross_attention_dim", 1280), text.get("hidden_size")
    if isinstance(attended, int) and isinstance(width, int) and attended != width:
        raise unusable(
            folder / "unet", f"it reads text of width {attended}, the text encoder gives {width}"
        )
    if any(unet.get(name) is not None for name in MORE_THAN_A_PROMPT):
        raise unusable(folder / "unet", "it wants more than a prompt, as Stable Diffusion XL does")
    known = text.get("vocab_size")
    if isinstance(known, int) and words > known:
        raise unusable(
            folder / "tokenizer", f"it has {words:,} words, the text encoder knows {known:,}"
        )
    _require_schedule(folder / "scheduler", configs["scheduler"])


def _require_channels(folder: Path, unet: Config, vae: Config) -> None:
    taken, given = (
        _channels(folder / "unet", unet, name, 4) for name in ("in_channels", "out_channels")
    )
    latent = _channels(folder / "vae", vae, "latent_channels", 4)
    if taken == 2 * latent + 1:
        raise unusable(folder / "unet", f"it is made for in-painting: it takes {taken} channels")
    if (taken, given) != (latent, latent):
        raise unusable(
            folder / "unet",
            f"it takes {taken} and gives {given} channels, the autoencoder has {latent}",
        )
    shown = vae.get("in_channels", 3), vae.get("out_channels", 3)
    if shown not in ((1, 1), (3, 3)):
        raise unusable(folder / "vae", f"it takes and gives {shown} channels, not one or three")
    scale = vae.get("scaling_factor", 1)
    if not isinstance(scale, int | float) or not 0 < scale < math.inf:
        raise unusable(folder / "vae", f"its scaling_factor is {scale!r}, no number above zero")


def _require_schedule(folder: Path, scheduler: Config) -> None:
    if "Flow" in str(scheduler.get("_class_name")):
        raise unusable(folder, f"it is a {scheduler['_class_name']}, which is of flow matching")
    prediction = scheduler.get("prediction_type", "epsilon")
    if prediction not in PREDICTIONS:
        raise unusable(folder, f"it predicts {prediction!r}, not {' or '.join(PREDICTIONS)}")
    schedule = scheduler.get("beta_schedule", "linear")
    if schedule not in SCHEDULES:
        raise unusable(folder, f"its beta_schedule is {schedule!r}, none of {', '.join(SCHEDULES)}")
    _channels(folder, scheduler, "num_train_timesteps", 1000, name_of_file="scheduler_config.json")


def require_weights_of(folder: Path, configs: Configs, headers: Configs) -> None:
    """The weights of each part must be those that its configuration speaks of."""
    channels = _channels(folder / "unet", configs["unet"], "in_channels", 4)
    latent = _channels(folder / "vae", configs["vae"], "latent_channels", 4)
    _require_tensor(folder / "unet", headers["unet"], "conv_in.weight", channels)
    _require_tensor(folder / "vae", headers["vae"], "decoder.conv_in.weight", latent)
    found = [entry["shape"] for name, entry in headers["text_encoder"].items()
             if name.endswith(WORDS_ENDS)]  # fmt: skip
    known = [configs["text_encoder"].get(name) for name in ("vocab_size", "hidden_size")]
    if len(found) != 1 or any(
        isinstance(said, int) and said != side for said, side in zip(known, found[0], strict=False)
    ):
        raise unusable(
            folder / "text_encoder",
            f"its weights do not fit its configuration (its words are {found or 'not there'})",
        )


def _require_tensor(folder: Path, header: Config, name: str, channels: int) -> None:
    shape = header.get(name, {}).get("shape")
    if not isinstance(shape, list) or len(shape) != 4 or shape[1] != channels:
        raise unusable(folder, f"its weights do not fit its configuration ({name} is {shape})")


def _channels(
    folder: Path, config: Config, name: str, default: int, *, name_of_file: str = "config.json"
) -> int:
    found = config.get(name, default)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise unusable(folder / name_of_file, f"its {name} is {found!r}, no number above zero")
    return found


def unusable(path: Path, reason: str) -> RemediableError:
    return RemediableError(
        f"The model cannot be used because of {path.parent.name}/{path.name}: {reason}.",
        remedy="Download or save the model again, in full, and register it then.",
    )
