"""What an experiment is to be: the one shape that form, command and report's file share."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from inspect import signature
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from feedback_app.experiments.labels import ARM_LABELS
from feedback_app.experiments.models import Experiment, ExperimentSource
from feedback_app.experiments.statistics.metrics import METRICS
from feedback_app.requests import read
from generation.conditioning.findings import FINDINGS
from generation.specs import (
    ARMS,
    ARMS_OF_REAL_IMAGES,
    OWN_GENERATOR,
    Arm,
    CellSpec,
    OwnGeneratorSpec,
    Task,
)

SETTINGS = (
    "resolution",
    "network",
    "widths",
    "max_steps",
    "batch_size",
    "learning_rate",
    "evaluate_every",
    "patience",
    "stopping",
    "precision",
)
"""What may be set of a ``CellSpec``; the rest follows from the place in the grid."""
OWN_SETTINGS = (
    "autoencoder_steps",
    "latent_versions",
    "decoder_steps",
    "denoiser_steps",
    "controlnet_steps",
    "batch_size",
    "guidance_scale",
)
"""What may be set of an ``OwnGeneratorSpec``; its size in pixels is that of the cells."""
SOURCE_ARMS = tuple(arm for arm in ARMS if arm not in (*ARMS_OF_REAL_IMAGES, OWN_GENERATOR))
"""The arms whose images come of something that is there before."""
ONLY_CLASSIFIERS, ONLY_SEGMENTERS = {"network"}, {"widths"}
MAX_CELLS = 5_000

_CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False)
SourceKind = Literal["batch", "curated_set", "export"]
Ratio = Annotated[float, Field(gt=0, le=64)]
Size = Annotated[int, Field(ge=2)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class SourceRef:
    """A batch, curated set or export by its id; ``sha256`` is that of what it held, if known."""

    arm: Arm
    kind: SourceKind
    id: str
    sha256: str = ""


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Primary:
    """The one comparison with the real images alone that is named before the run."""

    arm: Arm
    real_size: Size
    ratio: Ratio


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Design:
    """Sizes of the real training set x arms x ratios x seeds, and the primary comparison."""

    name: str = Field(min_length=1, max_length=100)
    task: Task
    cohort: str
    findings: tuple[str, ...] = ()
    mask_kind: str = ""
    real_sizes: tuple[Size, ...] = Field(min_length=1, max_length=12)
    arms: tuple[Arm, ...] = Field(min_length=2)
    ratios: tuple[Ratio, ...] = Field(min_length=1, max_length=12)
    seeds: tuple[Seed, ...] = Field(min_length=1, max_length=100)
    metric: str
    primary: Primary
    training: dict[str, Any] = Field(default_factory=dict)
    own_generator: dict[str, Any] = Field(
        default_factory=dict, description="Settings of the generators of the arm own_generator"
    )
    sources: tuple[SourceRef, ...] = ()
    vouching: str = ""

    @model_validator(mode="after")
    def _names_everything_once(self) -> Self:
        for name in ("findings", "real_sizes", "arms", "ratios", "seeds"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names something twice")
        return self

    @model_validator(mode="after")
    def _task_says_what_it_is_about(self) -> Self:
        if self.task == "classification" and (not self.findings or self.mask_kind):
            raise ValueError("a classification names findings, and no kind of mask")
        if self.task == "segmentation" and (self.findings or not self.mask_kind):
            raise ValueError("a segmentation names a kind of mask, and no findings")
        if unknown := sorted(set(self.findings) - set(FINDINGS)):
            raise ValueError(f"{unknown[0]!r} is no finding of the vocabulary")
        metric = METRICS.get(self.metric)
        if metric is None or metric.task != self.task:
            known = ", ".join(name for name, one in METRICS.items() if one.task == self.task)
            raise ValueError(f"{self.metric!r} measures no {self.task}; use one of {known}")
        return self

    @model_validator(mode="after")
    def _arms_can_be_compared(self) -> Self:
        if "real" not in self.arms:
            raise ValueError("every arm is compared with the real images alone: take in 'real'")
        primary = self.primary
        named = {"arm": self.arms[:], "real_size": self.real_sizes, "ratio": self.ratios}
        for name, values in named.items():
            if getattr(primary, name) not in values:
                raise ValueError(f"the primary comparison's {name} is not in the grid")
        if primary.arm == "real":
            raise ValueError("the primary comparison is between another arm and 'real'")
        return self

    @model_validator(mode="after")
    def _every_arm_has_its_source(self) -> Self:
        wanted = [arm for arm in self.arms if arm in SOURCE_ARMS]
        given = [source.arm for source in self.sources]
        if lacking := [arm for arm in wanted if arm not in given]:
            kind = "a batch" if lacking[0] == "unfiltered" else "a curated set"
            raise ValueError(f"the arm “{ARM_LABELS[lacking[0]]}” needs {kind} as its source")
        if sorted(wanted) != sorted(given):
            raise ValueError(
                f"sources are wanted for the arms {', '.join(wanted) or 'none'}, once each, "
                f"and given for {', '.join(given)}"
            )
        for source in self.sources:
            if (source.kind == "batch") != (source.arm == "unfiltered"):
                wanted_kind = "a batch" if source.arm == "unfiltered" else "a curated set"
                raise ValueError(f"the arm {source.arm!r} takes {wanted_kind}")
        return self

    @model_validator(mode="after")
    def _training_can_be_set(self) -> Self:
        if unknown := sorted(set(self.training) - set(settings_of(self.task))):
            raise ValueError(f"{unknown[0]!r} cannot be set for a {self.task}")
        CellSpec(task=self.task, arm="real", real="-", training_ids=("-",), **self.cell_settings)
        return self

    @model_validator(mode="after")
    def _own_generators_can_be_set(self) -> Self:
        if self.own_generator and OWN_GENERATOR not in self.arms:
            raise ValueError("own_generator sets generators of an arm that is not taken in")
        if unknown := sorted(set(self.own_generator) - set(OWN_SETTINGS)):
            raise ValueError(f"{unknown[0]!r} cannot be set for a cell's own generator")
        if OWN_GENERATOR in self.arms:
            own_spec(self)
        return self

    @property
    def needs_validation(self) -> bool:
        """Whether a cell looks at the validation split: when to stop, and for its threshold."""
        return bool(self.training.get("stopping", default_of("stopping")) == "validation")

    @property
    def cell_settings(self) -> dict[str, Any]:
        """What every cell's spec has of this."""
        if self.task == "classification":
            return {"findings": self.findings, **self.training}
        return {"kind": self.mask_kind, **self.training}

    @property
    def as_json(self) -> dict[str, Any]:
        stored: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return stored


