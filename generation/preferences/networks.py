"""The network that learns: a denoiser, with its ControlNet where it has one, and LoRA on them.

The reference is the same network with its adapters switched off. It runs first and
without gradients: switching adapters off clears ``requires_grad``, and switching them
on sets it again, so the order matters. Both parts must have their ancestors' adapters
merged, since switching off concerns all adapters there are.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from peft import LoraConfig, get_peft_model_state_dict, set_peft_model_state_dict

from generation.diffusion.controlnet import FOLDER as CONTROLNET_FOLDER
from generation.errors import RemediableError
from generation.specs import Part

LORA_MODULES = ["to_q", "to_k", "to_v", "to_out.0"]


class Network:
    """Predicts what its scheduler asks for; ``adapted`` are the parts that learn."""

    def __init__(
        self,
        unet: UNet2DConditionModel,
        controlnet: ControlNetModel | None = None,
        *,
        adapted: Sequence[Part] = ("unet",),
    ) -> None:
        if "controlnet" in adapted and controlnet is None:
            raise RemediableError(
                "the model has no ControlNet that could learn", remedy="Adapt the UNet alone."
            )
        self.unet = unet
        self.controlnet = controlnet
        parts: dict[Part, Any] = {"unet": unet, "controlnet": controlnet}
        self.adapted = {name: parts[name] for name in adapted}

    def add_lora(self, *, rank: int, seed: int) -> list[torch.nn.Parameter]:
        """Freeze all, add float32 adapters that change nothing yet, return their weights."""
        for part in (self.unet, self.controlnet):
            if part is not None:
                part.requires_grad_(False).eval()
        torch.manual_seed(seed)
        config = LoraConfig(r=rank, lora_alpha=rank, target_modules=LORA_MODULES)
        for part in self.adapted.values():
            part.add_adapter(config)
        weights = self.weights()
        for weight in weights:
            weight.data = weight.data.float()
        return weights

    def recompute_activations(self) -> None:
        """Keep few activations for the gradients, and compute the others again."""
        for part in (self.unet, self.controlnet):
            if part is not None:
                part.enable_gradient_checkpointing()

    def weights(self) -> list[torch.nn.Parameter]:
        parts = self.adapted.values()
        return [weight for part in parts for weight in part.parameters() if weight.requires_grad]

    @contextmanager
    def adapter_off(self) -> Iterator[None]:
        """Make it the reference network for a while; gradients flow again afterwards."""
        for part in self.adapted.values():
            part.disable_adapters()
        try:
            with torch.no_grad():
                yield
        finally:
            for part in self.adapted.values():
                part.enable_adapters()

    def __call__(
        self,
        noisy: torch.Tensor,
        timesteps: torch.Tensor,
        embeddings: torch.Tensor,
        controls: torch.Tensor | None,
        *,
        is_masked: torch.Tensor,
    ) -> torch.Tensor:
        """Predict N x C x h x w for N noisy latents; ``controls`` are N x C x H x W.

        As in sampling, the ControlNet has no part in what ``is_masked``, bool of shape N,
        says has no mask.
        """
        dtype = self.unet.dtype
        noisy, embeddings = noisy.to(dtype), embeddings.to(dtype)
        residuals: dict[str, Any] = {}
        rows = is_masked.nonzero()[:, 0]
        if self.controlnet is not None and controls is not None and len(rows):
            down, middle = self.controlnet(
                noisy[rows],
                timesteps[rows],
                embeddings[rows],
                controls[rows].to(dtype),
                return_dict=False,
            )
            residuals = {
                "down_block_additional_residuals": [_spread(one, rows, noisy) for one in down],
                "mid_block_additional_residual": _spread(middle, rows, noisy),
            }
        predicted: torch.Tensor = self.unet(noisy, timesteps, embeddings, **residuals).sample
        return predicted

    def adapters(self) -> dict[str, dict[str, torch.Tensor]]:
        return {name: get_peft_model_state_dict(part) for name, part in self.adapted.items()}

    def load_adapters(self, adapters: dict[str, dict[str, torch.Tensor]]) -> None:
        for name, part in self.adapted.items():
            set_peft_model_state_dict(part, adapters[name])

    def save(self, folder: Path) -> None:
        """Saves the UNet's adapter in the folder, a ControlNet's in a folder in it."""
        for name, part in self.adapted.items():
            part.save_lora_adapter(folder if name == "unet" else folder / CONTROLNET_FOLDER)


def _spread(residual: torch.Tensor, rows: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
    """Returns a residual of some rows of a batch as one of all of it, zero elsewhere."""
    whole = residual.new_zeros(len(batch), *residual.shape[1:])
    return whole.index_copy(0, rows, residual)
