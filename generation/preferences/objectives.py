"""What each method makes of a step's draw: a loss, and figures to watch.

All of them go through one network in one pass, and through the reference in one before it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Self

import torch

from generation.errors import RemediableError
from generation.preferences.lessons import Lessons, cases_of
from generation.preferences.losses import (
    PairErrors,
    PairGradients,
    dpo_margin,
    dpo_paper,
    kto,
    reward_weighted,
    reward_weights,
)
from generation.preferences.marks import weights_of
from generation.preferences.networks import Network
from generation.preferences.noising import Noised, add_noise, spread_timesteps
from generation.specs import FineTuneSpec

Figures = dict[str, torch.Tensor]
"""Means over the draw, without gradients."""

Reward = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From scaled latents, N x C x h x w, and the places of their texts among the embeddings, to
rewards of shape N; differentiable."""


@dataclass(frozen=True, kw_only=True)
class Draw:
    """All randomness of one step: B rows of what is learnt from, and M of something beside.

    Noise is of the latents' shape. Beside pairs and ratings there are real images.
    """

    chosen: torch.Tensor
    noise: torch.Tensor
    timesteps: torch.Tensor
    beside: torch.Tensor
    beside_noise: torch.Tensor
    beside_timesteps: torch.Tensor

    def part(self, number: int, *, of: int) -> Self:
        """Give one of several equal parts of the draw."""
        parts = {name: value.chunk(of)[number] for name, value in vars(self).items() if len(value)}
        return type(self)(**(vars(self) | parts))

    def to(self, device: torch.device) -> Self:
        return type(self)(**{name: value.to(device) for name, value in vars(self).items()})


class Objective:
    """``loss`` of a part of a draw; ``follow`` hears the figures of every whole step."""

    def __init__(
        self, network: Network, scheduler: Any, lessons: Lessons, spec: FineTuneSpec
    ) -> None:
        lessons.require(spec.method)
        self.network = network
        self.scheduler = scheduler
        self.lessons = lessons
        self.spec = spec
        self.device = lessons.pictures.latents.device

    @property
    def rows(self) -> int:
        """Give the number of rows that a draw chooses from."""
        return len(self.lessons.ratings)

    @property
    def rows_beside(self) -> int:
        return len(self.lessons.reals)

    def loss(self, draw: Draw) -> tuple[torch.Tensor, Figures]:
        raise NotImplementedError

    def follow(self, figures: dict[str, float]) -> None:
        """Do nothing: by default a step does not depend on the one before."""

    def state(self) -> dict[str, float]:
        return {}

    def load(self, state: dict[str, float]) -> None:
        """Take up what ``state`` gave."""

    def draw(self, generator: torch.Generator) -> Draw:
        count = self.spec.batch_size
        beside = count if self.rows_beside else 0
        shape = self.lessons.pictures.latents.shape[1:]
        total = self.scheduler.config.num_train_timesteps

        def some(count: int, rows: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            if not count:
                return torch.empty(0).long(), torch.empty(0, *shape), torch.empty(0).long()
            return (
                torch.randint(rows, (count,), generator=generator),
                torch.randn((count, *shape), generator=generator),
                spread_timesteps(count, total=total, generator=generator),
            )

        chosen, noise, timesteps = some(count, self.rows)
        others, other_noise, other_timesteps = some(beside, self.rows_beside)
        return Draw(
            chosen=chosen,
            noise=noise,
            timesteps=timesteps,
            beside=others,
            beside_noise=other_noise,
            beside_timesteps=other_timesteps,
        )

    def computing(self) -> AbstractContextManager[Any]:
        """Set the precision that networks run in; the losses are always in float32."""
        is_half = self.spec.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=is_half)

    def predict(self, inputs: Noised) -> torch.Tensor:
        with self.computing():
            return inputs.predicted_by(self.network)

    def predict_as_reference(self, inputs: Noised) -> torch.Tensor:
        with self.network.adapter_off():
            return self.predict(inputs)

    def noised(
        self,
        draw: Draw,
        *,
        images: torch.Tensor,
        row: torch.Tensor,
        prompt: torch.Tensor,
        control: torch.Tensor,
    ) -> Noised:
        """Put the noise of their row of the draw on images, and on real ones after them."""
        pictures, reals = self.lessons.pictures, self.lessons.reals
        black = torch.zeros_like(draw.beside)
        return add_noise(
            self.scheduler,
            pictures,
            pictures.latents[torch.cat([images, reals.image[draw.beside]])],
            prompt=torch.cat([prompt, reals.prompt[draw.beside]]),
            control=torch.cat([control, black]),
            noise=torch.cat([draw.noise[row], draw.beside_noise]),
            timesteps=torch.cat([draw.timesteps[row], draw.beside_timesteps]),
        )

    def noised_ratings(self, draw: Draw) -> Noised:
        ratings, chosen = self.lessons.ratings, draw.chosen
        return self.noised(
            draw,
            images=ratings.image[chosen],
            row=torch.arange(len(chosen), device=self.device),
            prompt=ratings.prompt[chosen],
            control=ratings.control[chosen],
        )


