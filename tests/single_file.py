"""A folder in the diffusers format written as one file, as Stable Diffusion was first published."""

import re
from pathlib import Path

import torch
from safetensors.torch import load_file

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
EACH = 2
"""Input blocks to a down block of one layer: the layer, and what makes it smaller; so upwards."""


def tensors_of(folder: Path) -> dict[str, torch.Tensor]:
    """Returns the weights of ``tests.tiny_model`` by their names in a single file."""
    found: dict[str, torch.Tensor] = {}
    for part, start, name_of in (
        ("unet", "model.diffusion_model.", unet_name),
        ("vae", "first_stage_model.", vae_name),
        ("text_encoder", "cond_stage_model.transformer.", text_name),
    ):
        (path,) = (folder / part).glob("*.safetensors")
        found |= {start + name_of(key): value for key, value in load_file(path).items()}
    return found


def unet_name(key: str) -> str:
    for name, other in ENDS.items():
        if key.startswith(f"{name}."):
            return other + key.removeprefix(name)
    if match := re.fullmatch(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", key):
        place = 2 * int(match[2]) if match[1] == "resnets" else 1
        return f"middle_block.{place}.{inner(match[1], match[3])}"
    match = re.fullmatch(r"(down|up)_blocks\.(\d)\.(\w+)\.(\d)\.(.*)", key)
    assert match, key
    way, block, kind, layer, rest = match[1], int(match[2]), match[3], int(match[4]), match[5]
    if way == "down":
        if kind == "downsamplers":
            return f"input_blocks.{EACH * (block + 1)}.0.op.{rest.removeprefix('conv.')}"
        return f"input_blocks.{EACH * block + layer + 1}.{column(kind)}.{inner(kind, rest)}"
    if kind == "upsamplers":  # behind a layer without attention
        return f"output_blocks.{EACH * block + 1}.1.{rest}"
    return f"output_blocks.{EACH * block + layer}.{column(kind)}.{inner(kind, rest)}"


def column(kind: str) -> int:
    return 0 if kind == "resnets" else 1


def inner(kind: str, rest: str) -> str:
    if kind != "resnets":
        return rest
    name, _, end = rest.partition(".")
    return f"{RESNET[name]}.{end}"


def vae_name(key: str) -> str:
    key = key.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    key = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", key)
    key = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", key)
    key = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", key)
    key = re.sub(
        r"up_blocks\.(\d)\.resnets\.(\d)", lambda m: f"up.{2 - int(m[1])}.block.{m[2]}", key
    )
    return re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{2 - int(m[1])}.upsample", key)


def text_name(key: str) -> str:
    return key if key.startswith("text_model.") else f"text_model.{key}"