def own_spec(design: Design) -> OwnGeneratorSpec:
    """Returns what its cells' own generators have in common."""
    return OwnGeneratorSpec(
        manifest="-",
        count=1,
        findings=design.findings,
        kind=design.mask_kind,
        resolution=design.training.get("resolution", default_of("resolution")),
        **design.own_generator,
    )


def settings_of(task: str) -> tuple[str, ...]:
    """Returns the settings that a task has."""
    others = ONLY_SEGMENTERS if task == "classification" else ONLY_CLASSIFIERS
    return tuple(name for name in SETTINGS if name not in others)


def default_of(setting: str) -> Any:
    """Returns the default of a setting, from the one place that has it."""
    return signature(CellSpec).parameters[setting].default


def read_design(stored: Mapping[str, Any]) -> Design:
    """Returns a design with every setting; raises where it cannot be."""
    return in_order(with_all_settings(read(Design, stored)))


def with_all_settings(design: Design) -> Design:
    """Later defaults do not change an experiment that was designed before."""
    every = {name: default_of(name) for name in settings_of(design.task)}
    training = {**every, **design.training}
    if OWN_GENERATOR not in design.arms:
        return replace(design, training=training)
    own = asdict(own_spec(design))
    every_own = {name: own[name] for name in OWN_SETTINGS}
    return replace(design, training=training, own_generator=every_own)


def in_order(design: Design) -> Design:
    """Returns sizes, ratios and seeds from the least; arms in the vocabulary's order."""
    return replace(
        design,
        real_sizes=tuple(sorted(design.real_sizes)),
        ratios=tuple(sorted(design.ratios)),
        seeds=tuple(sorted(design.seeds)),
        arms=tuple(arm for arm in ARMS if arm in design.arms),
        sources=tuple(sorted(design.sources, key=lambda one: ARMS.index(one.arm))),
    )


def design_of(experiment: Experiment) -> Design:
    """Returns an experiment's own."""
    return read_design(
        {
            "name": experiment.name,
            "task": experiment.task,
            "cohort": experiment.cohort.name,
            "findings": experiment.findings,
            "mask_kind": experiment.mask_kind,
            "real_sizes": experiment.real_sizes,
            "arms": experiment.arms,
            "ratios": experiment.ratios,
            "seeds": experiment.seeds,
            "metric": experiment.metric,
            "primary": {
                "arm": experiment.primary_arm,
                "real_size": experiment.primary_size,
                "ratio": experiment.primary_ratio,
            },
            "training": experiment.training,
            "own_generator": experiment.own_generator,
            "sources": [asdict(ref_of(source)) for source in experiment.sources.all()],
            "vouching": experiment.vouching,
        }
    )


def ref_of(source: ExperimentSource) -> SourceRef:
    return SourceRef(
        arm=source.arm,  # type: ignore[arg-type]
        kind=source.kind,  # type: ignore[arg-type]
        id=str(source.row.pk),
        sha256=source.manifest_id or "",
    )
