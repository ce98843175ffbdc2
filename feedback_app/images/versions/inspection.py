"""Whether a folder holds a model that can be loaded, before it is registered; without torch.

What is checked: the pipeline's class, that every part is there with its configuration and its
weights in full, that the parts fit each other, and that sizes can be made.
"""

import json
import math
import re
import struct
from pathlib import Path
from typing import Any

from feedback_app.images.versions.folders import CONTROL_NET, index_of
from generation.conditioning.masks import MASK_KINDS
from generation.errors import RemediableError
from generation.specs import SUPPORTED_WORDS

FIRST_CHANNELS = 6
"""As in ``generation.diffusion.controlnet``, which brings torch."""
SUPPORTED = {"StableDiffusionPipeline", "StableDiffusionControlNetPipeline"}
FAMILIES = (
    ("Inpaint", "an in-painting pipeline"),
    ("StableDiffusionXL", "Stable Diffusion XL"),
    ("StableDiffusion3", "Stable Diffusion 3"),
    ("Flux", "Flux"),
    ("PixArt", "PixArt"),
    ("Kandinsky", "Kandinsky"),
    ("Wuerstchen", "Wuerstchen"),
    ("StableCascade", "Stable Cascade"),
    ("HunyuanDiT", "Hunyuan-DiT"),
    ("Sana", "Sana"),
    ("LatentConsistency", "a latent consistency model"),
)
CLASSES = {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL"}
NETWORKS = ("unet", "vae", "text_encoder")
CONFIGS = {
    "unet": "config.json",
    "vae": "config.json",
    "text_encoder": "config.json",
    "scheduler": "scheduler_config.json",
}
LIBRARIES = ("diffusers", "transformers")
PREDICTIONS = ("epsilon", "v_prediction")
CONFIG_MAX_BYTES = 64 * 1024 * 1024
HEADER_MAX_BYTES = 100 * 1024 * 1024
LFS_POINTER = b"version https://git-lfs"
RESOLUTIONS = range(32, 2049)
RESOLUTION_STEP = 8

Config = dict[str, Any]


def inspect_model(folder: Path) -> None:
    """Raises RemediableError, which names the file and the reason, where a model cannot be used."""
    index = read_config(index_of(folder))
    _require_safetensors(folder, index)
    configs = inspect_settings(folder)
    headers = {part: inspect_weights(folder / part) for part in NETWORKS}
    _require_one_precision(folder)
    channels = _channels(folder / "unet", configs["unet"], "in_channels", 4)
    _require_tensor(folder / "unet", headers["unet"], channels)
    if (folder / CONTROL_NET).is_dir():
        inspect_control_net(folder / CONTROL_NET)


def inspect_settings(folder: Path) -> dict[str, Config]:
    """Returns the configurations of a pipeline's parts; weights need not be there.

    Raises RemediableError where the pipeline is of another family, or its parts do not fit.
    """
    index = read_config(index_of(folder))
    _require_supported(folder, index)
    _require_known_code(folder, index)
    configs = {part: read_config(folder / part / name) for part, name in CONFIGS.items()}
    _require_tokenizer(folder / "tokenizer")
    for part, expected in CLASSES.items():
        found = configs[part].get("_class_name", expected)
        if found != expected:
            raise _unusable(folder / part, f"it is a {found}, and a {expected} is needed")
    _require_fit(folder, configs)
    return configs


def _require_safetensors(folder: Path, index: Config) -> None:
    """Refuses weights that could run code, before it is said that a family is not supported."""
    if str(index.get("_class_name")) not in SUPPORTED and not any(folder.rglob("*.safetensors")):
        raise RemediableError(
            f"{folder} holds no *.safetensors file.",
            remedy="Save the weights as safetensors: other formats can run code when loaded.",
        )


def _require_supported(folder: Path, index: Config) -> None:
    kind = str(index.get("_class_name") or "")
    if kind in SUPPORTED:
        return
    family = next((name for start, name in FAMILIES if start in kind), None)
    said = f"{family} ({kind})" if family else (kind or "no pipeline by its index")
    raise RemediableError(
        f"The model in {folder} is {said}, which is not supported.",
        remedy=f"Register one of the supported kinds: {SUPPORTED_WORDS}.",
    )


def _require_known_code(folder: Path, index: Config) -> None:
    """Every part must be of a library's own class: no code that comes with weights is run."""
    for part in CONFIGS:
        named = index.get(part)
        library = named[0] if isinstance(named, list) and named else None
        if library not in LIBRARIES:
            raise _unusable(
                folder / "model_index.json",
                f"its {part} is of {library!r}, not of {' or '.join(LIBRARIES)}",
            )


def read_config(path: Path) -> Config:
    """Reads a JSON object; what stands in its place instead is named."""
    content = _read(path)
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        reason = _what_instead(content) or "it is not JSON"
        raise _unusable(path, reason) from error
    if not isinstance(found, dict):
        raise _unusable(path, "it holds no JSON object")
    return found


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > CONFIG_MAX_BYTES:
            raise _unusable(path, "it is too large for a configuration")
        if not path.is_file():
            raise _unusable(path, "it is no file")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise _unusable(path, "it is not there") from error
    except OSError as error:
        raise _unusable(path, f"it cannot be read ({error.strerror})") from error


def _what_instead(content: bytes) -> str:
    """Says what a download has left in place of a file; empty where that is not known."""
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    if content.startswith(LFS_POINTER):
        return "it is a Git LFS pointer, not the file itself: run git lfs pull"
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "it is a web page, as a download without a login leaves it"
    return "it is empty" if not content else ""


def _require_tokenizer(folder: Path) -> None:
    """Requires a fast tokenizer's file, or a vocabulary with its merges."""
    if (folder / "tokenizer.json").is_file():
        read_config(folder / "tokenizer.json")
        return
    read_config(folder / "vocab.json")
    merges = _read(folder / "merges.txt")
    if reason := _what_instead(merges):
        raise _unusable(folder / "merges.txt", reason)


def inspect_weights(folder: Path) -> Config:
    """A part's weights must be there in full, as safetensors: in one file, or all its shards.

    Returns the entries of all headers by the tensors' names.
    """
    for index in sorted(folder.glob("*.safetensors.index*.json")):
        for name in sorted(set(_shards(index))):
            if not (folder / name).is_file():
                raise _unusable(index, f"it names {name}, which is not there")
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        others = [path.name for path in sorted(folder.glob("*.bin"))]
        also = f" ({others[0]} is there, which can run code when loaded)" if others else ""
        raise RemediableError(
            f"{folder} holds no *.safetensors file{also}.",
            remedy="Save the weights with save_pretrained(..., safe_serialization=True).",
        )
    return {name: entry for path in files for name, entry in read_header(path).items()}


def _require_one_precision(folder: Path) -> None:
    """Half-precision variants can be read where all parts have them, or other files as well."""
    halves = {
        part: all(".fp16." in path.name for path in (folder / part).glob("*.safetensors"))
        for part in NETWORKS
    }
    if len(set(halves.values())) > 1:
        only = ", ".join(part for part, is_half in halves.items() if is_half)
        raise _unusable(folder, f"{only} has half-precision weights alone, the other parts do not")


def _require_tensor(folder: Path, header: Config, channels: int) -> None:
    """The weights must be those that the configuration speaks of."""
    shape = header.get("conv_in.weight", {}).get("shape")
    if not isinstance(shape, list) or len(shape) != 4 or shape[1] != channels:
        raise _unusable(
            folder, f"its weights do not fit its configuration (conv_in.weight is {shape})"
        )


def _shards(index: Path) -> list[str]:
    places = read_config(index).get("weight_map")
    if not isinstance(places, dict) or not all(
        isinstance(name, str) and Path(name).name == name for name in places.values()
    ):
        raise _unusable(index, "it has no weight_map of files beside it")
    return list(places.values())


def read_header(path: Path) -> Config:
    """Reads a safetensors file's header, and holds it against the file's length.

    The format: eight bytes of the header's length, a JSON header, then the tensors' bytes.
    """
    if not path.is_file():
        raise _unusable(path, "it is no file, or a link that leads to none")
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(64)
        if reason := _what_instead(start):
            raise _unusable(path, reason)
        length = struct.unpack("<Q", start[:8])[0] if len(start) >= 8 else 0
        if not 2 <= length <= min(HEADER_MAX_BYTES, size - 8):
            raise _unusable(path, "it is not a whole safetensors file")
        file.seek(8)
        content = file.read(length)
    try:
        header = json.loads(content)
        expected = 8 + length + _end_of(header)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise _unusable(path, "its header cannot be read") from error
    if size != expected:
        raise _unusable(path, f"it has {size} bytes of {expected}: the download is not complete")
    return header


def require_no_substitute(path: Path) -> None:
    """Refuses what a download has left in place of a file of weights."""
    with path.open("rb") as file:
        if reason := _what_instead(file.read(64)):
            raise _unusable(path, reason)


def _end_of(header: Config) -> int:
    """Returns where the last tensor ends; they lie one after the other, each as large as it says.

    Raises ValueError or TypeError where they do not.
    """
    entries = [entry for name, entry in header.items() if name != "__metadata__"]
    places = sorted((*entry["data_offsets"], _bytes_of(entry)) for entry in entries)
    end = 0
    for start, stop, size in places:
        if start != end or stop - start != size:
            raise ValueError("a tensor is not where it says")
        end = stop
    return end


def _bytes_of(entry: Config) -> int:
    shape, dtype = entry["shape"], re.fullmatch(r"(?:BF|[BFIU])(8|16|32|64)\w*", entry["dtype"])
    bits = 8 if entry["dtype"] == "BOOL" else int(dtype[1]) if dtype else 0
    if not bits or any(not isinstance(side, int) or side < 0 for side in shape):
        raise ValueError("a tensor of no known kind")
    return math.prod(shape) * bits // 8


def _require_fit(folder: Path, configs: dict[str, Config]) -> None:
    """The parts must speak of the same channels and widths, and predict what is known."""
    unet, vae, text = configs["unet"], configs["vae"], configs["text_encoder"]
    taken, given = (
        _channels(folder / "unet", unet, name, 4) for name in ("in_channels", "out_channels")
    )
    latent = _channels(folder / "vae", vae, "latent_channels", 4)
    if taken == 2 * latent + 1:
        raise _unusable(folder / "unet", f"it is made for in-painting: it takes {taken} channels")
    if (taken, given) != (latent, latent):
        raise _unusable(
            folder / "unet",
            f"it takes {taken} and gives {given} channels, the autoencoder has {latent}",
        )
    shown = vae.get("in_channels", 3), vae.get("out_channels", 3)
    if shown not in ((1, 1), (3, 3)):
        raise _unusable(folder / "vae", f"it takes and gives {shown} channels, not one or three")
    attended, width = unet.get("cross_attention_dim", 1280), text.get("hidden_size")
    if isinstance(attended, int) and isinstance(width, int) and attended != width:
        raise _unusable(
            folder / "unet", f"it reads text of width {attended}, the text encoder gives {width}"
        )
    if unet.get("addition_embed_type") is not None:
        raise _unusable(folder / "unet", "it wants more than a prompt, as Stable Diffusion XL does")
    prediction = configs["scheduler"].get("prediction_type", "epsilon")
    if prediction not in PREDICTIONS:
        raise _unusable(
            folder / "scheduler", f"it predicts {prediction!r}, not {' or '.join(PREDICTIONS)}"
        )


def _channels(folder: Path, config: Config, name: str, default: int) -> int:
    found = config.get(name, default)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise _unusable(folder / "config.json", f"its {name} is {found!r}, no number of channels")
    return found


def inspect_control_net(folder: Path) -> None:
    """A ControlNet must have one channel for each kind of mask; published ones have three.

    One that was taught before the last kinds came has fewer.
    """
    channels = read_config(folder / "config.json").get("conditioning_channels", 3)
    if channels not in range(FIRST_CHANNELS, len(MASK_KINDS) + 1):
        raise RemediableError(
            f"The ControlNet in {folder} takes {channels} channels, not one for each of "
            f"{', '.join(MASK_KINDS)}.",
            remedy="Leave its folder out, or train one with manage.py train_controlnet.",
        )
    inspect_weights(folder)


def native_resolution(folder: Path) -> int:
    """Returns the width and height in pixels that the model was trained at."""
    unet = read_config(folder / "unet" / "config.json")
    side, widths = unet.get("sample_size"), read_config(folder / "vae" / "config.json")
    if isinstance(side, list) and len(set(map(str, side))) == 1:
        side = side[0]
    blocks = widths.get("block_out_channels", [64])
    if not isinstance(side, int) or isinstance(side, bool) or not isinstance(blocks, list):
        raise RemediableError(
            f"The UNet in {folder} does not say the one size that it was trained at "
            f"(sample_size is {side!r}).",
            remedy="Give the resolution in pixels.",
        )
    halvings = max(len(blocks) - 1, 0)  # every block but the last halves the side
    return check_resolution(side << halvings if 0 < side <= RESOLUTIONS.stop else side)


def check_resolution(pixels: int) -> int:
    """Refuses sizes that no image of a study could have."""
    if pixels not in RESOLUTIONS or pixels % RESOLUTION_STEP:
        raise RemediableError(
            f"A resolution of {pixels} pixels cannot be made.",
            remedy=(
                f"Give one of {RESOLUTIONS.start} to {RESOLUTIONS.stop - 1} pixels that can be "
                f"divided by {RESOLUTION_STEP}."
            ),
        )
    return pixels


def _unusable(path: Path, reason: str) -> RemediableError:
    return RemediableError(
        f"The model cannot be used because of {path.parent.name}/{path.name}: {reason}.",
        remedy="Download or save the model again, in full, and register it then.",
    )
