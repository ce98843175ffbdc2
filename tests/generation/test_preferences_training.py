"""The fine-tuning loop, on a tiny seeded network."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from generation.errors import RemediableError
from generation.preferences.finetuning import fine_tune, objective_for
from generation.preferences.lessons import Lessons
from generation.preferences.losses import PairErrors
from generation.preferences.networks import Network
from generation.preferences.noising import spread_timesteps
from generation.preferences.objectives import DpoObjective, Draw
from generation.training.checkpoints import generator_for, load_state
from tests.generation.made_lessons import (
    brightness,
    disturb,
    ignore,
    make_lessons,
    make_masked_network,
    make_network,
    make_scheduler,
    make_spec,
    without,
)

METHODS = ("dpo_margin", "dpo_paper", "reward_weighted", "kto", "draft")


@pytest.fixture(autouse=True)
def few_sampling_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generation.preferences.draft.SAMPLING_STEPS", 3)


@pytest.fixture
def lessons() -> Lessons:
    return make_lessons()


def a_draw() -> Draw:
    """All four rows, at four timesteps."""
    generator = torch.Generator().manual_seed(9)
    return Draw(
        chosen=torch.arange(4),
        noise=torch.randn(4, 4, 8, 8, generator=generator),
        timesteps=torch.tensor([50, 300, 600, 900]),
        beside=torch.empty(0).long(),
        beside_noise=torch.empty(0, 4, 8, 8),
        beside_timesteps=torch.empty(0).long(),
    )


def errors_of(network: Network, lessons: Lessons) -> PairErrors:
    return DpoObjective(network, make_scheduler(), lessons, make_spec()).errors(a_draw())[0]


def weights_after(
    network: Network, lessons: Lessons, path: Path, **changes: object
) -> torch.Tensor:
    """All adapter weights of a training, in one row."""
    fine_tune(
        network, make_scheduler(), lessons, make_spec(**changes),
        checkpoint=path, report=ignore, reward=brightness,
    )  # fmt: skip
    return torch.cat([weight.detach().flatten() for weight in network.weights()])


def test_the_reference_is_the_network_without_its_adapter(lessons: Lessons) -> None:
    network = make_network()
    weights = network.add_lora(rank=2, seed=0)
    before = errors_of(network, lessons)
    torch.testing.assert_close(before.winner, before.reference_winner)
    disturb(weights)
    after = errors_of(network, lessons)
    torch.testing.assert_close(after.reference_winner, before.winner)
    torch.testing.assert_close(after.reference_loser, before.loser)
    assert ((after.winner / after.reference_winner - 1).abs() > 1e-2).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("is_masked", [False, True])
def test_gradients_reach_the_adapters_and_nothing_else(method: str, is_masked: bool) -> None:
    network = make_masked_network() if is_masked else make_network()
    weights = network.add_lora(rank=2, seed=0)
    disturb(weights)
    objective = objective_for(
        network,
        make_scheduler(),
        make_lessons(controls=is_masked),
        make_spec(method=method),
        reward=brightness,
    )
    loss, _ = objective.loss(objective.draw(generator_for(0, 0)))
    loss.backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in weights)
    parts = [part for part in (network.unet, network.controlnet) if part is not None]
    frozen = [one for part in parts for one in part.parameters() if not one.requires_grad]
    assert frozen
    assert all(weight.grad is None for weight in frozen)


def test_a_whole_case_gives_what_its_pairs_give_one_by_one(lessons: Lessons) -> None:
    """Images 0 and 2, 0 and 3 under one prompt; 1 and 3, 1 and 2 under the other."""
    network = make_network()
    disturb(network.add_lora(rank=2, seed=0))
    single = DpoObjective(network, make_scheduler(), lessons, make_spec())
    whole = DpoObjective(network, make_scheduler(), lessons, make_spec(whole_cases=True))
    assert [group.tolist() for group in whole.groups] == [[0, 2], [1, 3]]
    draw = a_draw()
    of_cases = replace(
        draw, chosen=torch.tensor([0, 1]), noise=draw.noise[:2], timesteps=draw.timesteps[:2]
    )
    found, _, _ = whole.errors(of_cases)
    one_by_one = replace(
        draw,
        chosen=torch.tensor([0, 2, 1, 3]),
        noise=draw.noise[[0, 0, 1, 1]],
        timesteps=draw.timesteps[[0, 0, 1, 1]],
    )
    expected, _, _ = single.errors(one_by_one)
    for name, errors in vars(expected).items():
        torch.testing.assert_close(getattr(found, name), errors, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(whole.loss(of_cases)[0], single.loss(one_by_one)[0])


def test_every_pair_counts_alike_however_large_its_case(lessons: Lessons) -> None:
    pairs = lessons.pairs
    uneven = replace(
        lessons,
        pairs=replace(pairs, prompt=torch.tensor([0, 0, 0, 1]), winner=torch.tensor([0, 0, 0, 1])),
    )
    network = make_network()
    disturb(network.add_lora(rank=2, seed=0))
    whole = DpoObjective(network, make_scheduler(), uneven, make_spec(whole_cases=True))
    assert sorted(len(group) for group in whole.groups) == [1, 3]
    draw = a_draw()
    both = replace(
        draw, chosen=torch.tensor([0, 1]), noise=draw.noise[:2], timesteps=draw.timesteps[:2]
    )
    in_parts = torch.stack([whole.loss(both.part(number, of=2))[0] for number in range(2)])
    torch.testing.assert_close(in_parts.mean(), whole.loss(both)[0])


def test_activations_computed_again_give_the_same_weights(lessons: Lessons, tmp_path: Path) -> None:
    kept = weights_after(make_network(), lessons, tmp_path / "a", steps=3)
    again = weights_after(make_network(), lessons, tmp_path / "b", steps=3, recompute=True)
    assert again.equal(kept)


def test_both_images_of_a_pair_meet_the_same_noise(lessons: Lessons) -> None:
    twins = replace(lessons, pairs=replace(lessons.pairs, loser=lessons.pairs.winner))
    network = make_network()
    network.add_lora(rank=2, seed=0)
    errors = errors_of(network, twins)
    torch.testing.assert_close(errors.winner, errors.loser, atol=1e-5, rtol=1e-5)


def test_training_prefers_the_winners_more_than_the_parent_did(
    lessons: Lessons, tmp_path: Path
) -> None:
    network = make_network()
    weights_after(network, lessons, tmp_path / "c", steps=15, denoising_weight=0.0, beta=100.0)
    errors = errors_of(network, lessons)
    assert (errors.winner_rise < errors.loser_rise).all()


def test_kto_lets_good_images_gain_more_than_bad_ones(lessons: Lessons, tmp_path: Path) -> None:
    network = make_network()
    weights_after(network, lessons, tmp_path / "c", method="kto", steps=15, beta=100.0)
    errors = errors_of(network, lessons)  # images 0 and 1 are good, 2 and 3 bad
    assert errors.winner_rise.mean() < errors.loser_rise.mean()


def test_reward_weighted_learns_the_image_that_is_liked(lessons: Lessons, tmp_path: Path) -> None:
    network = make_network()
    weights_after(network, lessons, tmp_path / "c", method="reward_weighted", steps=15)
    errors = errors_of(network, lessons)
    assert errors.winner_rise[0] < 0


def test_draft_climbs_its_reward(lessons: Lessons, tmp_path: Path) -> None:
    taught, untaught = make_network(), make_network()
    spec = {"method": "draft", "anchor_weight": 0.1}
    weights_after(taught, lessons, tmp_path / "c", steps=8, **spec)
    untaught.add_lora(rank=2, seed=0)

    def reward(network: Network) -> float:
        objective = objective_for(
            network, make_scheduler(), lessons, make_spec(**spec), reward=brightness
        )
        _, figures = objective.loss(objective.draw(generator_for(99, 0)))
        return figures["reward"].item()

    assert reward(taught) > reward(untaught) + 0.01


def test_an_anchor_holds_draft_at_its_parent(lessons: Lessons, tmp_path: Path) -> None:
    def moved(weight: float) -> float:
        curve = fine_tune(
            make_network(), make_scheduler(), lessons,
            make_spec(method="draft", steps=4, anchor_weight=weight),
            checkpoint=tmp_path / f"{weight}", report=ignore, reward=brightness,
        )  # fmt: skip
        return curve["anchor"][-1]

    assert moved(100.0) < moved(0.0) / 2


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_adapter_resumed_or_not(
    lessons: Lessons, tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(Exception):
        pass

    def kill_in_step_6(step: int, figures: Mapping[str, float]) -> None:
        if step == 6:
            raise Killed

    monkeypatch.setattr("generation.preferences.finetuning.CHECKPOINT_EVERY", 5)
    changes: dict[str, object] = {"method": method, "steps": 8, "ema_decay": 0.9}
    unbroken = weights_after(make_network(), lessons, tmp_path / "a", **changes)
    with pytest.raises(Killed):
        fine_tune(
            make_network(), make_scheduler(), lessons, make_spec(**changes),
            checkpoint=tmp_path / "b", report=kill_in_step_6, reward=brightness,
        )  # fmt: skip
    state = load_state(tmp_path / "b")
    assert state is not None
    assert state["step"] == 5
    assert weights_after(make_network(), lessons, tmp_path / "b", **changes).equal(unbroken)
    ended = [load_state(tmp_path / name) for name in "ab"]
    assert ended[0] is not None and ended[1] is not None
    assert ended[0]["trainee"]["curve"] == ended[1]["trainee"]["curve"]


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_in_parts_gives_what_it_gives_whole(tmp_path: Path, method: str) -> None:
    lessons = make_lessons(reals=True)
    whole, parts = (
        weights_after(
            make_network(),
            lessons,
            tmp_path / f"{accumulate}",
            method=method,
            accumulate=accumulate,
        )
        for accumulate in (1, 4)
    )
    # In the norm: AdamW turns the rounding of a gradient near zero into a step of its own.
    assert (parts - whole).norm() < 1e-2 * whole.norm()


def test_the_average_of_weights_is_what_is_left(lessons: Lessons, tmp_path: Path) -> None:
    raw = weights_after(make_network(), lessons, tmp_path / "a", steps=6)
    averaged = weights_after(make_network(), lessons, tmp_path / "b", steps=6, ema_decay=0.9)
    assert not averaged.equal(raw)
    state = load_state(tmp_path / "b")
    assert state is not None
    torch.testing.assert_close(
        torch.cat([w.flatten() for w in state["average"]["shadow_params"]]), averaged
    )


def test_half_precision_computes_losses_in_full(lessons: Lessons) -> None:
    network = make_network()
    disturb(network.add_lora(rank=2, seed=0))
    spec = make_spec(precision="bfloat16")
    errors, _, _ = DpoObjective(network, make_scheduler(), lessons, spec).errors(a_draw())
    assert errors.winner.dtype == torch.float32
    torch.testing.assert_close(
        errors.winner, errors_of(network, lessons).winner, atol=0.05, rtol=0.05
    )


def test_real_images_are_practised_on(tmp_path: Path) -> None:
    without_reals = weights_after(make_network(), make_lessons(), tmp_path / "a")
    assert not weights_after(make_network(), make_lessons(reals=True), tmp_path / "b").equal(
        without_reals
    )


@pytest.mark.parametrize(("method", "part"), [("dpo_margin", "pairs"), ("kto", "ratings")])
def test_a_method_without_what_it_learns_from_is_refused(
    lessons: Lessons, method: str, part: str
) -> None:
    with pytest.raises(RemediableError, match="to learn from"):
        objective_for(
            make_network(), make_scheduler(), without(lessons, part), make_spec(method=method)
        )


def test_kto_needs_good_and_bad_images(lessons: Lessons) -> None:
    with pytest.raises(RemediableError, match="count as rejected"):
        objective_for(
            make_network(), make_scheduler(), replace(
                lessons, ratings=replace(lessons.ratings, accepted=torch.zeros(4))
            ), make_spec(method="kto"),
        )  # fmt: skip


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(ValueError, match="equal parts"):
        make_spec(batch_size=4, accumulate=3)


def test_a_mask_changes_what_is_predicted() -> None:
    lessons = make_lessons(controls=True)
    black = replace(lessons, pairs=replace(lessons.pairs, control=torch.zeros(4).long()))
    network = make_masked_network()
    network.add_lora(rank=2, seed=0)
    with_masks, without_masks = errors_of(network, lessons), errors_of(network, black)
    assert ((with_masks.winner / without_masks.winner - 1).abs() > 1e-4).all()


def test_an_image_without_a_mask_is_taught_without_the_control_net() -> None:
    """As it was sampled, also beside images with masks."""
    lessons = make_lessons(controls=True)
    mixed = replace(lessons, pairs=replace(lessons.pairs, control=torch.tensor([1, 0, 2, 0])))
    network = make_masked_network()
    network.add_lora(rank=2, seed=0)
    alone = make_network()
    alone.add_lora(rank=2, seed=0)
    found, masked = errors_of(network, mixed), errors_of(network, lessons)
    unmasked = errors_of(alone, mixed)
    with_masks = mixed.pairs.control[a_draw().chosen] > 0
    for name, errors in vars(found).items():
        expected = torch.where(with_masks, getattr(masked, name), getattr(unmasked, name))
        torch.testing.assert_close(errors[~with_masks], expected[~with_masks])
    assert (found.winner[with_masks] != unmasked.winner[with_masks]).all()


def test_a_control_net_that_nothing_is_shown_to_stays_as_it_is(tmp_path: Path) -> None:
    network = make_masked_network()
    lessons = make_lessons(controls=True)
    black = replace(lessons, pairs=replace(lessons.pairs, control=torch.zeros(4).long()))
    weights_after(network, black, tmp_path / "c", adapted=("unet", "controlnet"))
    taught = {name: "lora_B" in name for name in network.adapters()["controlnet"]}
    assert any(taught.values())
    for name, weight in network.adapters()["controlnet"].items():
        assert not taught[name] or not weight.any()
    alone = make_masked_network(("controlnet",))
    weights_after(alone, black, tmp_path / "d", adapted=("controlnet",))


def test_a_control_net_can_learn_alone(tmp_path: Path) -> None:
    network = make_masked_network(("controlnet",))
    weights_after(network, make_lessons(controls=True), tmp_path / "c", adapted=("controlnet",))
    network.save(tmp_path / "adapter")
    assert [path.parent.name for path in (tmp_path / "adapter").rglob("*.safetensors")] == [
        "controlnet"
    ]
    with pytest.raises(RemediableError, match="no ControlNet"):
        Network(network.unet, adapted=("controlnet",))


def test_a_saved_adapter_loads_upon_the_parent_and_gives_the_same_output(
    lessons: Lessons, tmp_path: Path
) -> None:
    taught = make_network()
    weights_after(taught, lessons, tmp_path / "c")
    taught.save(tmp_path / "adapter")
    loaded = make_network().unet
    loaded.load_lora_adapter(tmp_path / "adapter", prefix=None, use_safetensors=True)
    loaded.fuse_lora()
    sample = torch.ones(1, 4, 8, 8)
    prompt = lessons.pictures.embeddings[:1]
    with torch.no_grad():
        expected = taught.unet(sample, 500, prompt).sample
        torch.testing.assert_close(
            loaded.eval()(sample, 500, prompt).sample, expected, atol=1e-5, rtol=1e-4
        )


def test_figures_are_reported_for_every_step_and_kept_as_a_curve(
    lessons: Lessons, tmp_path: Path
) -> None:
    seen: list[tuple[int, set[str]]] = []
    curve = fine_tune(
        make_network(),
        make_scheduler(),
        lessons,
        make_spec(),
        checkpoint=tmp_path / "c.pt",
        report=lambda step, figures: seen.append((step, set(figures))),
    )
    assert seen == [(step, {"loss", "accuracy", "margin"}) for step in (1, 2)]
    assert curve["step"] == [1, 2]
    assert set(curve) == {"step", "loss", "accuracy", "margin"}


def test_timesteps_come_from_all_parts_between_texture_and_pure_noise() -> None:
    generator = torch.Generator().manual_seed(0)
    timesteps = spread_timesteps(13, total=1_000, generator=generator)
    assert sorted(((timesteps - 300) // 50).tolist()) == list(range(13))