class DpoObjective(Objective):
    """It is diffusion-DPO, of both weightings.

    A row that is drawn is a group of pairs that share noise and timestep: one pair, or all
    pairs of a case. Every image of a group passes the network once. Means over pairs are
    scaled so that in expectation, and over equal parts of a batch, each pair counts alike.
    """

    def __init__(
        self, network: Network, scheduler: Any, lessons: Lessons, spec: FineTuneSpec
    ) -> None:
        super().__init__(network, scheduler, lessons, spec)
        pairs = lessons.pairs
        singles = list(torch.arange(len(pairs))[:, None])
        self.groups = cases_of(pairs) if spec.whole_cases else singles

    @property
    def rows(self) -> int:
        return len(self.groups)

    @property
    def rows_beside(self) -> int:
        """Only the margin-weighted loss practises on real images; the other one is as published."""
        return len(self.lessons.reals) if self.spec.method == "dpo_margin" else 0

    def pairs_of(self, draw: Draw) -> tuple[torch.Tensor, torch.Tensor]:
        """Give the pairs of the drawn groups, and each one's row in the draw."""
        groups = [self.groups[number] for number in draw.chosen.tolist()]
        sizes = torch.tensor([len(group) for group in groups])
        rows = torch.arange(len(groups)).repeat_interleave(sizes)
        return torch.cat(groups).to(self.device), rows.to(self.device)

    def errors(self, draw: Draw) -> tuple[PairErrors, PairGradients, torch.Tensor | None]:
        """Measure the errors of drawn pairs, with and without the adapter, and of real images.

        Both images of a pair get the same noise and timestep, and all go through the
        network in one batch, real images after them.
        """
        pairs, pictures = self.lessons.pairs, self.lessons.pictures
        chosen, rows = self.pairs_of(draw)
        count = len(pictures.latents)
        images = torch.cat(
            [rows * count + pairs.winner[chosen], rows * count + pairs.loser[chosen]]
        )
        shown, place = images.unique(return_inverse=True)
        winner, loser = place.chunk(2)
        row = shown // count
        prompt, control = (
            torch.zeros_like(shown).scatter(0, place, column[chosen].repeat(2))
            for column in (pairs.prompt, pairs.control)
        )
        inputs = self.noised(draw, images=shown % count, row=row, prompt=prompt, control=control)
        of_pairs = inputs.first(len(shown))
        of_reference = self.predict_as_reference(of_pairs)
        prediction = self.predict(inputs)
        policy, real = inputs.errors_of(prediction).tensor_split([len(shown)])
        off = (prediction.detach().float() - inputs.target)[: len(shown)]
        reference, weight = of_pairs.errors_of(of_reference), self.weight_of_losers(chosen)
        errors = PairErrors(
            winner=policy[winner],
            loser=policy[loser],
            reference_winner=reference[winner],
            reference_loser=reference[loser],
        )
        if weight is not None:
            losers = of_pairs.at(loser)
            errors = replace(
                errors,
                loser=losers.errors_of(prediction[loser], weight=weight),
                reference_loser=losers.errors_of(of_reference[loser], weight=weight),
            )
        pull = off[loser] if weight is None else off[loser] * weight[:, None]
        return errors, PairGradients.of(off[winner], pull), real if len(real) else None

    def weight_of_losers(self, chosen: torch.Tensor) -> torch.Tensor | None:
        """Say what each place of the losers counts for; None where all of them do alike."""
        shares = self.lessons.pairs.loser_marked
        if not self.spec.region_weight or not len(shares):
            return None
        return weights_of(shares[chosen].float(), region_weight=self.spec.region_weight)

    def loss(self, draw: Draw) -> tuple[torch.Tensor, Figures]:
        """Figures: the share of pairs in which the winner gained more on the reference than
        the loser (``accuracy``), and by how much, times beta / 2 (``margin``)."""
        errors, gradients, real = self.errors(draw)
        chosen, _ = self.pairs_of(draw)
        loss = self.loss_of(errors, chosen, gradients=gradients, real=real)
        expected = len(draw.chosen) * len(self.lessons.pairs) / len(self.groups)
        gain = (errors.loser_rise - errors.winner_rise).detach() * self.spec.beta / 2
        figures = {"accuracy": (gain > 0).float().mean(), "margin": gain.mean()}
        return loss * (len(chosen) / expected), figures

    def loss_of(
        self,
        errors: PairErrors,
        chosen: torch.Tensor,
        *,
        gradients: PairGradients | None = None,
        real: torch.Tensor | None = None,
    ) -> torch.Tensor:
        spec, pairs = self.spec, self.lessons.pairs
        scores = {
            "winner_score": pairs.winner_score[chosen],
            "loser_score": pairs.loser_score[chosen],
        }
        used = gradients if spec.safeguarded else None
        if spec.method == "dpo_paper":
            return dpo_paper(errors, beta=spec.beta, gradients=used, **scores)
        return dpo_margin(
            errors,
            reliability=pairs.reliability[chosen],
            beta=spec.beta,
            denoising_weight=spec.denoising_weight,
            gradients=used,
            real=real,
            **scores,
        )


