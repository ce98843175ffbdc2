"""A published image model, so small that it is made in a moment."""

from pathlib import Path

import torch
from transformers import ViTConfig, ViTModel


def save_published(folder: Path) -> Path:
    """Saves a vision transformer of 16 features with random weights, as transformers does."""
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=32,
        patch_size=16,
    )
    ViTModel(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text('{"size": {"height": 32, "width": 32}}')
    return folder
