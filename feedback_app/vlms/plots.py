"""Plots of VLMs: how a stage went, and how a finding's answers fare by group."""

from typing import Any

from matplotlib.figure import Figure

from feedback_app.charts import looks
from feedback_app.charts.plots import Cell, Plot

ROW_IN = 0.3
EDGE_IN = 0.9


def stage_plot(stage: str, curve: dict[str, list[float]]) -> Plot:
    steps, losses = curve["step"], curve["loss"]
    return Plot(
        name=stage,
        title=f"Stage {stage}",
        summary=f"Loss {losses[0]:.3g} at step {steps[0]:.0f}, {losses[-1]:.3g} at {steps[-1]:.0f}",
        columns=("step", "loss"),
        rows=tuple((int(step), loss) for step, loss in zip(steps, losses, strict=True)),
        height_in=1.8,
        draw=lambda: _curve(steps, losses),
    )


def _curve(steps: list[float], losses: list[float]) -> Figure:
    drawn, (axes,) = looks.figure()
    axes.plot(steps, losses, color=looks.ACCENT, linewidth=1.5)
    axes.set_xlabel("step of the whole training")
    axes.set_ylabel("loss")
    looks.grid(axes, axis="y")
    looks.whole_numbers(axes)
    return drawn


def fairness_plot(judged: dict[str, Any]) -> Plot:
    """Returns the area under the ROC curve of each group with its interval, attribute by
    attribute.
    """
    groups = [(one["attribute"], group) for one in judged["attributes"] for group in one["groups"]]
    worst = min(
        (group["auroc"]["value"] for _, group in groups if group["auroc"]["value"] is not None),
        default=None,
    )
    said = "No group is large enough." if worst is None else f"The lowest is {worst:.2f}."
    return Plot(
        name="fairness",
        title=f"{judged['finding'].capitalize()} by group, {judged['source']}",
        summary=f"AUC of {len(groups)} groups with 95 % intervals. {said}",
        columns=("attribute", "group", "images", "AUC", "low", "high"),
        rows=tuple((attribute, *_cells(group)) for attribute, group in groups),
        height_in=EDGE_IN + ROW_IN * max(1, len(groups)),
        draw=lambda: _groups(groups),
    )


def _cells(group: dict[str, Any]) -> tuple[Cell, ...]:
    area = [group["auroc"][name] for name in ("value", "low", "high")]
    return (group["group"], group["images"], *(float("nan") if one is None else one
                                               for one in area))  # fmt: skip


def _groups(groups: list[tuple[str, dict[str, Any]]]) -> Figure:
    drawn, (axes,) = looks.figure()
    attributes = list(dict.fromkeys(attribute for attribute, _ in groups))
    for place, (attribute, group) in enumerate(groups):
        area, colour = group["auroc"], looks.colour(attributes.index(attribute))
        if area["low"] is not None and area["high"] is not None:
            axes.plot([area["low"], area["high"]], [place, place], color=colour, linewidth=1.5)
        if area["value"] is not None:
            axes.plot([area["value"]], [place], "o", color=colour, markersize=5)
    looks.rows(axes, [f"{group['group']} ({group['images']})" for _, group in groups])
    axes.axvline(0.5, color=looks.MUTED, linewidth=0.8, linestyle=":")
    axes.set_xlim(0, 1)
    axes.set_xlabel("area under the ROC curve")
    return drawn