class RewardWeightedObjective(Objective):
    """It is reward-weighted likelihood over rated and real images; it needs no reference."""

    def __init__(
        self, network: Network, scheduler: Any, lessons: Lessons, spec: FineTuneSpec
    ) -> None:
        super().__init__(network, scheduler, lessons, spec)
        ratings = lessons.ratings
        weight = ratings.reliability * reward_weights(
            ratings.score, ratings.accepted, temperature=spec.temperature
        )
        if not weight.sum():
            raise RemediableError(
                "every rated image was rejected, so none is to be imitated",
                remedy="Choose KTO, which learns from rejections, or wait for better images.",
            )
        self.weight = weight / weight.mean()

    def loss(self, draw: Draw) -> tuple[torch.Tensor, Figures]:
        chosen = draw.chosen
        inputs = self.noised_ratings(draw)
        errors = inputs.errors_of(self.predict(inputs))
        rated, real = errors.tensor_split([len(chosen)])
        has_real = len(real) > 0
        loss = reward_weighted(rated, weight=self.weight[chosen], real=real if has_real else None)
        figures = {"rated_error": rated.detach().mean()}
        return loss, figures | ({"real_error": real.detach().mean()} if has_real else {})


class KtoObjective(Objective):
    """Diffusion-KTO.

    Its reference point is the mean gain of the step before, or nothing where that is
    negative: one number for all parts and processes of a step.
    """

    def __init__(
        self, network: Network, scheduler: Any, lessons: Lessons, spec: FineTuneSpec
    ) -> None:
        super().__init__(network, scheduler, lessons, spec)
        self.reference_point = 0.0
        ratings = lessons.ratings
        score, said = ratings.score, ~ratings.accepted.isnan()
        good = torch.where(score.isnan(), score, (score >= spec.accepted_from).to(score.dtype))
        good[said] = torch.nan
        good[said, 0] = ratings.accepted[said]
        share = good.nanmean().item()
        if share in {0, 1}:
            raise RemediableError(
                f"all rated images count as {'accepted' if share else 'rejected'}",
                remedy="Set another score from which an image is accepted, or read more.",
            )
        self.is_good = good
        balance = torch.where(good == 1, 0.5 / share, 0.5 / (1 - share))
        self.weight = ratings.reliability[:, None] * balance

    @property
    def rows_beside(self) -> int:
        return 0

    def loss(self, draw: Draw) -> tuple[torch.Tensor, Figures]:
        """Figures: the mean ``gain`` on the reference, and the share of images that gained
        if good and lost if bad (``accuracy``)."""
        chosen = draw.chosen
        inputs = self.noised_ratings(draw)
        reference = inputs.errors_of(self.predict_as_reference(inputs))
        rises = inputs.errors_of(self.predict(inputs)) - reference
        good = self.is_good[chosen]
        loss = kto(
            rises,
            is_good=good,
            weight=self.weight[chosen],
            reference_point=torch.tensor(self.reference_point, device=self.device),
            beta=self.spec.beta,
        )
        is_right = (rises.detach() < 0) == (good.nanmean(1) >= 0.5)
        return loss, {"accuracy": is_right.float().mean(), "gain": -rises.detach().mean()}

    def follow(self, figures: dict[str, float]) -> None:
        self.reference_point = max(0.0, figures["gain"])

    def state(self) -> dict[str, float]:
        return {"reference_point": self.reference_point}

    def load(self, state: dict[str, float]) -> None:
        self.reference_point = state["reference_point"]
