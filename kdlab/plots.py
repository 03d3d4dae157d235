"""Results -> Axes, in one style for the whole course.

Every function takes plain numbers or tensors and returns the matplotlib Axes it drew on.
Colours are Okabe and Ito's, safe for colour-blind readers; teacher, student, control and
labels keep their colour, line and marker everywhere. The background is opaque white, so a
figure reads the same in JupyterLab's light and dark themes.
"""

import io
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.pyplot import close, subplots

from kdlab._checks import check_count, check_images, check_length

TEACHER = {"color": "#0072B2", "linestyle": "-", "marker": "s"}
STUDENT = {"color": "#D55E00", "linestyle": "-", "marker": "o"}
LABELS = {"color": "#555555", "linestyle": "--", "marker": "^"}
CONTROL = {"color": "#009E73", "linestyle": ":", "marker": "D"}
OTHERS = (
    {"color": "#CC79A7", "linestyle": "-.", "marker": "v"},
    {"color": "#E69F00", "linestyle": "-", "marker": "P"},
    {"color": "#56B4E9", "linestyle": "--", "marker": "X"},
    {"color": "#000000", "linestyle": ":", "marker": "*"},
)

_STYLE = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "figure.figsize": (7.0, 3.6),
    "font.size": 11,
    "grid.alpha": 0.3,
    "image.cmap": "cividis",
    "legend.frameon": False,
    "savefig.facecolor": "white",
}


class Picture:
    """A finished figure as a PNG with a text for readers who can't see it."""

    def __init__(self, png: bytes, alt: str) -> None:
        self.png, self.alt = png, alt

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"

    def _repr_mimebundle_(self, **_):
        data = {"image/png": self.png, "text/plain": repr(self)}
        return data, {"image/png": {"alt": self.alt}}


def picture(drawn: Axes | Figure, alt: str) -> Picture:
    """Render a figure, close it, and return it with its alternative text.

    Args:
        drawn: A figure, or any of its axes.
        alt: What the figure shows, in one or two sentences.

    Raises:
        ValueError: alt is empty.
    """
    if not alt.strip():
        raise ValueError(f"alt must say what the figure shows, got {alt!r}")
    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    close(figure)
    return Picture(buffer.getvalue(), alt)


def use_style() -> None:
    """Set matplotlib's defaults to the course's style."""
    matplotlib.rcParams.update(_STYLE)


