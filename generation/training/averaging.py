"""The moving average of weights that a training leaves in the end.

It stands in a file of its own because importing diffusers takes seconds, which trainings
without averaging are spared.
"""

from collections.abc import Iterable

import torch
from diffusers.training_utils import EMAModel


class AveragedWeights(EMAModel):
    """A moving average whose decay rises with the steps, (1 + n) / (10 + n), up to a limit."""

    @torch.no_grad()
    def step(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Take in the weights of one more step.

        It is what the parent does, without its copy of all weights in between: the same
        values in half the time.
        """
        self.optimization_step += 1
        decay = self.get_decay(self.optimization_step)
        torch._foreach_lerp_(self.shadow_params, list[torch.Tensor](parameters), 1 - decay)
