"""Our DPO step against a plain one.

Plain is the textbook: two whole networks, all weights trained by AdamW, and in each step one
pair whose images go through the VAE and whose prompt goes through the text encoder, both
images in one pass. Ours is a LoRA adapter on one network that is its own reference with the
adapter switched off, on latents and embeddings encoded once, eight pairs in one pass.

Both must agree on what they compute: noise errors of a policy that is no longer its
reference. Times are seconds of one core, in turns, on the bundled model; ours include the
encoding, as a fine-tune of default length on these pairs would. Memory is the largest
resident size of a child process that takes two steps of one pair on a UNet of Stable
Diffusion 1.x's shape at half its width (64 x 64 latents); plain has neither VAE nor text
encoder there, which it would need as well.

``python -m benchmarks.dpo`` prints the figures.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from statistics import median
from typing import Any

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from torch.nn.functional import logsigmoid, mse_loss

from benchmarks.rows import Row
from generation.conditioning.prompts import default_prompts
from generation.diffusion.checkpoints import generator_for
from generation.diffusion.loading import load_pipeline
from generation.preferences.lessons import Lessons, Pairs, Pictures, Ratings, Reals, encode_prompts
from generation.preferences.networks import Network
from generation.preferences.objectives import Draw, Preferring
from generation.specs import BUNDLED, FineTuneSpec, ModelSource

PAIRS = 64
PROMPTS = 8
ROUNDS = 3
PLAIN_STEPS_A_ROUND = 8
STEPS_A_ROUND = 3
LEARNING_RATE = 1e-5
TOLERANCE = 1e-5
HALF_WIDTHS = (160, 320, 640, 640)
MIB = 2**20
KINDS = ("ours", "plain")


def spec_of(**changes: Any) -> FineTuneSpec:
    return FineTuneSpec(model=ModelSource(base=BUNDLED), preferences="", **changes)


class PlainDpo:
    """One pair a step, nothing kept between steps but weights."""

    def __init__(self, unet: UNet2DConditionModel, scheduler: Any, *, beta: float) -> None:
        self.policy = deepcopy(unet).requires_grad_(True)
        self.reference = deepcopy(unet).requires_grad_(False)
        self.scheduler = scheduler
        self.beta = beta
        self.optimizer = torch.optim.AdamW(self.policy.parameters(), lr=LEARNING_RATE)

    def errors(
        self,
        network: UNet2DConditionModel,
        latents: torch.Tensor,
        embeddings: torch.Tensor,
        noise: torch.Tensor,
        timesteps: torch.Tensor,
    ) -> torch.Tensor:
        """Of the noise that the predicted velocity implies, against the noise; shape 2."""
        alpha = self.scheduler.alphas_cumprod[timesteps].sqrt().view(-1, 1, 1, 1)
        sigma = (1 - alpha.square()).sqrt()
        noisy = alpha * latents + sigma * noise
        predicted = network(noisy, timesteps, embeddings).sample
        if self.scheduler.config.prediction_type == "v_prediction":
            predicted = alpha * predicted + sigma * noisy
        return mse_loss(predicted, noise, reduction="none").mean(dim=(1, 2, 3))

    def step(
        self,
        latents: torch.Tensor,
        embeddings: torch.Tensor,
        noise: torch.Tensor,
        timesteps: torch.Tensor,
    ) -> None:
        given = (latents, embeddings, noise, timesteps)
        winner, loser = self.errors(self.policy, *given)
        with torch.no_grad():
            reference_winner, reference_loser = self.errors(self.reference, *given)
        rise = (winner - reference_winner) - (loser - reference_loser)
        self.optimizer.zero_grad()
        (-logsigmoid(-self.beta / 2 * rise)).backward()
        torch.nn.utils.clip_grad_norm_(self.policy.parameters(), 1.0)
        self.optimizer.step()


class Course:
    """The bundled model and as many made-up pairs as a small study gives."""

    def __init__(self) -> None:
        self.pipeline = load_pipeline(ModelSource(base=BUNDLED))
        self.scheduler = DDPMScheduler.from_config(self.pipeline.scheduler.config)
        self.prompts = default_prompts()[:PROMPTS]
        side = self.pipeline.unet.config.sample_size * self.pipeline.vae_scale_factor
        generator = torch.Generator().manual_seed(0)
        self.pixels = torch.rand(2 * PAIRS, 1, side, side, generator=generator) * 2 - 1

    @torch.no_grad()
    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        vae = self.pipeline.vae
        latents: torch.Tensor = vae.encode(pixels).latent_dist.mode() * vae.config.scaling_factor
        return latents

    def lessons(self) -> Lessons:
        return lessons_of(
            torch.cat([self.encode(part) for part in self.pixels.split(16)]),
            encode_prompts(self.pipeline, self.prompts),
        )

    def plain_step(self, plain: PlainDpo, number: int) -> None:
        generator = generator_for(0, number)
        pair = number % PAIRS
        latents = self.encode(self.pixels[[pair, PAIRS + pair]])
        embeddings = encode_prompts(self.pipeline, [self.prompts[pair % PROMPTS]])
        noise = torch.randn(latents[:1].shape, generator=generator)
        timestep = torch.randint(300, 950, (1,), generator=generator)
        plain.step(
            latents, embeddings.repeat(2, 1, 1), noise.repeat(2, 1, 1, 1), timestep.repeat(2)
        )


def lessons_of(latents: torch.Tensor, embeddings: torch.Tensor) -> Lessons:
    """The first half of the latents won against the second."""
    count = len(latents) // 2
    nothing = torch.empty(0).long()
    return Lessons(
        pictures=Pictures(latents=latents, embeddings=embeddings, controls=torch.empty(0)),
        pairs=Pairs(
            winner=torch.arange(count),
            loser=torch.arange(count) + count,
            prompt=torch.arange(count) % len(embeddings),
            control=torch.zeros(count).long(),
            winner_score=torch.full((count, 1), 4.0),
            loser_score=torch.full((count, 1), 2.0),
            reliability=torch.ones(count),
        ),
        ratings=Ratings(
            image=nothing, prompt=nothing, control=nothing, score=torch.empty(0, 1),
            accepted=torch.empty(0), reliability=torch.empty(0),
        ),
        reals=Reals(image=nothing, prompt=nothing),
    )  # fmt: skip


class OurDpo:
    """The loop's own objective, with the optimizer that the loop has."""

    def __init__(self, network: Network, scheduler: Any, lessons: Lessons, spec: FineTuneSpec):
        self.weights = network.add_lora(rank=spec.rank, seed=0)
        self.objective = Preferring(network, scheduler, lessons, spec)
        self.optimizer = torch.optim.AdamW(self.weights, lr=LEARNING_RATE, weight_decay=0.0)

    def step(self, number: int) -> None:
        self.optimizer.zero_grad()
        loss, _ = self.objective.loss(self.objective.draw(generator_for(0, number)))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimizer.step()


