import io
import math

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg")

from _refusals import check_refused
from matplotlib import pyplot  # noqa: E402

from kdlab import plots  # noqa: E402

IMAGES = torch.arange(48, dtype=torch.uint8).reshape(3, 1, 4, 4)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    pyplot.close("all")


def test_a_picture_is_a_png_with_alternative_text_and_closes_its_figure():
    axes = plots.show_bars([0.2, 0.8], ["a", "b"])
    shown = plots.picture(axes, alt="Two bars.")
    data, metadata = shown._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == "Two bars."
    assert data["text/plain"] == repr(shown) == "Picture: Two bars."
    assert pyplot.get_fignums() == []


def test_a_picture_without_alternative_text_is_refused():
    with pytest.raises(ValueError, match=r"^alt must say what the figure shows, got ' '$"):
        plots.picture(plots.show_bars([1.0], ["a"]), alt=" ")


def test_a_picture_is_the_same_every_time():
    first, second = (plots.picture(plots.show_bars([0.3], ["a"]), alt="x").png for _ in range(2))
    assert first == second


def test_bars_have_the_values_as_heights_and_a_fixed_top():
    axes = plots.show_bars(torch.tensor([0.25, 0.75]), ["a", "b"], top=1.0)
    assert [bar.get_height() for bar in axes.patches] == [0.25, 0.75]
    assert axes.get_ylim() == (0, 1.08)


def test_images_are_shown_as_they_are():
    images = torch.randint(0, 256, (3, 1, 4, 4), dtype=torch.uint8)
    axes = plots.show_images(images, ["a", "b", "c"], columns=2)
    grid = axes.get_figure().axes
    assert len(grid) == 4
    np.testing.assert_array_equal(grid[1].images[0].get_array(), images[1, 0].numpy())
    assert [ax.get_title() for ax in grid] == ["a", "b", "c", ""]


@pytest.mark.parametrize(
    ("images", "more", "message"),
    [
        (IMAGES[:0], {}, "images must hold at least one image, got 0"),
        (IMAGES, {"columns": 0}, "columns must be a whole number >= 1, got 0"),
        (IMAGES, {"titles": ["a"]}, "titles must have length >= 3, got ['a']"),
        (IMAGES, {"titles": []}, "titles must have length >= 3, got []"),
        (IMAGES.short() + 256, {}, "images must be in [0, 255], got 256 to 303"),
        (
            IMAGES[0],
            {},
            "images must have shape [examples, 1 or 3 channels, height, width], got [1, 4, 4]",
        ),
    ],
)
def test_images_that_cannot_be_shown(images, more, message):
    check_refused(lambda: plots.show_images(images, **more), message)
    assert pyplot.get_fignums() == []


def test_curves_keep_names_positions_and_bands():
    axes = plots.show_curves(
        {"student": [3, 2, 1]},
        xs=[1, 10, 100],
        xlabel="T",
        ylabel="errors",
        styles={"student": plots.STUDENT},
        bands={"student": ([2, 1, 0], [4, 3, 2])},
        log_x=True,
    )
    (line,) = axes.lines
    assert list(line.get_xdata()) == [1, 10, 100] and list(line.get_ydata()) == [3, 2, 1]
    assert line.get_color() == plots.STUDENT["color"]
    assert axes.get_xscale() == "log" and axes.get_yscale() == "linear"
    assert len(axes.collections) == 1


def test_the_heatmap_writes_every_number_and_its_rows_run_down():
    axes = plots.show_heatmap(
        [[1, 2, 3], [4, 5, 6]],
        row_labels=["r0", "r1"],
        column_labels=["c0", "c1", "c2"],
        xlabel="x",
        ylabel="y",
    )
    written = {text.get_position(): text.get_text() for text in axes.texts}
    assert written == {(c, r): str(3 * r + c + 1) for r in range(2) for c in range(3)}


def test_the_heatmap_text_stands_out_from_its_cell():
    axes = plots.show_heatmap(
        [[0.0, 1.0]], row_labels=[0], column_labels=[0, 1], xlabel="", ylabel=""
    )
    assert [text.get_color() for text in axes.texts] == ["white", "black"]


def test_spread_shows_every_seed_and_the_mean():
    axes = plots.show_spread(
        {"labels": [1, 2, 6], "distilled": [1, 1, 1]}, xlabel="errors", reference=("teacher", 0.5)
    )
    dots, mean = axes.lines[0], axes.lines[1]
    assert list(dots.get_xdata()) == [1, 2, 6] and set(dots.get_ydata()) == {0}
    assert list(mean.get_xdata()) == [3, 3]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["labels", "distilled"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first group is on top


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("name", ["TEACHER", "STUDENT", "LABELS", "CONTROL"])
def test_course_colours_reach_a_contrast_of_three_on_white(name):
    # WCAG 2.1, 1.4.11: 3:1 for graphical objects.
    assert 1.05 / (luminance(getattr(plots, name)["color"]) + 0.05) >= 3


def test_course_styles_differ_without_colour():
    styles = [plots.TEACHER, plots.STUDENT, plots.LABELS, plots.CONTROL]
    assert len({style["marker"] for style in styles}) == len(styles)


def test_no_text_is_clipped_by_the_edge_of_the_figure():
    with pyplot.rc_context(plots._STYLE):
        plots.use_style()
        axes = plots.show_spread({"a rather long name of a group": [1, 2]}, xlabel="errors")
        figure = axes.get_figure()
        figure.savefig(io.BytesIO(), format="png")
        renderer = figure.canvas.get_renderer()
        for label in [*axes.get_yticklabels(), axes.xaxis.label]:
            box = label.get_window_extent(renderer)
            assert box.x0 >= 0 and box.x1 <= figure.bbox.width and not math.isnan(box.x0)
