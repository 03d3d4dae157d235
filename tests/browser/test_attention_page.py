"""explore_attention in a real Chromium: its maps against Python's, keys, themes."""

from pathlib import Path

import pytest
import torch
from pages import settle

from kdlab.widgets import explore_attention

pytestmark = pytest.mark.browser

ARTIFACTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
GENERATOR = torch.Generator().manual_seed(6)
IMAGES = torch.randint(0, 256, (6, 1, 12, 12), generator=GENERATOR, dtype=torch.uint8)
STUDENT = {
    "block1": torch.randn(6, 2, 6, 6, generator=GENERATOR).relu(),
    "block2": torch.randn(6, 3, 3, 2, generator=GENERATOR).relu(),
}
TEACHER = {
    "block1": torch.randn(6, 5, 6, 6, generator=GENERATOR).relu(),
    "block3": torch.randn(6, 7, 6, 4, generator=GENERATOR).relu(),
}
# Example 3 is silent in the student's first layer.
STUDENT["block1"][3] = 0


@pytest.fixture
def shown(show):
    """Return the page of a view, and the view."""
    view = explore_attention(IMAGES, STUDENT, TEACHER)
    return show(view), view


def drawn(page, which):
    read = "nodes => nodes.map((node) => Number(node.dataset.value))"
    return torch.tensor(page.locator(which).evaluate_all(read), dtype=torch.double)


def assert_drawn_is_python(page, view):
    student, teacher = view.maps
    for name, values in (("student", student), ("teacher", teacher)):
        cells = drawn(page, f"[data-map={name}] g rect")
        torch.testing.assert_close(cells, values.flatten(), rtol=1e-6, atol=1e-9)
    distances = drawn(page, "[data-layer]")
    assert distances[view.layer].item() == pytest.approx(view.distance, abs=1e-6)


def test_images_layers_and_exponents_are_what_python_computes(shown):
    page, view = shown
    assert_drawn_is_python(page, view)
    for view.example in (1, 3, 5):
        page.get_by_role("button", name=f"Example {view.example}").click()
        for view.layer in (1, 0):
            page.get_by_label("Layer", exact=True).select_option(str(view.layer))
            settle(page)
            assert_drawn_is_python(page, view)


def test_values_are_drawn_at_their_places(shown):
    page, view = shown
    for view.layer in (0, 1):
        page.get_by_label("Layer", exact=True).select_option(str(view.layer))
        settle(page)
        height, width = view.maps[0].shape
        read = (
            "nodes => nodes.map((n) => ['x', 'y', 'fill-opacity'].map((k) => +n.getAttribute(k)))"
        )
        cells = page.locator("[data-map=student] g rect").evaluate_all(read)
        values = view.maps[0].flatten() / view.maps[0].max()
        for i, (x, y, opacity) in enumerate(cells):
            place = [150 / width * (i % width), 150 / height * (i // width)]
            assert [x, y] == pytest.approx(place)
            assert opacity == pytest.approx(values[i].item(), abs=6e-4)
        read = "nodes => nodes.map((n) => [n.classList.contains('kd-strong'), +n.dataset.value, "
        read += "+n.querySelector('rect').getAttribute('width')])"
        rows = page.locator("[data-layer]").evaluate_all(read)
        assert [strong for strong, _, _ in rows] == [i == view.layer for i in range(2)]
        for _, distance, length in rows:
            assert length == pytest.approx(190 * distance / 2)


def test_the_image_is_the_example_s(shown):
    page, _ = shown
    seen = set()
    for example in (0, 3, 4):
        page.get_by_role("button", name=f"Example {example}").click()
        settle(page)
        canvas = page.locator("canvas.kd-large")
        assert canvas.get_attribute("aria-label") == f"Example {example}"
        seen.add(canvas.evaluate("(canvas) => canvas.toDataURL()"))
    assert len(seen) == 3


def test_the_exponent_moves_by_keys_and_by_drag(shown):
    page, view = shown
    slider = page.get_by_label("Exponent", exact=True)
    for key in ("ArrowRight", "PageUp", "ArrowUp"):
        slider.press(key)
    settle(page)
    view.power = 3.2
    assert slider.get_attribute("aria-valuetext") == "3.2"
    assert_drawn_is_python(page, view)
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], y)
    page.mouse.down()
    for share in (0.4, 0.6, 0.8):
        page.mouse.move(box["x"] + share * box["width"], y)
    page.mouse.up()
    settle(page)
    view.power = float(slider.get_attribute("aria-valuetext"))
    assert 5.5 < view.power < 7.5
    assert_drawn_is_python(page, view)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_clipped_and_everything_has_a_name(shown, scheme):
    page, _ = shown
    page.emulate_media(color_scheme=scheme)
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"page_explore_attention_{scheme}.png", full_page=True)
    for width in (900, 380):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    controls = page.locator("input, select, button, [tabindex]")
    unguarded = "nodes => nodes.filter((n) => n.dataset.lmSuppressShortcuts !== 'true').length"
    assert controls.count() == 8 and controls.evaluate_all(unguarded) == 0
    nameless = "nodes => nodes.filter((n) => !(n.ariaLabel || n.labels?.length)).length"
    assert page.locator(":is(input, select, button, [role=img])").evaluate_all(nameless) == 0