def disturb(weights: list[torch.nn.Parameter]) -> None:
    """LoRA begins as nothing, where any error would look the same."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in weights:
            weight.add_(0.02 * torch.randn(weight.shape, generator=generator))


def largest_difference(course: Course, lessons: Lessons) -> float:
    """Of per-image errors, ours against plain's, relative; policy and reference of 8 pairs."""
    unet = deepcopy(course.pipeline.unet)
    ours = OurDpo(Network(unet), course.scheduler, lessons, spec_of())
    disturb(ours.weights)
    draw: Draw = ours.objective.draw(generator_for(0, 0))
    with torch.no_grad():
        errors, _, _ = ours.objective.errors(draw)
    plain = PlainDpo(course.pipeline.unet, course.scheduler, beta=1.0)
    unet.fuse_lora()
    unet.unload_lora()
    plain.policy = unet
    worst = 0.0
    for row, pair in enumerate(draw.chosen.tolist()):
        latents = lessons.pictures.latents[[pair, PAIRS + pair]]
        prompt = lessons.pictures.embeddings[lessons.pairs.prompt[pair]].expand(2, -1, -1)
        given = (latents, prompt, draw.noise[row].expand(2, -1, -1, -1))
        timesteps = draw.timesteps[row].repeat(2)
        with torch.no_grad():
            policy = plain.errors(plain.policy, *given, timesteps)
            reference = plain.errors(plain.reference, *given, timesteps)
        found = [errors.winner, errors.loser, errors.reference_winner, errors.reference_loser]
        ours_of_row = torch.stack([values[row] for values in found])
        theirs = torch.cat([policy, reference])
        assert (policy / reference - 1).abs().min() > TOLERANCE, "the adapter changes something"
        worst = max(worst, (ours_of_row / theirs - 1).abs().max().item())
    return worst


