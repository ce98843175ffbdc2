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

from feedback_app.images.versions.fitting import (
    Config,
    require_fit,
    require_weights_of,
    unusable,
)
from feedback_app.images.versions.folders import CONTROL_NET, index_of, settings_of
from generation.conditioning.masks import MASK_KINDS
from generation.datasets.files import is_file
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
NETWORKS = {
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
}
"""The parts with weights, and what these are called."""
CONFIGS = {
    "unet": "config.json",
    "vae": "config.json",
    "text_encoder": "config.json",
    "scheduler": "scheduler_config.json",
}
LIBRARIES = ("diffusers", "transformers")
CONFIG_MAX_BYTES = 64 * 1024 * 1024
HEADER_MAX_BYTES = 100 * 1024 * 1024
LFS_POINTER = b"version https://git-lfs"
RESOLUTIONS = range(32, 2049)
RESOLUTION_STEP = 8
RESOLUTION_MAX_HALVINGS = 12
SHOWN_DIGITS = 24


def inspect_model(folder: Path) -> None:
    """Raises RemediableError, which names the file and the reason, where a model cannot be used."""
    index = read_config(index_of(folder))
    _require_safetensors(folder, index)
    configs = inspect_settings(folder)
    headers = {part: inspect_weights(folder / part) for part in NETWORKS}
    for part, stem in NETWORKS.items():
        require_named(folder / part, stem)
    _require_one_precision(folder)
    require_weights_of(folder, configs, headers)
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
    words = _words_of(folder / "tokenizer")
    for path in settings_of(folder):
        read_json(path)
    for part, expected in CLASSES.items():
        found = configs[part].get("_class_name", expected)
        if found != expected:
            raise unusable(folder / part, f"it is a {found}, and a {expected} is needed")
    require_fit(folder, configs, words=words)
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
            raise unusable(
                folder / "model_index.json",
                f"its {part} is of {library!r}, not of {' or '.join(LIBRARIES)}",
            )


def read_config(path: Path) -> Config:
    """Reads a JSON object; what stands in its place instead is named."""
    found = read_json(path)
    if not isinstance(found, dict):
        raise unusable(path, "it holds no JSON object")
    return found


def read_json(path: Path) -> Any:
    content = _read(path)
    try:
        return json.loads(content.decode("utf-8"))  # as libraries read it: no mark, no UTF-16
    except (ValueError, RecursionError) as error:
        reason = _what_instead(content) or "it is not JSON in plain UTF-8"
        raise unusable(path, reason) from error


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > CONFIG_MAX_BYTES:
            raise unusable(path, "it is too large for a configuration")
        if not path.is_file():
            raise unusable(path, "it is no file")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise unusable(path, "it is not there") from error
    except OSError as error:
        raise unusable(path, f"it cannot be read ({error.strerror})") from error


def _what_instead(content: bytes) -> str:
    """Says what a download has left in place of a file; empty where that is not known."""
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    if content.startswith(LFS_POINTER):
        return "it is a Git LFS pointer, not the file itself: run git lfs pull"
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "it is a web page, as a download without a login leaves it"
    return "it is empty" if not content else ""


def _words_of(folder: Path) -> int:
    """Returns how many words a tokenizer knows: a fast one's file, or a vocabulary with merges."""
    if (folder / "tokenizer.json").is_file():
        model = read_config(folder / "tokenizer.json").get("model")
        vocabulary = model.get("vocab") if isinstance(model, dict) else None
        return len(vocabulary) if isinstance(vocabulary, dict | list) else 0
    words = len(read_config(folder / "vocab.json"))
    merges = _read(folder / "merges.txt")
    if reason := _what_instead(merges):
        raise unusable(folder / "merges.txt", reason)
    return words


def inspect_weights(folder: Path) -> Config:
    """Returns a part's weights must be there in full, as safetensors: in one file, or all its
    shards.

    Returns the entries of all headers by the tensors' names.
    """
    for index in sorted(folder.glob("*.safetensors.index*.json")):
        for name in sorted(set(_shards(index))):
            if not is_file(folder / name):
                raise unusable(index, f"it names {name}, which is not there")
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        others = [path.name for path in sorted(folder.glob("*.bin"))]
        also = f" ({others[0]} is there, which can run code when loaded)" if others else ""
        raise RemediableError(
            f"{folder} holds no *.safetensors file{also}.",
            remedy="Save the weights with save_pretrained(..., safe_serialization=True).",
        )
    return {name: entry for path in files for name, entry in read_header(path).items()}


def require_named(folder: Path, stem: str) -> None:
    """A library finds weights by one name alone, or by an index of that name for its shards."""
    names = (f"{stem}.safetensors", f"{stem}.fp16.safetensors")
    if any(is_file(folder / name) for name in names):
        return
    if not any(folder.glob(f"{stem}.safetensors.index*.json")):
        raise unusable(folder, f"it has neither {names[0]} nor the index of its shards")


def _require_one_precision(folder: Path) -> None:
    """Half-precision variants can be read where all parts have them, or other files as well."""
    halves = {
        part: all(".fp16." in path.name for path in (folder / part).glob("*.safetensors"))
        for part in NETWORKS
    }
    if len(set(halves.values())) > 1:
        only = ", ".join(part for part, is_half in halves.items() if is_half)
        raise unusable(folder, f"{only} has half-precision weights alone, the other parts do not")


def _shards(index: Path) -> list[str]:
    places = read_config(index).get("weight_map")
    if not isinstance(places, dict) or not all(
        isinstance(name, str) and Path(name).name == name for name in places.values()
    ):
        raise unusable(index, "it has no weight_map of files beside it")
    return list(places.values())


def read_header(path: Path) -> Config:
    """Reads a safetensors file's header, and holds it against the file's length.

    The format: eight bytes of the header's length, a JSON header, then the tensors' bytes.
    """
    if not path.is_file():
        raise unusable(path, "it is no file, or a link that leads to none")
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(64)
        if reason := _what_instead(start):
            raise unusable(path, reason)
        length = struct.unpack("<Q", start[:8])[0] if len(start) >= 8 else 0
        if not 2 <= length <= min(HEADER_MAX_BYTES, size - 8):
            raise unusable(path, "it is not a whole safetensors file")
        file.seek(8)
        content = file.read(length)
    try:
        header = json.loads(content)
        expected = 8 + length + _end_of(header)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise unusable(path, "its header cannot be read") from error
    if size != expected:
        raise unusable(path, f"it has {size} bytes of {expected}: the download is not complete")
    return header


def require_no_substitute(path: Path) -> None:
    """Refuses what a download has left in place of a file of weights."""
    with path.open("rb") as file:
        if reason := _what_instead(file.read(64)):
            raise unusable(path, reason)


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
    fits = 0 < side <= RESOLUTIONS.stop and halvings < RESOLUTION_MAX_HALVINGS
    return check_resolution(side << halvings if fits else side)


def check_resolution(pixels: int) -> int:
    """Refuses sizes that no image of a study could have."""
    if pixels not in RESOLUTIONS or pixels % RESOLUTION_STEP:
        raise RemediableError(
            f"A resolution of {str(pixels)[:SHOWN_DIGITS]} pixels cannot be made.",
            remedy=(
                f"Give one of {RESOLUTIONS.start} to {RESOLUTIONS.stop - 1} pixels that can be "
                f"divided by {RESOLUTION_STEP}."
            ),
        )
    return pixels
