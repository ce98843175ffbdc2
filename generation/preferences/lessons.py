"""What is learnt from: readings read, and their images and prompts encoded once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import torch
from pydantic import TypeAdapter, ValidationError
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from generation.conditioning.prompts import whole_prompt
from generation.errors import RemediableError
from generation.preferences.encoding import MaskPaths, encode_images, encode_texts, read_controls
from generation.preferences.marks import marked_shares
from generation.specs import (
    AXES,
    PAIR_METHODS,
    Axis,
    FineTuneSpec,
    Method,
    Preference,
    Rating,
)
from generation.training.checkpoints import load_state, save_state
from generation.training.images import read_manifest

Line = TypeVar("Line")
Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Readings:
    """They are the lines of a file of preferences, by kind."""

    preferences: tuple[Preference, ...] = ()
    ratings: tuple[Rating, ...] = ()

    @property
    def lines(self) -> list[Preference | Rating]:
        return [*self.preferences, *self.ratings]


@dataclass(frozen=True, kw_only=True)
class _Tensors:
    """Tensors that go to a device together."""

    def to(self, device: torch.device) -> Self:
        return type(self)(**{name: value.to(device) for name, value in vars(self).items()})


@dataclass(frozen=True, kw_only=True)
class Pictures(_Tensors):
    """They are M latents (M x C x h x w, scaled), P text embeddings (P x tokens x width), K
    controls.

    ``controls`` are what a ControlNet sees, K x C x H x W of 0 and 1 with a channel for each
    kind of mask; the first is black and stands for images without masks, which no ControlNet
    had a part in. Without a ControlNet there are none.
    """

    latents: torch.Tensor
    embeddings: torch.Tensor
    controls: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class Pairs(_Tensors):
    """N pairs: indices of shape N into pictures, scores N x A (0-5, or NaN), weights 0-1.

    ``loser_marked`` (N x h x w, half precision) says how much of each place of the losers'
    latents readers marked; it is empty where they marked nothing.
    """

    winner: torch.Tensor
    loser: torch.Tensor
    prompt: torch.Tensor
    control: torch.Tensor
    winner_score: torch.Tensor
    loser_score: torch.Tensor
    reliability: torch.Tensor
    loser_marked: torch.Tensor = field(default_factory=lambda: torch.empty(0))

    def __len__(self) -> int:
        return len(self.winner)


@dataclass(frozen=True, kw_only=True)
class Ratings(_Tensors):
    """N rated images: indices into pictures, ``score`` N x A (0-5, or NaN).

    ``accepted`` is 1, 0, or NaN where nothing was said outright.
    """

    image: torch.Tensor
    prompt: torch.Tensor
    control: torch.Tensor
    score: torch.Tensor
    accepted: torch.Tensor
    reliability: torch.Tensor

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True, kw_only=True)
class Reals(_Tensors):
    """M real images of a training split, each with its own prompt; no mask."""

    image: torch.Tensor
    prompt: torch.Tensor

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True, kw_only=True)
class Lessons:
    pictures: Pictures
    pairs: Pairs
    ratings: Ratings
    reals: Reals

    def to(self, device: torch.device) -> Self:
        return type(self)(**{name: value.to(device) for name, value in vars(self).items()})

    def require(self, method: Method) -> None:
        """Raise a ``RemediableError`` where there is nothing that the method learns from."""
        if method in PAIR_METHODS and not len(self.pairs):
            raise RemediableError(
                "there is no pair to learn from",
                remedy="Wait for readings whose scores differ, or choose reward-weighted or KTO.",
            )
        if method not in PAIR_METHODS and not len(self.ratings):
            raise RemediableError(
                "there is no rated image to learn from",
                remedy="Take the snapshot again: older ones hold pairs only.",
            )


def cases_of(pairs: Pairs) -> list[torch.Tensor]:
    """List the numbers of each case's pairs: those of one prompt and mask that share images."""
    images = int(torch.cat([pairs.winner, pairs.loser]).max()) + 1
    winner, loser = pairs.winner.cpu().numpy(), pairs.loser.cpu().numpy()
    edges = coo_array((np.ones(len(pairs)), (winner, loser)), shape=(images, images))
    _, component = connected_components(edges, directed=False)
    keys = torch.stack(
        [torch.from_numpy(component[winner]).long(), pairs.prompt.cpu(), pairs.control.cpu()], 1
    )
    _, number = keys.unique(dim=0, return_inverse=True)
    return [(number == one).nonzero()[:, 0] for one in range(int(number.max()) + 1)]


def read_readings(path: Path) -> Readings:
    """Read JSON lines of preferences and ratings; there must be at least one."""
    preference, rating = TypeAdapter(Preference), TypeAdapter(Rating)
    preferences: list[Preference] = []
    ratings: list[Rating] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            if b'"winner"' in line:
                preferences.append(preference.validate_json(line))
            else:
                ratings.append(rating.validate_json(line))
        except ValidationError as error:
            raise RemediableError(
                f"{path}, line {number} is neither a preference nor a rating: {error}",
                remedy="Take the snapshot again.",
            ) from error
    if not preferences and not ratings:
        raise RemediableError(
            f"{path} holds no reading", remedy="Wait for readings, and take a snapshot of them."
        )
    return Readings(preferences=tuple(preferences), ratings=tuple(ratings))


