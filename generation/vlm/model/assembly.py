"""A VLM that is trained here, as a folder: LLaVA's class of transformers, tokenizer, processor."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import (
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    SiglipImageProcessorPil,
)

from generation.errors import RemediableError
from generation.vlm.model.eye import EyeConfig
from generation.vlm.model.wording import END, IMAGE, LONGEST, PAD, START, Words

BACKBONE = "backbone.safetensors"
IN_TOWER = "vision_tower.backbone."
PEAK = 0.02


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The decoder's size: Llama's, with tied embeddings."""

    width: int = 256
    layers: int = 6
    heads: int = 4


def assemble(
    tokenizer: PreTrainedTokenizerFast, eye: EyeConfig, shape: Shape, *, seed: int
) -> LlavaForConditionalGeneration:
    """Returns a VLM of random weights."""
    words = Words(tokenizer)
    decoder = LlamaConfig(
        vocab_size=len(words),
        hidden_size=shape.width,
        intermediate_size=-(-shape.width * 8 // 3 // 16) * 16,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=LONGEST,
        tie_word_embeddings=True,
        initializer_range=PEAK,
        pad_token_id=words.pad,
        bos_token_id=words.start,
        eos_token_id=words.end,
    )
    config = LlavaConfig(
        vision_config=eye,
        text_config=decoder,
        image_token_index=words.image,
        image_seq_length=eye.tokens,
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        tie_word_embeddings=True,
        pad_token_id=words.pad,
        bos_token_id=words.start,
        eos_token_id=words.end,
    )
    torch.manual_seed(seed)
    return LlavaForConditionalGeneration(config)


def give_backbone(model: LlavaForConditionalGeneration, source: Path) -> None:
    """Take the backbone of ``source``: a VLM's folder, or one that holds a backbone alone."""
    try:
        alone = source / BACKBONE
        weights = load_file(alone if alone.is_file() else source / "model.safetensors")
        if not alone.is_file():  # a version of transformers saves names with "model." before
            weights = {name.rpartition(IN_TOWER)[2]: weight for name, weight in weights.items()
                       if IN_TOWER in name}  # fmt: skip
        chosen = {name: weight.float() for name, weight in weights.items()}
        model.model.vision_tower.backbone.load_state_dict(chosen)
    except (OSError, RuntimeError, ValueError) as error:
        raise RemediableError(
            f"{source} holds no backbone of an eye: {error}",
            remedy="Name a VLM that was trained here, or leave the bundled one.",
        ) from error


def processor_of(tokenizer: PreTrainedTokenizerFast, eye: EyeConfig) -> LlavaProcessor:
    """Returns the processor by which transformers alone can ask the model."""
    side = eye.image_size
    pictures = SiglipImageProcessorPil(
        size={"height": side, "width": side},
        resample=2,
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
        do_convert_rgb=True,
    )
    return LlavaProcessor(
        image_processor=pictures,
        tokenizer=tokenizer,
        patch_size=side,
        vision_feature_select_strategy="full",
        chat_template=tokenizer.chat_template,
        image_token=IMAGE,
        num_additional_image_tokens=eye.tokens - 1,
    )


def save(
    model: LlavaForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
    *,
    is_half: bool = True,
) -> None:
    """Write the folder; weights in half the precision, which loses no figure that was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = model.state_dict()
    written = {name: weight.half() if is_half and weight.is_floating_point() else weight
               for name, weight in kept.items()}  # fmt: skip
    model.save_pretrained(folder, state_dict=written)
    processor_of(tokenizer, model.config.vision_config).save_pretrained(folder)


__all__ = ["END", "PAD", "START", "Shape", "assemble", "give_backbone", "processor_of", "save"]
