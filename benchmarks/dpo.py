"""Our DPO step against a plain one.

Plain is the textbook: two whole networks, all weights trained by AdamW, and in each step one
pair whose images go through the VAE and whose prompt goes through the text encoder, both
images in one pass. Ours is a LoRA adapter on one network that is its own reference with the
adapter switched off, on latents and embeddings encoded once. It takes the pairs of whole
cases of four images that three readers scored, as many images a step as plain would in
eight, each of which passes the network once; a row of its own has eight single pairs a step.

Both must agree on what they compute: noise errors of a policy that is no longer its
reference. Times are seconds of one core, in turns, on the bundled model; ours include the
encoding, as a fine-tune of default length on these cases would. Memory is the largest
resident size of a child process that takes two steps of one pair on a UNet of Stable
Diffusion 1.x's shape at half its width (64 x 64 latents), ours with activations computed
again, as for models of that size; plain has neither VAE nor text encoder there, which it
would need as well.

``python -m benchmarks.dpo`` prints the figures.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from itertools import combinations
from statistics import median
from typing import Any

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from torch.nn.functional import logsigmoid, mse_loss

from benchmarks.rows import Row
from generation.conditioning.prompts import default_prompts
from generation.diffusion.loading import load_pipeline, native_side
from generation.preferences.encoding import encode_texts
from generation.preferences.lessons import Lessons, Pairs, Pictures, Ratings, Reals
from generation.preferences.networks import Network
from generation.preferences.objectives import DpoObjective
from generation.specs import BUNDLED, FineTuneSpec, ModelSource
from generation.training.checkpoints import generator_for

CASES = 24
IMAGES_A_CASE = 4
PAIRS_A_CASE = 14
"""Three readers could give 18; a rehearsal gives about as many, and the rest are ties."""
PAIRS = CASES * PAIRS_A_CASE
CASES_A_STEP = 4
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


OURS = {
    "cases": spec_of(whole_cases=True, batch_size=CASES_A_STEP),
    "pairs": spec_of(),
}


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
        """Compares the noise that the predicted velocity implies with the noise; shape 2."""
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
        self.prompts = default_prompts()[:CASES]
        side = native_side(self.pipeline)
        generator = torch.Generator().manual_seed(0)
        images = CASES * IMAGES_A_CASE
        self.pixels = torch.rand(images, 1, side, side, generator=generator) * 2 - 1

    @torch.no_grad()
    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        vae = self.pipeline.vae
        latents: torch.Tensor = vae.encode(pixels).latent_dist.mode() * vae.config.scaling_factor
        return latents

    def lessons(self) -> Lessons:
        return lessons_of(
            torch.cat([self.encode(part) for part in self.pixels.split(16)]),
            encode_texts(self.pipeline, self.prompts),
            all_pairs(),
        )

    def plain_step(self, plain: PlainDpo, number: int) -> None:
        generator = generator_for(0, number)
        case, winner, loser = all_pairs()[number * PAIRS_A_CASE % PAIRS]
        latents = self.encode(self.pixels[[winner, loser]])
        embeddings = encode_texts(self.pipeline, [self.prompts[case]])
        noise = torch.randn(latents[:1].shape, generator=generator)
        timestep = torch.randint(300, 950, (1,), generator=generator)
        plain.step(
            latents, embeddings.repeat(2, 1, 1), noise.repeat(2, 1, 1, 1), timestep.repeat(2)
        )


def all_pairs() -> list[tuple[int, int, int]]:
    """Case, winner and loser of every pair: readers agree, and the first image is the best."""
    of_case = [*combinations(range(IMAGES_A_CASE), 2)] * 3
    return [
        (case, case * IMAGES_A_CASE + winner, case * IMAGES_A_CASE + loser)
        for case in range(CASES)
        for winner, loser in of_case[:PAIRS_A_CASE]
    ]


def lessons_of(
    latents: torch.Tensor, embeddings: torch.Tensor, pairs: Sequence[tuple[int, int, int]]
) -> Lessons:
    """``pairs`` are of a prompt, a winner and a loser each."""
    prompt, winner, loser = torch.tensor(pairs).T
    count = len(pairs)
    nothing = torch.empty(0).long()
    return Lessons(
        pictures=Pictures(latents=latents, embeddings=embeddings, controls=torch.empty(0)),
        pairs=Pairs(
            winner=winner,
            loser=loser,
            prompt=prompt,
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
        self.objective = DpoObjective(network, scheduler, lessons, spec)
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


def largest_difference(course: Course, lessons: Lessons, spec: FineTuneSpec) -> float:
    """Compares our errors per image with plain's, relative, for policy and reference of a step."""
    unet = deepcopy(course.pipeline.unet)
    ours = OurDpo(Network(unet), course.scheduler, lessons, spec)
    disturb(ours.weights)
    draw = ours.objective.draw(generator_for(0, 0))
    with torch.no_grad():
        errors, _, _ = ours.objective.errors(draw)
    plain = PlainDpo(course.pipeline.unet, course.scheduler, beta=1.0)
    unet.fuse_lora()
    unet.unload_lora()
    plain.policy = unet
    found = torch.stack(
        [errors.winner, errors.loser, errors.reference_winner, errors.reference_loser], 1
    )
    chosen, rows = ours.objective.pairs_of(draw)
    worst = changed = 0.0
    for of_pair, pair, row in zip(found, chosen, rows, strict=True):
        pairs = lessons.pairs
        latents = lessons.pictures.latents[torch.stack([pairs.winner[pair], pairs.loser[pair]])]
        prompt = lessons.pictures.embeddings[pairs.prompt[pair]].expand(2, -1, -1)
        given = (latents, prompt, draw.noise[row].expand(2, -1, -1, -1))
        timesteps = draw.timesteps[row].repeat(2)
        with torch.no_grad():
            policy = plain.errors(plain.policy, *given, timesteps)
            reference = plain.errors(plain.reference, *given, timesteps)
        changed = max(changed, (policy / reference - 1).abs().max().item())
        worst = max(worst, (of_pair / torch.cat([policy, reference]) - 1).abs().max().item())
    assert changed > 100 * TOLERANCE, "the adapter changes something"
    return worst


