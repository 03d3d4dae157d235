"""watch_condensation and watch_activations in a real Chromium, Python played by the test."""

import base64
import math
import random
from pathlib import Path

import pytest
import torch
from pages import overlaps, settle
from stub import sent

from kdlab import models
from kdlab.data import Dataset
from kdlab.widgets import watch_activations, watch_condensation

pytestmark = pytest.mark.browser

ARTIFACTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
NAMES = tuple(map(str, range(10)))
LONG = ("T-shirt/top", "<b>Trouser</b>", "a rather long name of a class", *map(str, range(3, 10)))


def make_data(names=NAMES):
    images, targets = torch.zeros(40, 1, 4, 4, dtype=torch.uint8), torch.arange(40) % 10
    return Dataset("noise", "made here", images, targets, images, targets, names)


def condensation(names=NAMES):
    def small(seed):
        return models.embedding_net((2, 2), side=4, seed=seed)

    return watch_condensation(make_data(names), network=small)


def activations(names=NAMES):
    return watch_activations(make_data(names))


MAKERS = {"condensation": condensation, "activations": activations}


def rising(points, end):
    draw = random.Random(points)
    return [round(end * (1 - math.exp(-k / 9)) + draw.random() / 50, 4) for k in range(points)]


def frame_of(view):
    """Made-up numbers of a frame, in the form in which Python sends them."""
    draw = random.Random(3)
    if view.module == "watch_condensation":
        pixels = bytes(draw.randrange(256) for _ in range(160))
        shares = [0, *(round(draw.random(), 4) for _ in range(8)), None]
        text = base64.b64encode(pixels).decode()
        return {"images": text, "shape": [10, 1, 4, 4], "shares": shares}

    def shares():
        # One bin is so full that its bar would leave the panel.
        raw = [draw.random() ** 3 for _ in range(39)] + [5]
        return [round(x / sum(raw), 4) for x in raw]

    kinds = {kind: [shares() for _ in range(3)] for kind in ("inputs", "outputs")}
    rest = {"saturated": [0.1, 0.25, 1.0], "spread": [0.1, 0.2, 0.3]}
    return {name: kinds | rest for name in ("plain", "normalized")}


def curves_of(view, points=40, marks=()):
    known = {"examples": 1000, "teacher": None, "marks": [*marks]}
    steps = {"steps": [10 * k for k in range(points)]}
    if view.module == "watch_condensation":
        return known | steps | {"learned": rising(points, 0.8), "random": [0.48, 0.6, 0.57]}
    return known | steps | {"plain": rising(points, 0.5), "normalized": rising(points, 0.9)}


def tell(page, view, *, state="running", message="", frame=None, **more):
    told = {"kind": "curves", "state": state, "message": message}
    told |= {"curves": curves_of(view, **more), "frame": frame or frame_of(view)}
    page.evaluate("told => window.tell(told)", told)
    settle(page)
    return told


def told_at_last(page, key, value):
    arrived = """([key, value]) => window.sent.filter((m) => key in m).at(-1)?.[key] === value"""
    page.wait_for_function(arrived, arg=[key, value])


PLACES = """node => [...node.getAttribute('d').matchAll(/[ML]([\\d.]+) ([\\d.]+)/g)]
  .map(([, x, y]) => [Number(x), Number(y)])"""


@pytest.mark.parametrize("name", MAKERS)
def test_buttons_press_and_follow_the_state(show_stub, name):
    view = MAKERS[name]()
    page = show_stub(view)
    assert sent(page, "press") == ["look"]
    enabled = "nodes => nodes.filter((n) => n.ariaDisabled !== 'true').map((n) => n.dataset.kd)"
    buttons = page.locator(".kd-buttons button")
    assert buttons.evaluate_all(enabled) == ["start"]
    page.locator("button[data-kd=start]").click()
    tell(page, view)
    assert buttons.evaluate_all(enabled) == ["pause", "stop", "reset"]
    page.locator("button[data-kd=pause]").press("Enter")
    tell(page, view, state="paused")
    assert buttons.evaluate_all(enabled) == ["start", "stop", "reset"]
    page.locator("button[data-kd=reset]").click()
    tell(page, view, state="ready", points=0)
    assert sent(page, "press") == ["look", "start", "pause", "reset"]
    assert page.locator("[data-kd=state]").text_content() == "Ready, step 0"
    assert page.locator(".kd-line[d*=L]").count() == 0


def test_images_are_drawn_as_they_were_sent(show_stub):
    view = condensation()
    page = show_stub(view)
    frame = tell(page, view)["frame"]
    pixels = torch.frombuffer(bytearray(base64.b64decode(frame["images"])), dtype=torch.uint8)
    read = """nodes => nodes.map((n) => [n.width, n.height,
      [...n.getContext('2d').getImageData(0, 0, 4, 4).data].filter((_, i) => i % 4 === 0)])"""
    drawn = page.locator(".kd-learned canvas").evaluate_all(read)
    for (width, height, ink), image in zip(drawn, pixels.view(10, 16), strict=True):
        # Ink is dark on light.
        assert (width, height) == (4, 4) and ink == [255 - value for value in image.tolist()]
    shares = page.locator(".kd-share").all_text_contents()
    assert shares == [f"{math.floor(100 * s + 0.5)} %" for s in frame["shares"][:9]] + ["\u2013"]