def core_s(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def pairs_per_core_s(course: Course, lessons: Lessons) -> tuple[float, float]:
    """Ours and plain's."""
    spec = spec_of()
    network = Network(deepcopy(course.pipeline.unet))
    ours = OurDpo(network, course.scheduler, lessons, spec)
    plain = PlainDpo(course.pipeline.unet, course.scheduler, beta=spec.beta)
    ours.step(0)
    course.plain_step(plain, 0)
    encoding_s = core_s(course.lessons)
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(ROUNDS):
        for number in range(STEPS_A_ROUND):
            found["ours"].append(core_s(lambda number=number: ours.step(number)))
        for number in range(PLAIN_STEPS_A_ROUND):
            found["plain"].append(core_s(lambda number=number: course.plain_step(plain, number)))
    whole_s = encoding_s + spec.steps * median(found["ours"])
    return spec.steps * spec.batch_size / whole_s, 1 / median(found["plain"])


def take_two_steps(kind: str) -> None:
    """In a process of its own, whose largest resident size is what is measured."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=64,
        block_out_channels=HALF_WIDTHS,
        cross_attention_dim=768,
        attention_head_dim=8,
    )
    scheduler = DDPMScheduler(prediction_type="epsilon")
    latents, embeddings = torch.randn(2, 4, 64, 64), torch.randn(1, 77, 768)
    if kind == "ours":
        ours = OurDpo(
            Network(unet), scheduler, lessons_of(latents, embeddings), spec_of(batch_size=1)
        )
        for number in range(2):
            ours.step(number)
        return
    plain = PlainDpo(unet, scheduler, beta=2_000.0)
    del unet
    for _ in range(2):
        noise = torch.randn(1, 4, 64, 64).repeat(2, 1, 1, 1)
        plain.step(latents, embeddings.repeat(2, 1, 1), noise, torch.tensor([500, 500]))


def peak_mib(kind: str) -> float:
    command = [sys.executable, "-m", "benchmarks.dpo", kind]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(json.loads(said.splitlines()[-1])["peak_mib"])


def run() -> list[Row]:
    torch.set_num_threads(1)
    course = Course()
    lessons = course.lessons()
    difference = largest_difference(course, lessons)
    assert difference < TOLERANCE, f"errors differ by {difference:.1e}"
    ours, plain = pairs_per_core_s(course, lessons)
    memory = {kind: peak_mib(kind) for kind in KINDS}
    return [
        Row(name="dpo_error_difference", value=difference, unit="relative", baseline=TOLERANCE,
            ratio=difference / TOLERANCE),
        Row(name="dpo_ratio", value=round(ours, 2), unit="pairs a core-second",
            baseline=round(plain, 2), ratio=round(ours / plain, 2)),
        Row(name="dpo_memory_ratio", value=round(memory["ours"]), unit="MiB",
            baseline=round(memory["plain"]), ratio=round(memory["ours"] / memory["plain"], 3)),
    ]  # fmt: skip


def main(arguments: list[str]) -> None:
    if arguments:
        torch.set_num_threads(1)
        take_two_steps(arguments[0])
        unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, kibibytes on Linux
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB
        sys.stdout.write(json.dumps({"peak_mib": peak}) + "\n")
        return
    for row in run():
        print(f"{row.name:<24} {row.value:>12.6g} {row.unit}  ratio {row.ratio}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