def show_images(
    images, titles: Sequence[str] | None = None, *, columns: int = 10, size: float = 0.9
) -> Axes:
    """Show grey or colour images in rows, each under its title; return the first one's Axes.

    Args:
        images: [examples, channels, height, width], uint8 or float in [0, 1].
        titles: One an image, or None.
        columns, size: Images in a row, and inches an image.

    Raises:
        ValueError: There is no image, or too few titles, or an argument is out of range.
    """
    pixels = _array(images)
    check_images(images=pixels)
    check_count(columns=columns)
    texts = [""] * len(pixels) if titles is None else titles
    check_length(len(pixels), titles=texts)
    columns, rows = min(columns, len(pixels)), -(-len(pixels) // columns)
    tall = size + (0.22 * (1 + max(t.count("\n") for t in titles)) if titles else 0.05)
    figure, grid = subplots(rows, columns, figsize=(size * columns, tall * rows), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, text in zip(grid.flat, pixels, texts, strict=False):
        # The colour map is for one channel; matplotlib leaves three as they are.
        axes.imshow(image[0] if len(image) == 1 else image.transpose(1, 2, 0), cmap="gray_r")
        axes.set_title(text, fontsize=9)
    return grid.flat[0]


def show_bars(
    values,
    labels: Sequence[str],
    *,
    ax: Axes | None = None,
    title: str = "",
    ylabel: str = "probability",
    style: Mapping = TEACHER,
    top: float | None = 1.0,
) -> Axes:
    """Draw one bar a class, the value written over it; `top` fixes the axis."""
    ax = ax or subplots()[1]
    bars = ax.bar(list(labels), _array(values), color=style["color"])
    ax.bar_label(bars, fmt="%.2g", fontsize=8)
    ax.set(title=title, ylabel=ylabel)
    if top is not None:
        ax.set_ylim(0, top * 1.08)
    ax.grid(axis="x", visible=False)
    return ax


def show_curves(
    curves: Mapping[str, Sequence[float]],
    *,
    xs: Sequence[float] | None = None,
    xlabel: str,
    ylabel: str,
    styles: Mapping[str, Mapping] | None = None,
    bands: Mapping[str, tuple] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw named curves over common positions, with an optional band around each.

    Args:
        curves: Values by name.
        xs: Positions; None counts from 1.
        xlabel, ylabel: What the axes show, with units.
        styles: Colour, line and marker by name; others get styles of their own.
        bands: (low, high) by name, drawn as a shade.
        log_x, log_y: Logarithmic axes.
        ax: Where to draw; None makes a new figure.
    """
    ax = ax or subplots()[1]
    for i, (name, values) in enumerate(curves.items()):
        style = (styles or {}).get(name, OTHERS[i % len(OTHERS)])
        where = xs if xs is not None else range(1, len(values) + 1)
        ax.plot(where, _array(values), label=name, markersize=4, **style)
        if bands and name in bands:
            low, high = (_array(edge) for edge in bands[name])
            ax.fill_between(where, low, high, color=style["color"], alpha=0.2, linewidth=0)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_xscale("log" if log_x else "linear")
    ax.set_yscale("log" if log_y else "linear")
    if len(curves) > 1:
        ax.legend()
    return ax


def show_heatmap(
    matrix,
    *,
    row_labels: Sequence,
    column_labels: Sequence,
    xlabel: str,
    ylabel: str,
    title: str = "",
    annotate: bool = True,
    fmt: str = "{:.0f}",
    ax: Axes | None = None,
) -> Axes:
    """Draw a matrix as colours, each number written in a tone that reads on its cell."""
    values = _array(matrix)
    ax = ax or subplots(figsize=(0.62 * len(column_labels) + 1.8, 0.42 * len(row_labels) + 1.3))[1]
    drawn = ax.imshow(values, aspect="auto")
    ax.set_xticks(range(len(column_labels)), [str(c) for c in column_labels])
    ax.set_yticks(range(len(row_labels)), [str(r) for r in row_labels])
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.grid(visible=False)
    if annotate:
        _annotate(ax, values, fmt)
    else:
        ax.get_figure().colorbar(drawn, ax=ax)
    return ax


def _annotate(ax: Axes, values: np.ndarray, fmt: str) -> None:
    middle = (np.nanmin(values) + np.nanmax(values)) / 2
    for row, column in np.ndindex(values.shape):
        tone = "white" if values[row, column] < middle else "black"
        text = "" if np.isnan(values[row, column]) else fmt.format(values[row, column])
        ax.text(column, row, text, ha="center", va="center", color=tone, fontsize=9)


def show_spread(
    groups: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    styles: Mapping[str, Mapping] | None = None,
    reference: tuple[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw every seed as a dot, a row a group, with the mean as a bar across the row.

    Args:
        groups: One value a seed, by name; the first is drawn on top.
        xlabel: What the values are, with units.
        styles: Colour and marker by name.
        reference: Name and value of a line through all rows, for example the teacher.
        ax: Where to draw; None makes a new figure.
    """
    ax = ax or subplots(figsize=(7.0, 0.5 * len(groups) + 1.2))[1]
    for row, (name, values) in enumerate(groups.items()):
        style = (styles or {}).get(name, OTHERS[row % len(OTHERS)])
        dot = {"color": style["color"], "marker": style["marker"], "markersize": 7, "alpha": 0.7}
        ax.plot(values, [row] * len(values), linestyle="", **dot)
        ax.plot([np.mean(values)] * 2, [row - 0.3, row + 0.3], color=style["color"], linewidth=3)
    if reference:
        label, value = reference
        ax.axvline(value, color=TEACHER["color"], linestyle="-", label=label)
        ax.legend(loc="best")
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set(xlabel=xlabel, ylim=(len(groups) - 0.5, -0.5))
    ax.xaxis.set_major_locator(ticker.MaxNLocator(8))
    return ax


def _array(values) -> np.ndarray:
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