def test_the_newest_images_win(show_stub):
    view = condensation()
    page = show_stub(view)
    tell(page, view)
    white = base64.b64encode(bytes(160)).decode()
    tell(page, view, frame={"images": white, "shape": [10, 1, 4, 4], "shares": []})
    read = "n => new Set(n.getContext('2d').getImageData(0, 0, 4, 4).data).size"
    assert page.locator(".kd-learned canvas").nth(3).evaluate(read) == 1
    assert set(page.locator(".kd-share").all_text_contents()) == {"\u2013"}


def test_the_curve_lies_where_its_numbers_are_and_the_control_beside(show_stub):
    view = condensation()
    page = show_stub(view)
    mark = {"step": 100, "name": "learning_rate", "value": 0.25}
    curves = tell(page, view, marks=[mark])["curves"]
    chart = page.locator(".kd-chart")
    line = chart.locator(".kd-line-student").evaluate(PLACES)
    for step, share, place in zip(curves["steps"], curves["learned"], line, strict=True):
        wanted = [52 + 690 * step / 500, 30 + 200 * (1 - share)]
        assert place == pytest.approx(wanted, abs=0.06)
    control = chart.locator(".kd-line-control").evaluate(PLACES)
    assert [y for _, y in control] == pytest.approx([30 + 200 * 0.45] * 40, abs=0.06)
    band = chart.locator(".kd-band-control")
    read = "n => ['y', 'height'].map((name) => Number(n.getAttribute(name)))"
    assert band.evaluate(read) == pytest.approx([30 + 200 * 0.4, 200 * 0.12])
    ticks = chart.locator(".kd-tick").all_text_contents()
    assert {"0 %", "20 %", "100 %", "500"} <= set(ticks)
    assert chart.locator(".kd-moved text").text_content() == "rate 0.25"
    newest = f"{100 * curves['learned'][-1]:.1f} %"
    assert page.locator("[data-kd=learned]").text_content() == newest
    assert page.locator("[data-kd=random]").text_content() == "55.0 %"
    label = chart.get_attribute("aria-label")
    assert f"{newest} of 1000 test images right" in label and "55.0 % on random" in label


def test_without_a_control_none_is_drawn(show_stub):
    view = condensation()
    page = show_stub(view)
    assert not page.locator(".kd-band-control").is_visible()
    tell(page, view, state="ready", points=0)
    assert not page.locator(".kd-band-control").is_visible()
    tell(page, view)
    assert page.locator(".kd-band-control").is_visible()


def panels(page):
    read = "nodes => nodes.map((n) => JSON.parse(n.dataset.value))"
    return page.locator(".kd-layers path").evaluate_all(read)


def test_histograms_are_those_that_were_sent(show_stub):
    view = activations()
    page = show_stub(view)
    assert panels(page) == [[]] * 6
    frame = tell(page, view)["frame"]
    both = [frame[name]["outputs"] for name in ("plain", "normalized")]
    assert panels(page) == [shares for layers in both for shares in layers]
    titles = page.locator(".kd-layers svg > text:first-child").all_text_contents()
    told = ["sd 0.10, 10 %", "sd 0.20, 25 %", "sd 0.30, 100 %"]
    assert titles == 2 * [f"layer {i}: {words} saturated" for i, words in enumerate(told, 1)]
    # Each bar is as high as its share of a tenth, and its bin as wide as the others.
    read = """node => [...node.getAttribute('d').matchAll(/L([\\d.]+) ([\\d.]+)H([\\d.]+)/g)]
      .map(([, ...numbers]) => numbers.map(Number))"""
    bars = page.locator(".kd-layers path").nth(4).evaluate(read)
    for i, (left, top, right) in enumerate(bars):
        share = frame["normalized"]["outputs"][1][i]
        assert (left, right) == pytest.approx((12 + 5.15 * i, 17.15 + 5.15 * i), abs=0.011)
        assert top == pytest.approx(22 + 92 * (1 - min(1, share / 0.1)), abs=0.011)
    assert len(bars) == 40


def test_what_is_shown_can_be_chosen_and_python_is_told(show_stub):
    view = activations()
    page = show_stub(view)
    frame = tell(page, view)["frame"]
    page.get_by_label("Show", exact=True).select_option("inputs")
    settle(page)
    assert panels(page)[3:] == frame["normalized"]["inputs"]
    assert page.locator(".kd-layers .kd-tick").first.text_content() == "\u22128"
    told_at_last(page, "kind", "inputs")
    page.evaluate("() => window.change('kind', 'outputs')")
    settle(page)
    assert panels(page)[3:] == frame["normalized"]["outputs"]
    assert page.get_by_label("Show", exact=True).input_value() == "outputs"


