"""How a training went, as a plot: one panel a figure, all over the same steps."""

from matplotlib.figure import Figure

from feedback_app.charts import looks
from feedback_app.charts.plots import Plot

ROW_IN = 1.4
EDGE_IN = 0.3

Curve = dict[str, list[float]]


def curve_plot(curve: Curve) -> Plot:
    steps = curve["step"]
    names = [name for name in curve if name != "step"]
    ends = ", ".join(
        f"{_word(name)} {curve[name][0]:.3g} to {curve[name][-1]:.3g}" for name in names
    )
    return Plot(
        name="curve",
        title="How the training went",
        summary=f"From step {steps[0]:.0f} to {steps[-1]:.0f}: {ends}.",
        columns=("step", *names),
        rows=tuple(
            (int(step), *values)
            for step, *values in zip(steps, *(curve[name] for name in names), strict=True)
        ),
        height_in=EDGE_IN + ROW_IN * len(names),
        draw=lambda: _draw(curve, names),
    )


def _draw(curve: Curve, names: list[str]) -> Figure:
    drawn, panels = looks.panels(len(names), columns=1, share_y=False)
    for number, (name, axes) in enumerate(zip(names, panels, strict=True)):
        axes.plot(curve["step"], curve[name], color=looks.colour(number), linewidth=1.5)
        axes.set_title(_word(name), loc="left", color=looks.TEXT, fontsize=10)
        looks.grid(axes, axis="y")
        looks.whole_numbers(axes)
    panels[-1].set_xlabel("step")
    return drawn


def _word(name: str) -> str:
    return name.replace("_", " ")
