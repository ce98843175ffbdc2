"""The eye of a VLM that is trained here: a frozen backbone, and an adapter that is taught.

``Eye`` is the vision tower of a LLaVA of transformers. What the backbone has seen of a picture
(``look``) may be given in the picture's place, so that a training looks at each one once.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling

from generation.training.devices import has_matrix_units
from generation.vlm.model.backbone import CHANNELS, Backbone


class EyeConfig(PreTrainedConfig):
    """How large pictures are, into how many cells they are cut, and how wide a token is.

    ``queries`` 0 gives the whole picture and each of ``grid`` x ``grid`` cells a token; more
    let a query transformer (as BLIP-2's, 2301.12597) draw so many tokens from all of them.
    """

    model_type = "reading-room-eye"

    image_size: int = 288
    grid: int = 2
    hidden_size: int = 64
    queries: int = 0
    query_layers: int = 2
    query_heads: int = 4

    @property
    def patch_size(self) -> int:
        return self.image_size // self.grid

    @property
    def cells(self) -> int:
        """What is seen of a picture: the whole and each cell."""
        return 1 + self.grid**2

    @property
    def tokens(self) -> int:
        return self.queries or self.cells


class QueryTransformer(nn.Module):
    """Draws a fixed number of tokens from what was seen, by queries that are learnt."""

    def __init__(self, config: EyeConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.queries = nn.Parameter(torch.randn(config.queries, width) * 0.02)
        self.places = nn.Parameter(torch.randn(config.cells, width) * 0.02)
        layer = nn.TransformerDecoderLayer(
            width, config.query_heads, 4 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerDecoder(layer, config.query_layers)

    def forward(self, cells: torch.Tensor) -> torch.Tensor:
        queries = self.queries.expand(len(cells), -1, -1)
        drawn: torch.Tensor = self.layers(queries, cells + self.places)
        return drawn


class Eye(PreTrainedModel):
    """From pictures, N x 3 x R x R in [-1, 1], or what was seen of them, to N x tokens x width."""

    config_class = EyeConfig
    main_input_name = "pixel_values"

    def __init__(self, config: EyeConfig) -> None:
        super().__init__(config)
        self.backbone = Backbone()
        self.register_buffer("mean", torch.zeros(CHANNELS))
        self.register_buffer("deviation", torch.ones(CHANNELS))
        self.adapter = nn.Linear(CHANNELS, config.hidden_size)
        self.bridge = QueryTransformer(config) if config.queries else nn.Identity()
        self.post_init()

    @property
    def is_measured(self) -> bool:
        """Whether it knows what its backbone sees of pictures: not before it has met any."""
        return bool(self.mean.any())

    @torch.no_grad()
    def look(self, pixels: torch.Tensor) -> torch.Tensor:
        """Returns what the backbone sees, N x cells x channels: of the whole picture, then of
        each cell.
        """
        self.backbone.eval()  # its norms are part of what it was taught
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        is_quicker = pixels.device.type == "cpu" and has_matrix_units()
        with torch.autocast(pixels.device.type, torch.bfloat16, enabled=is_quicker):
            maps = self.backbone(pixels)
        return torch.cat([self._cells(one.float()) for one in maps], dim=2)

    def _cells(self, seen: torch.Tensor) -> torch.Tensor:
        whole = seen.mean(dim=(2, 3))[:, None]
        parts = F.adaptive_avg_pool2d(seen, self.config.grid).flatten(2).transpose(1, 2)
        return torch.cat([whole, parts], dim=1)

    def adapt(self, cells: torch.Tensor) -> torch.Tensor:
        """N x cells x channels to N x cells x width."""
        standard = (cells.float() - self.mean) / self.deviation
        adapted: torch.Tensor = self.adapter(standard)
        return adapted

    def forward(self, pixel_values: torch.Tensor, **_: Any) -> BaseModelOutputWithPooling:
        is_seen = pixel_values.ndim == 3
        adapted = self.adapt(pixel_values if is_seen else self.look(pixel_values))
        tokens = self.bridge(adapted)
        return BaseModelOutputWithPooling(
            last_hidden_state=tokens, pooler_output=adapted[:, 0], hidden_states=(tokens,)
        )


AutoConfig.register(EyeConfig.model_type, EyeConfig)
AutoModel.register(EyeConfig, Eye)