def test_both_accuracies_lie_where_their_numbers_are(show_stub):
    view = activations()
    page = show_stub(view)
    curves = tell(page, view)["curves"]
    chart = page.locator(".kd-scroll .kd-chart")
    for name, style in (("plain", "control"), ("normalized", "student")):
        line = chart.locator(f".kd-line-{style}").evaluate(PLACES)
        wanted = [
            [52 + 690 * step / 500, 30 + 170 * (1 - share)]
            for step, share in zip(curves["steps"], curves[name], strict=True)
        ]
        assert [x for place in line for x in place] == pytest.approx(sum(wanted, []), abs=0.06)
        newest = page.locator(f"[data-kd={name}]").text_content()
        assert newest == f"{100 * curves[name][-1]:.1f} %"


@pytest.mark.parametrize(
    ("name", "label", "trait"),
    [
        ("condensation", "Learning rate", "learning_rate"),
        ("activations", "Learning rate", "learning_rate"),
        ("activations", "First weights' sd", "init_scale"),
    ],
)
def test_sliders_move_by_keys_from_end_to_end(show_stub, name, label, trait):
    page = show_stub(MAKERS[name]())
    slider = page.get_by_label(label, exact=True)
    for key, value in (("End", 10), ("Home", 0.001)):
        slider.press(key)
        told_at_last(page, trait, value)
        assert slider.get_attribute("aria-valuetext") == str(value)
    page.evaluate("trait => window.change(trait, 0.3)", trait)
    settle(page)
    assert slider.get_attribute("aria-valuetext") == "0.3"


@pytest.mark.parametrize("name", MAKERS)
def test_a_state_is_announced_once_and_numbers_are_not(show_stub, name):
    view = MAKERS[name]()
    page = show_stub(view)
    tell(page, view)
    status = page.get_by_role("status")
    status.filter(has_text="Training.").wait_for()
    first = status.text_content()
    assert "of 1000 test images right" in first
    tell(page, view, points=50)
    page.wait_for_timeout(800)
    assert status.text_content() == first


@pytest.mark.parametrize("name", MAKERS)
def test_closing_lets_go_of_everything(show_stub, name):
    page = show_stub(MAKERS[name]())
    assert page.evaluate("() => window.heard()") > 1
    page.evaluate("() => window.close_view()")
    assert page.evaluate("() => window.heard()") == 0


# Names that are cut without three dots.
CUT = """nodes => nodes.filter((n) => n.scrollWidth > n.clientWidth)
  .filter((n) => getComputedStyle(n).textOverflow !== 'ellipsis').map((n) => n.textContent)"""


@pytest.mark.parametrize("names", [NAMES, LONG], ids=["short", "long"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MAKERS)
def test_nothing_is_clipped_and_everything_has_a_name(show_stub, name, scheme, names):
    view = MAKERS[name](names)
    page = show_stub(view)
    page.emulate_media(color_scheme=scheme)
    marks = [{"step": step, "name": "learning_rate", "value": 0.3} for step in (100, 130, 380)]
    tell(
        page, view, state="paused", message="Paused after 6,000 steps; start goes on.", marks=marks
    )
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for width in (860, 380):
        page.set_viewport_size({"width": width, "height": 900})
        file = f"stub_watch_{name}_{scheme}_{width}{'_long' * (names is LONG)}.png"
        page.screenshot(path=ARTIFACTS / file, full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert overlaps(page.locator(".kd-chart :not(.kd-moved) > text")) == []
        assert overlaps(page.locator(".kd-learned .kd-class, .kd-learned .kd-share")) == []
        assert page.locator(".kd-learned .kd-class").evaluate_all(CUT) == []
    controls = page.locator("input, select, button, [tabindex]")
    unguarded = "nodes => nodes.filter((n) => n.dataset.lmSuppressShortcuts !== 'true').length"
    assert controls.count() > 4 and controls.evaluate_all(unguarded) == 0
    named = "nodes => nodes.every((n) => n.ariaLabel || n.labels?.length || n.matches('button'))"
    assert page.locator(":is(input, select, button, [role=img], [role=group])").evaluate_all(named)


@pytest.mark.parametrize("name", MAKERS)
def test_the_still_stays_on_its_card(chromium, name):
    page = chromium.new_page(color_scheme="dark")
    view = MAKERS[name]()
    read = "svg => { const b = svg.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height]; }"
    for steps in (0, 10):
        for _ in range(steps):
            view._live._step()
        page.set_content(f"<body style='background: #111'>{view.still()}")
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=ARTIFACTS / f"still_watch_{name}_{steps}.png")
        left, top, right, bottom = page.locator("svg").evaluate(read)
        height = float(page.locator("svg").get_attribute("height"))
        assert left >= 0 and top >= 0 and right <= 660 and bottom <= height
    page.close()
