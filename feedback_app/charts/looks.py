"""How every plot looks: the colours of static/css/app.css, text as text, no state shared."""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

GROUND = "#0b0d10"
SURFACE = "#13171c"
LINE = "#2a323c"
TEXT = "#e3e7ea"
MUTED = "#98a4ae"
ACCENT = "#8fc1d9"
WARM = "#e0b661"
COLOURS = ("#8fc1d9", "#e0b661", "#7fc79a", "#ea8a7f", "#b9a5e2", "#d9d28f", "#8fd9cf", "#c7a08a")
DASHES = ("-", "--", "-.", ":")
FONT = "font-family: system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif;"
WIDTH_IN = 6.4
NAME_LETTERS = 22

# The process draws nothing else. Text stays text, and the same figure gives the same bytes.
mpl.rcParams.update(
    {
        "svg.fonttype": "none",
        "svg.hashsalt": "reading-room",
        "font.size": 10,
        "text.parse_math": False,  # names may hold dollars
    }
)


def figure() -> tuple[Figure, tuple[Axes]]:
    """Returns a figure outside pyplot with one plot; ``as_svg`` gives it its height."""
    drawn = _empty()
    axes = drawn.subplots()
    _calm(axes)
    return drawn, (axes,)


def panels(count: int, *, columns: int, share_y: bool = True) -> tuple[Figure, list[Axes]]:
    """Small plots of one scale, or of one only along x, ``columns`` in a row."""
    columns = min(columns, count)
    rows = -(-count // columns)
    drawn = _empty()
    made = drawn.subplots(rows, columns, squeeze=False, sharex=True, sharey=share_y)
    grid = made.ravel().tolist()
    for spare in grid[count:]:
        spare.set_visible(False)
    for axes in grid[:count]:
        _calm(axes)
    return drawn, grid[:count]


def _empty() -> Figure:
    return Figure(layout="constrained", facecolor=SURFACE)


def _calm(axes: Axes) -> None:
    axes.set_facecolor(SURFACE)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(LINE)
    axes.tick_params(colors=MUTED, length=0)
    axes.xaxis.label.set_color(MUTED)
    axes.yaxis.label.set_color(MUTED)
    axes.set_axisbelow(True)


def colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def dash(number: int) -> str:
    """Readers differ by more than colour."""
    return DASHES[number // 2 % len(DASHES)]


def grid(axes: Axes, *, axis: str) -> None:
    axes.grid(axis=axis, color=LINE, linewidth=0.7)  # type: ignore[arg-type]


def short(name: str) -> str:
    """Returns a name as there is room for beside a plot; tables have it whole."""
    return name if len(name) <= NAME_LETTERS else f"{name[: NAME_LETTERS - 1].rstrip()}…"


def rows(axes: Axes, names: Sequence[str]) -> None:
    """Names down the left, first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", colors=TEXT)
    grid(axes, axis="x")


def whole_numbers(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))


def legend(axes: Axes, **placing: Any) -> None:
    axes.legend(frameon=False, labelcolor=TEXT, fontsize=9, **placing)


def as_svg(drawn: Figure, *, title: str, height_in: float) -> str:
    """Deterministic: no date, salted ids. The page's fonts take the place of matplotlib's."""
    drawn.set_size_inches(WIDTH_IN, height_in)
    buffer = io.StringIO()
    drawn.savefig(buffer, format="svg", metadata={"Date": None, "Title": title})
    svg = buffer.getvalue()
    return re.sub(r"font-family: [^;\"]+;", FONT, svg[svg.index("<svg") :])