def core_s(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def pairs_per_core_s(course: Course, lessons: Lessons) -> dict[str, float]:
    """Times ours by whole cases, ours by single pairs, and plain."""
    ours = {
        name: OurDpo(Network(deepcopy(course.pipeline.unet)), course.scheduler, lessons, spec)
        for name, spec in OURS.items()
    }
    plain = PlainDpo(course.pipeline.unet, course.scheduler, beta=spec_of().beta)
    steps: dict[str, Callable[[int], object]] = {
        **{name: one.step for name, one in ours.items()},
        "plain": lambda number: course.plain_step(plain, number),
    }
    for step in steps.values():
        step(0)
    encoding_s = core_s(course.lessons)
    found: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            for number in range(PLAIN_STEPS_A_ROUND if name == "plain" else STEPS_A_ROUND):
                found[name].append(core_s(partial(step, number)))
    rates = {"plain": 1 / median(found["plain"])}
    for name, spec in OURS.items():
        whole_s = encoding_s + spec.steps * median(found[name])
        pairs = spec.batch_size * (PAIRS_A_CASE if spec.whole_cases else 1)
        rates[name] = spec.steps * pairs / whole_s
    return rates


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
            Network(unet),
            scheduler,
            lessons_of(latents, embeddings, [(0, 0, 1)]),
            spec_of(batch_size=1),
        )
        ours.objective.network.recompute_activations()
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
    difference = max(largest_difference(course, lessons, spec) for spec in OURS.values())
    assert difference < TOLERANCE, f"errors differ by {difference:.1e}"
    rates = pairs_per_core_s(course, lessons)
    memory = {kind: peak_mib(kind) for kind in KINDS}
    against_plain: dict[str, Any] = {
        "unit": "pairs a core-second",
        "baseline": round(rates["plain"], 2),
    }
    return [
        Row(
            name="dpo_error_difference",
            value=difference,
            unit="relative",
            baseline=TOLERANCE,
            ratio=round(difference / TOLERANCE, 3),
        ),
        Row(
            name="dpo_ratio",
            value=round(rates["cases"], 2),
            ratio=round(rates["cases"] / rates["plain"], 2),
            **against_plain,
        ),
        Row(
            name="dpo_single_pairs_ratio",
            value=round(rates["pairs"], 2),
            ratio=round(rates["pairs"] / rates["plain"], 2),
            **against_plain,
        ),
        Row(
            name="dpo_memory_ratio",
            value=round(memory["ours"]),
            unit="MiB",
            baseline=round(memory["plain"]),
            ratio=round(memory["ours"] / memory["plain"], 3),
        ),
    ]


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
