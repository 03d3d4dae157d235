"""Exported pages in a real Chromium: from a file, with the network off."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import torch
from pages import settle

from kdlab.widgets import explore_dark_knowledge, explore_loss, explore_temperature

pytestmark = pytest.mark.browser

ARTIFACTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
GENERATOR = torch.Generator().manual_seed(5)
EXAMPLES, CLASSES = 60, 10
TARGETS = torch.arange(EXAMPLES) % CLASSES
LOGITS = 2 * torch.randn(EXAMPLES, CLASSES, generator=GENERATOR)
LOGITS[range(EXAMPLES), TARGETS] += 5
STUDENT = 2 * torch.randn(EXAMPLES, CLASSES, generator=GENERATOR)
IMAGES = torch.randint(0, 256, (EXAMPLES, 1, 12, 12), generator=GENERATOR, dtype=torch.uint8)

MAKERS = {
    "explore_temperature": lambda **more: explore_temperature(
        LOGITS[:8], images=IMAGES[:8], **more
    ),
    "explore_dark_knowledge": lambda **more: explore_dark_knowledge(
        LOGITS, TARGETS, images=IMAGES, **more
    ),
    "explore_loss": lambda **more: explore_loss(STUDENT, LOGITS, TARGETS, **more),
}


def drawn(page, within="", which="[data-class]"):
    values = f"{within} {which}"
    read = "nodes => nodes.map((node) => Number(node.getAttribute('data-value')))"
    return torch.tensor(page.locator(values).evaluate_all(read), dtype=torch.double)


def shown_temperature(page):
    return float(temperature(page).get_attribute("aria-valuetext"))


def temperature(page):
    return page.get_by_label("Temperature", exact=True)


def same(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-6, atol=1e-6)


def test_temperature_page_draws_what_python_computes(show):
    view = explore_temperature(LOGITS[:8], images=IMAGES[:8], temperature=3, example=2)
    page = show(view)
    same(drawn(page), view.probabilities)
    assert drawn(page, which="[data-kd=entropy]").item() == pytest.approx(view.entropy, abs=1e-6)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (["ArrowRight"], 1.1),
        (["ArrowUp", "ArrowDown", "ArrowLeft"], 0.99),
        (["PageUp", "PageUp"], 4.0),
        (["PageDown"], 0.5),
        (["Home"], 0.1),
        (["End"], 100.0),
    ],
)
def test_keys_move_the_temperature_and_the_bars(show, keys, value):
    view = MAKERS["explore_temperature"]()
    page = show(view)
    for key in keys:
        temperature(page).press(key)
    settle(page)
    assert shown_temperature(page) == value
    view.temperature = value
    same(drawn(page), view.probabilities)


def test_a_drag_moves_every_view_to_what_python_computes(show):
    for make in MAKERS.values():
        view = make()
        page = show(view)
        box = temperature(page).bounding_box()
        y = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + 0.3 * box["width"], y)
        page.mouse.down()
        for share in (0.4, 0.5, 0.6, 0.7):
            page.mouse.move(box["x"] + share * box["width"], y)
        page.mouse.up()
        settle(page)
        assert 5 < shown_temperature(page) < 30
        view.temperature = shown_temperature(page)
        expected = {
            "explore_temperature": lambda view=view: view.probabilities,
            "explore_dark_knowledge": lambda view=view: view.similarity.flatten(),
            "explore_loss": lambda view=view: view.gradient,
        }[view.module]()
        cells = "[role=grid] >> nth=0 >> [data-cell]"
        which = cells if view.module == "explore_dark_knowledge" else "[data-class]"
        same(drawn(page, which=which), expected)


def test_another_example_is_chosen_with_its_button(show):
    view = MAKERS["explore_temperature"]()
    page = show(view)
    page.get_by_role("button", name="Example 5").click()
    settle(page)
    view.example = 5
    same(drawn(page), view.probabilities)
    assert page.get_by_role("img", name="Example 5").count() == 1
    chosen = page.get_by_role("button", pressed=True)
    assert chosen.get_attribute("aria-label") == "Example 5"


def test_the_picture_shows_ink_dark_on_light(show):
    page = show(MAKERS["explore_temperature"]())
    read = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 12, 12).data]"
    pixels = torch.tensor(page.locator("canvas.kd-image").evaluate(read)).reshape(144, 4)
    assert pixels[:, 0].tolist() == (255 - IMAGES[0].int()).flatten().tolist()


def test_the_log_axis_makes_small_probabilities_visible(show):
    page = show(explore_temperature(torch.tensor([[0.0, 8.0]]), temperature=1))
    width = "bar => Number(bar.getAttribute('width'))"
    bar = page.locator("[data-class='0'] rect")
    assert bar.evaluate(width) < 1
    page.get_by_label("log axis").press("Space")
    settle(page)
    assert 150 < bar.evaluate(width) < 250
    assert "1e-8" in page.locator("svg").text_content()


def test_a_change_is_announced_once_it_has_come_to_rest(show):
    page = show(MAKERS["explore_temperature"]())
    status = page.get_by_role("status")
    assert status.text_content() == ""
    temperature(page).press("End")
    page.wait_for_function("() => document.querySelector('[role=status]').textContent")
    assert status.text_content().startswith("T 100, example 0: ")


def test_loss_page_follows_lambda_the_switch_and_the_example(show):
    view = MAKERS["explore_loss"]()
    page = show(view)
    slider = page.get_by_label("Lambda", exact=True)
    for key in ("PageUp", "ArrowRight"):
        slider.press(key)
    page.get_by_label("factor T²").uncheck()
    page.get_by_label("Example", exact=True).press("PageUp")
    temperature(page).press("PageDown")
    settle(page)
    view.lambda_, view.squared, view.example, view.temperature = 0.61, False, 10, 2
    same(drawn(page), view.gradient)
    terms = [view.cross_entropy, view.teacher_term, view.loss]
    names = ("ce", "term", "loss")
    read = [drawn(page, which=f"g[data-kd={name}]").item() for name in names]
    assert read == pytest.approx(terms, abs=1e-6)
    assert page.locator("[data-kd=formula]").text_content().endswith(f"= {view.loss:.4f}")


def test_dark_knowledge_page_orders_the_images(show):
    view = MAKERS["explore_dark_knowledge"]()
    page = show(view)
    page.locator("select").nth(0).select_option("3")
    page.locator("select").nth(1).select_option("7")
    temperature(page).press("PageUp")
    settle(page)
    view.true_class, view.other_class, view.temperature = 3, 7, 8
    read = "nodes => nodes.map((node) => Number(node.dataset.example))"
    assert page.locator("figure:visible").evaluate_all(read) == view.order.tolist()


def test_a_cell_is_chosen_with_mouse_and_keys_in_both_matrices(show):
    page = show(MAKERS["explore_dark_knowledge"]())
    selected = "nodes => nodes.map((node) => node.dataset.cell)"
    page.locator("[role=grid] >> nth=1 >> [data-cell='4,6']").click()
    for key, cell in (("ArrowUp", "3,6"), ("ArrowRight", "3,7"), ("End", "3,9"), ("PageUp", "0,9")):
        page.keyboard.press(key)
        settle(page)
        assert page.locator("[aria-selected]").evaluate_all(selected) == [cell, cell]
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.endswith("images of 0 are called 9")
    assert page.locator("select").nth(1).input_value() == "9"


def test_pointing_at_a_cell_reads_its_number(show):
    view = MAKERS["explore_dark_knowledge"]()
    page = show(view)
    page.locator("[role=grid] >> nth=0 >> [data-cell='2,5']").hover()
    settle(page)
    text = page.locator("[data-kd=readout]").text_content()
    assert text.startswith("2 looks like 5: mean probability 0.0")
    page.locator("h1").hover()
    settle(page)
    assert page.locator("[data-kd=readout]").text_content() != text


def test_temperature_leaves_the_confusion_matrix_alone(show):
    view = MAKERS["explore_dark_knowledge"]()
    page = show(view)
    temperature(page).press("End")
    settle(page)
    cells = drawn(page, which="[role=grid] >> nth=1 >> [data-cell]")
    same(cells, view.confusion.double().flatten())


@pytest.mark.parametrize("name", MAKERS)
def test_keys_of_every_control_are_kept_from_jupyterlab(show, name):
    page = show(MAKERS[name]())
    unguarded = "nodes => nodes.filter((n) => n.dataset.lmSuppressShortcuts !== 'true').length"
    controls = page.locator("input, select, button, [tabindex]")
    assert controls.count() > 0
    assert controls.evaluate_all(unguarded) == 0


@pytest.mark.parametrize("name", MAKERS)
def test_everything_has_a_name_and_nothing_is_clipped(show, name):
    page = show(MAKERS[name]())
    for width in (900, 420):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    nameless = "nodes => nodes.filter((n) => !(n.ariaLabel || n.labels?.length)).length"
    controls = page.locator(":is(input, select, button, [role=img]):visible")
    assert controls.evaluate_all(nameless) == 0


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_themes(show, name, scheme):
    page = show(MAKERS[name]())
    page.emulate_media(color_scheme=scheme)
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"page_{name}_{scheme}.png", full_page=True)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    read = "nodes => [...new Set(nodes.map((node) => getComputedStyle(node).fill))]"
    inks = page.locator(".kd-chart g:not(.kd-deep) > text").evaluate_all(read)
    assert inks
    for ink in inks:
        assert contrast(channels(ink), channels(ground)) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_numbers_in_cells_stand_out_at_every_shade(show, scheme):
    page = show(MAKERS["explore_dark_knowledge"]())
    page.emulate_media(color_scheme=scheme)
    ground = channels(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    for key in ("Home", "PageUp", "PageUp", "PageUp", "PageUp", "End"):
        temperature(page).press(key)
        settle(page)
        for depth, ink in page.locator("[data-cell]").evaluate_all(CELL_COLOURS):
            shade = [depth * a + (1 - depth) * b for a, b in zip(BLUE, ground, strict=True)]
            assert contrast(channels(ink), shade) >= 4.4


def test_the_still_reads_on_a_dark_page(chromium, tmp_path):
    page = chromium.new_page(color_scheme="dark")
    for name, make in MAKERS.items():
        still = make().still()
        page.set_content(f"<body style='background: #111'>{still}")
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=ARTIFACTS / f"still_{name}.png")
        root = ElementTree.fromstring(still)
        size = float(root.get("width")), float(root.get("height"))
        # Nothing that is drawn may lie outside the card.
        read = "svg => { const b = svg.getBBox(); return [b.x + b.width, b.y + b.height]; }"
        reach = page.locator("svg").evaluate(read)
        assert reach[0] <= size[0] and reach[1] <= size[1]
    page.close()


@pytest.mark.parametrize("word", ["_", " "])
@pytest.mark.parametrize("name", MAKERS)
def test_long_names_end_in_an_ellipsis_and_a_phone_scrolls_only_down(show, name, word):
    long = word.join("a rather long name of a class, as a catalogue of parts may have it".split())
    names = [f"{long}{word}{i}" for i in range(CLASSES)]
    page = show(MAKERS[name](class_names=names))
    page.set_viewport_size({"width": 380, "height": 800})
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"page_{name}_phone.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    read = "nodes => nodes.map((node) => [node.firstChild.data, node.lastChild.textContent])"
    shown = page.locator(".kd-name:has(title)").evaluate_all(read)
    assert {full for _, full in shown} == set(names)
    for text, full in shown:
        start = text.removesuffix(" \u2190 y").removesuffix("\u2026")
        assert full.startswith(start) and 8 < len(start) < len(full)
    # Names stay on the drawing, to the left of what they name.
    left = "nodes => nodes.map((node) => node.getBoundingClientRect().left)"
    assert min(page.locator(".kd-name").evaluate_all(left)) >= 0


def test_short_names_are_written_out(show):
    names = ["T-shirt/top", "Ankle boot", *map(str, range(8))]
    for make in MAKERS.values():
        page = show(make(class_names=names))
        assert page.locator(".kd-chart text title").count() == 0
        assert page.locator(".kd-name", has_text="T-shirt/top").count() > 0


def contrast(ink, ground):
    """WCAG's ratio of two colours."""
    light, dark = sorted(map(luminance, (ink, ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def channels(css):
    """Red, green and blue of "rgb(0, 114, 178)", 0 to 1."""
    return [float(part) / 255 for part in css[css.index("(") + 1 : -1].split(",")[:3]]


BLUE = channels("rgb(0, 114, 178)")
CELL_COLOURS = """cells => cells.map((cell) => [
  Number(cell.querySelector("rect").getAttribute("fill-opacity")),
  getComputedStyle(cell.querySelector("text")).fill,
])"""
