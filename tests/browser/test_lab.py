"""Lecture 01 in a real JupyterLab: Run all, keys, a drag, Python and the page agree."""

import re
from pathlib import Path

import nbformat
import pytest
from lab import (
    ROOT,
    ask_kernel,
    change_theme,
    copy_notebooks,
    in_python,
    jupyterlab,
    open_notebook,
    run_all,
    screenshot,
    settle,
    show_cell,
)

pytestmark = pytest.mark.browser

LECTURE = "01_temperature_and_dark_knowledge.ipynb"
READ = "(nodes) => nodes.map((node) => Number(node.getAttribute('data-value')))"


def cell_with(call: str) -> str:
    """Return the id of the first code cell of the lecture that calls a widget."""
    notebook = nbformat.read(ROOT / "notebooks" / LECTURE, 4)
    calls = (cell for cell in notebook.cells if cell.cell_type == "code")
    return next(cell.id for cell in calls if f"{call}(" in cell.source)


@pytest.fixture(scope="module")
def lecture(chromium, tmp_path_factory):
    """Lecture 01, run from top to bottom in JupyterLab on digits."""
    folder = tmp_path_factory.mktemp("lab")
    copy_notebooks(folder)
    with jupyterlab(folder) as address:
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        page = open_notebook(context, address, f"notebooks/{LECTURE}")
        run_all(page)
        yield page
        context.close()


@pytest.fixture
def temperature_view(lecture):
    """The first softmax slider, in view, bound to the name `_view` in the kernel."""
    output = show_cell(lecture, cell_with("explore_temperature"))
    output.locator("[data-kd=explore_temperature]").wait_for()
    shown = "getattr(v, 'module', '') == 'explore_temperature'"
    assert ask_kernel(lecture, f"_view = next(v for v in Out.values() if {shown})") == ""
    return output.locator("[data-kd=explore_temperature]").first


def slider_of(view):
    return view.get_by_label("Temperature", exact=True)


def assert_drawn_is_python(page, view):
    drawn = view.locator("[data-class]").evaluate_all(READ)
    expected = in_python(page, "_view.probabilities.tolist()")
    assert drawn == pytest.approx(expected, abs=1e-6)
    assert sum(drawn) == pytest.approx(1, abs=1e-6)


def test_no_cell_of_the_lecture_shows_an_error(lecture):
    outputs = lecture.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.widgets
          .filter((cell) => cell.model.type === "code")
          .flatMap((cell) => cell.model.outputs.toJSON())
          .filter((output) => output.output_type === "error")"""
    )
    assert outputs == []


def test_keys_move_temperature_in_the_page_and_in_python(lecture, temperature_view):
    slider = slider_of(temperature_view)
    slider.focus()
    for key, expected in (("Home", 0.1), ("End", 100), ("PageDown", 50), ("ArrowLeft", 49)):
        lecture.keyboard.press(key)
        settle(lecture)
        assert float(slider.get_attribute("aria-valuetext")) == expected
        assert in_python(lecture, "_view.temperature") == expected
        assert_drawn_is_python(lecture, temperature_view)


def test_keys_on_a_slider_do_not_move_the_notebook(lecture, temperature_view):
    slider_of(temperature_view).focus()
    active = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    before = lecture.evaluate(active)
    for key in ("ArrowUp", "ArrowDown", "ArrowDown", "ArrowUp"):
        lecture.keyboard.press(key)
    assert lecture.evaluate(active) == before


def test_a_drag_ends_with_page_and_python_in_agreement(lecture, temperature_view):
    slider = slider_of(temperature_view)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    lecture.mouse.move(box["x"] + 0.2 * box["width"], middle)
    lecture.mouse.down()
    for i in range(21):
        lecture.mouse.move(box["x"] + (0.2 + 0.03 * i) * box["width"], middle)
    lecture.mouse.up()
    settle(lecture)
    shown = float(slider.get_attribute("aria-valuetext"))
    assert 5 < shown < 100
    assert in_python(lecture, "_view.temperature") == shown
    assert_drawn_is_python(lecture, temperature_view)


def test_a_value_set_in_python_moves_the_page(lecture, temperature_view):
    assert ask_kernel(lecture, "_view.temperature = 7.0") == ""
    settle(lecture)
    assert float(slider_of(temperature_view).get_attribute("aria-valuetext")) == 7
    assert_drawn_is_python(lecture, temperature_view)


def test_a_page_exported_in_the_lecture_works_without_network(lecture, temperature_view, chromium):
    path = ask_kernel(lecture, "print(_view.save_html('exported.html').resolve())")
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto(Path(path).as_uri())
    slider = page.get_by_label("Temperature", exact=True)
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_timeout(100)
    drawn = page.locator("[data-class]").evaluate_all(READ)
    code = "__import__('kdlab.losses').losses.soften(_view.logits[_view.example]"
    code += ", temperature=100.0).tolist()"
    assert drawn == pytest.approx(in_python(lecture, code), abs=1e-6)
    context.close()


def contrast(first: str, second: str) -> float:
    """WCAG contrast of two CSS colours "rgb(r, g, b)"."""
    shades = []
    for colour in (first, second):
        channels = [int(c) / 255 for c in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        shades.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
    return max(shades) / min(shades)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_text_stands_out_in_both_themes(lecture, temperature_view, theme):
    change_theme(lecture, theme)
    name = theme.split()[1].lower()
    for widget in ("explore_temperature", "explore_dark_knowledge"):
        show_cell(lecture, cell_with(widget))
        lecture.wait_for_timeout(500)
        screenshot(lecture, f"lecture_01_{widget}_{name}")
    show_cell(lecture, cell_with("explore_temperature"))
    colours = temperature_view.locator(".kd-label").first.evaluate(
        """(node) => [getComputedStyle(node).color,
          getComputedStyle(document.querySelector(".jp-Notebook")).backgroundColor]"""
    )
    assert contrast(*colours) >= 4.5