def encode_lessons(pipeline: Any, spec: FineTuneSpec, *, cache: Path) -> Lessons:
    """Encode each image, prompt and mask once; a cache that is there is taken as it is."""
    if state := load_state(cache):
        return Lessons(
            pictures=Pictures(**state["pictures"]),
            pairs=Pairs(**state["pairs"]),
            ratings=Ratings(**state["ratings"]),
            reals=Reals(**state["reals"]),
        )
    readings = read_readings(Path(spec.preferences))
    preferences, ratings = readings.preferences, readings.ratings
    real = _read_real(spec)
    images = _places(
        [
            *(path for pair in preferences for path in (pair.winner, pair.loser)),
            *(rating.image for rating in ratings),
            *(path for path, _ in real),
        ]
    )
    texts = _places([*map(text_of, readings.lines), *(prompt for _, prompt in real)])
    controls = _places([(), *map(_masks_of, readings.lines)])
    latents = encode_images(pipeline, [Path(path) for path in images])
    lessons = Lessons(
        pictures=Pictures(
            latents=latents,
            embeddings=encode_texts(pipeline, list(texts)),
            controls=read_controls(pipeline, list(controls)),
        ),
        pairs=Pairs(
            winner=_indices(preferences, lambda pair: images[pair.winner]),
            loser=_indices(preferences, lambda pair: images[pair.loser]),
            prompt=_indices(preferences, lambda pair: texts[text_of(pair)]),
            control=_indices(preferences, lambda pair: controls[_masks_of(pair)]),
            winner_score=_scores(preferences, winner_scores),
            loser_score=_scores(preferences, loser_scores),
            reliability=torch.tensor([pair.reliability for pair in preferences]),
            loser_marked=_marked(preferences, grid=(latents.shape[2], latents.shape[3])),
        ),
        ratings=Ratings(
            image=_indices(ratings, lambda rating: images[rating.image]),
            prompt=_indices(ratings, lambda rating: texts[text_of(rating)]),
            control=_indices(ratings, lambda rating: controls[_masks_of(rating)]),
            score=_scores(ratings, lambda rating: dict(rating.scores)),
            accepted=torch.tensor(
                [
                    float("nan") if rating.is_accepted is None else float(rating.is_accepted)
                    for rating in ratings
                ]
            ),
            reliability=torch.tensor([rating.reliability for rating in ratings]),
        ),
        reals=Reals(
            image=_indices(real, lambda row: images[row[0]]),
            prompt=_indices(real, lambda row: texts[row[1]]),
        ),
    )
    save_state(cache, {name: vars(part) for name, part in vars(lessons).items()})
    return lessons


def texts_in(spec: FineTuneSpec) -> list[str | None]:
    """List the texts of the embeddings that lessons of this spec have, in their order."""
    lines = read_readings(Path(spec.preferences)).lines
    return list(_places([*map(text_of, lines), *(prompt for _, prompt in _read_real(spec))]))


def text_of(line: Preference | Rating) -> str | None:
    """Give the prompt; None in mode m2i (masks and no prompt), whose text embedding is zero."""
    return None if line.masks and not line.prompt else line.prompt


def _masks_of(line: Preference | Rating) -> MaskPaths:
    return tuple(sorted(line.masks.items()))


def _read_real(spec: FineTuneSpec) -> list[tuple[str, str]]:
    """Read path and prompt of each real image that is practised on."""
    rows = read_manifest(Path(spec.real_images)) if spec.real_images else []
    return [(row.path, whole_prompt(row)) for row in rows if row.split == "train"]


def winner_scores(pair: Preference) -> dict[Axis, float]:
    """Give the scores by axis; a pair that has only a mean counts as one of the first axis."""
    if not pair.axes:
        return {AXES[0]: pair.winner_score}
    return {axis: scores[0] for axis, scores in pair.axes.items()}


def loser_scores(pair: Preference) -> dict[Axis, float]:
    if not pair.axes:
        return {AXES[0]: pair.loser_score}
    return {axis: scores[1] for axis, scores in pair.axes.items()}


def _marked(pairs: Sequence[Preference], *, grid: tuple[int, int]) -> torch.Tensor:
    """Draw what was marked on the losers, or nothing where none was."""
    if not any(pair.loser_marks for pair in pairs):
        return torch.empty(0)
    shares = [marked_shares(pair.loser_marks, Path(pair.loser), grid=grid) for pair in pairs]
    return torch.from_numpy(np.stack(shares)).half()


def _indices(lines: Sequence[Line], place: Callable[[Line], int]) -> torch.Tensor:
    return torch.tensor([place(line) for line in lines], dtype=torch.long)


def _scores(lines: Sequence[Line], scores: Callable[[Line], dict[Axis, float]]) -> torch.Tensor:
    """Put scores into N x A, NaN where an axis was not asked about."""
    rows = [[scores(line).get(axis, float("nan")) for axis in AXES] for line in lines]
    return torch.tensor(rows, dtype=torch.float32).view(len(lines), len(AXES))


def _places(values: Iterable[Value]) -> dict[Value, int]:
    """Number the distinct values in order of first appearance."""
    return {value: place for place, value in enumerate(dict.fromkeys(values))}
