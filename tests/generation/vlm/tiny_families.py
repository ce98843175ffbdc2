"""A tiny model of random weights of each family that can be registered, in a folder."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3ImageProcessorPil,
    Gemma3Processor,
    Gemma3TextConfig,
    GemmaConfig,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3ImageProcessorPil,
    Idefics3Processor,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextImageProcessorPil,
    LlavaNextProcessor,
    LlavaProcessor,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    PaliGemmaProcessor,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLImageProcessorPil,
    SiglipImageProcessorPil,
    SiglipVisionConfig,
)

TEXT: dict[str, Any] = {
    "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
    "num_key_value_heads": 2, "max_position_embeddings": 512,
}  # fmt: skip
VISION: dict[str, Any] = {
    "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "image_size": 32, "patch_size": 16,
}  # fmt: skip
SQUARE = {"height": 32, "width": 32}
PINPOINTS = [[32, 64], [64, 32], [64, 64]]
QWEN_TEMPLATE = (
    "{% for m in messages %}{% for p in m['content'] %}"
    "{{ '<|vision_start|><|image_pad|><|vision_end|>' if p['type'] == 'image' else p['text'] }}"
    "{% endfor %}{% endfor %}"
)


def tokenizer_of(special: Sequence[str], **named: str) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        special_tokens=["<pad>", "<s>", "</s>", *special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["yes no which view is this PA AP"] * 2, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>",
        extra_special_tokens=named,
    )  # fmt: skip


def llava() -> tuple[Any, Any]:
    words = tokenizer_of(["<image>"], image_token="<image>")
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**VISION),
        text_config=LlamaConfig(vocab_size=len(words), **TEXT),
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SQUARE)
    processor = LlavaProcessor(
        pictures, words, patch_size=16, vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )  # fmt: skip
    return LlavaForConditionalGeneration(config), processor


def llava_next() -> tuple[Any, Any]:
    words = tokenizer_of(["<image>"], image_token="<image>")
    config = LlavaNextConfig(
        vision_config=CLIPVisionConfig(**VISION),
        text_config=LlamaConfig(vocab_size=len(words), **TEXT),
        image_token_index=words.convert_tokens_to_ids("<image>"),
        image_grid_pinpoints=PINPOINTS,
    )
    pictures = LlavaNextImageProcessorPil(
        size={"shortest_edge": 32}, crop_size=SQUARE, image_grid_pinpoints=PINPOINTS
    )
    processor = LlavaNextProcessor(
        pictures, words, patch_size=16, vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )  # fmt: skip
    return LlavaNextForConditionalGeneration(config), processor


def paligemma() -> tuple[Any, Any]:
    words = tokenizer_of(["<image>"], image_token="<image>")
    pictures = SiglipImageProcessorPil(size=SQUARE)
    pictures.image_seq_length = 4
    processor = PaliGemmaProcessor(pictures, words)
    config = PaliGemmaConfig(
        vision_config=SiglipVisionConfig(projection_dim=16, **VISION),
        text_config=GemmaConfig(vocab_size=len(words), head_dim=8, **TEXT),
        image_token_index=words.convert_tokens_to_ids("<image>"),
        projection_dim=16,
        hidden_size=16,
    )
    return PaliGemmaForConditionalGeneration(config), processor


def gemma3() -> tuple[Any, Any]:
    soft, start, end = "<image_soft_token>", "<start_of_image>", "<end_of_image>"
    words = tokenizer_of([soft, start, end], image_token=soft, boi_token=start, eoi_token=end)
    ids = words.convert_tokens_to_ids([soft, start, end])
    config = Gemma3Config(
        vision_config=SiglipVisionConfig(vision_use_head=False, **VISION),
        text_config=Gemma3TextConfig(vocab_size=len(words), head_dim=8, **TEXT),
        mm_tokens_per_image=4,
        image_token_index=ids[0],
        boi_token_index=ids[1],
        eoi_token_index=ids[2],
    )
    processor = Gemma3Processor(Gemma3ImageProcessorPil(size=SQUARE), words, image_seq_length=4)
    return Gemma3ForConditionalGeneration(config), processor


def idefics3() -> tuple[Any, Any]:
    words = tokenizer_of(
        ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]
    )
    config = Idefics3Config(
        vision_config=VISION,
        text_config=LlamaConfig(vocab_size=len(words), **TEXT),
        image_token_id=words.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=0,
    )
    side = {"longest_edge": 32}
    pictures = Idefics3ImageProcessorPil(size=side, max_image_size=side, do_image_splitting=False)
    return Idefics3ForConditionalGeneration(config), Idefics3Processor(
        pictures, words, image_seq_len=1
    )


def _qwen() -> tuple[PreTrainedTokenizerFast, dict[str, Any]]:
    special = ("<|image_pad|>", "<|vision_start|>", "<|vision_end|>", "<|video_pad|>")
    words = tokenizer_of(special, image_token=special[0], video_token=special[3])
    words.chat_template = QWEN_TEMPLATE
    ids = words.convert_tokens_to_ids(list(special))
    names = (
        "image_token_id", "vision_start_token_id", "vision_end_token_id", "video_token_id",
    )  # fmt: skip
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10_000.0}
    text = {"vocab_size": len(words), "rope_parameters": rope, **TEXT}
    return words, {"text_config": text, **dict(zip(names, ids, strict=True))}


def qwen2_vl() -> tuple[Any, Any]:
    words, shared = _qwen()
    vision = {"depth": 1, "embed_dim": 16, "hidden_size": 16, "num_heads": 2, "mlp_ratio": 2}
    config = Qwen2VLConfig(vision_config=vision, **shared)
    return Qwen2VLForConditionalGeneration(config), words


def qwen2_5_vl() -> tuple[Any, Any]:
    words, shared = _qwen()
    vision = {"depth": 1, "hidden_size": 16, "out_hidden_size": 16, "num_heads": 2,
              "intermediate_size": 32, "window_size": 56, "fullatt_block_indexes": [0]}  # fmt: skip
    config = Qwen2_5_VLConfig(vision_config=vision, **shared)
    return Qwen2_5_VLForConditionalGeneration(config), words


MAKERS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "llava": llava,
    "llava_next": llava_next,
    "paligemma": paligemma,
    "gemma3": gemma3,
    "idefics3": idefics3,
    "qwen2_vl": qwen2_vl,
    "qwen2_5_vl": qwen2_5_vl,
}


def write_tiny(family: str, folder: Path) -> Path:
    """Qwen's folders have no file for their whole processor, which needs torchvision to write."""
    torch.manual_seed(0)
    model, processor = MAKERS[family]()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    if family.startswith("qwen"):
        Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=56 * 56).save_pretrained(folder)
    return folder
