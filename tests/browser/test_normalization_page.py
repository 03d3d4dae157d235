"""explore_normalization in a real Chromium: its numbers against Python's, drag, keys, buttons."""

import json
import math
from pathlib import Path

import pytest
import torch
from pages import check_page, drag, settle

from kdlab.widgets import explore_normalization
from kdlab.widgets._draws import normals

pytestmark = pytest.mark.browser

ARTIFACTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
FILES = ("points", "tables", "draws", "norms", "dots", "explore_normalization")
NUMBERS = torch.tensor([2.0, -1.0, 4.5, 0.25, 5.0], dtype=torch.double)
LEFT, WIDTH = 12, 396
STATE = (
    "numbers",
    "batch_size",
    "gamma",
    "beta",
    "eps",
    "momentum",
    "training",
    "running_mean",
    "running_var",
)


def make(**more):
    return explore_normalization(**{"numbers": NUMBERS, "batch_size": 4, **more})


def near(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def assert_parts(parts, view):
    """Compare all that JavaScript computed with what Python does."""
    assert parts["batch"] == view.batch.flatten().tolist()
    assert parts["normalized"] == near(view.normalized.tolist())
    assert parts["outputs"] == near(view.outputs.tolist())
    assert parts["refused"] == view.refused
    assert parts["undone"] == near(view.undone)
    for name, values in (("own", view.statistics), ("used", view.used)):
        mean, variance = (value.item() for value in values)
        assert [parts[name]["mean"], parts[name]["variance"]] == near([mean, variance])
    unbiased = parts["own"]["unbiased"]
    # JSON and the protocol of the browser know no NaN.
    if math.isnan(view.unbiased):
        assert unbiased is None or math.isnan(unbiased)
    else:
        assert unbiased == near(view.unbiased)


def views():
    """Views in both modes, of few and equal numbers, with a large eps, and after steps."""
    yield make()
    yield make(training=False, gamma=-2.5, beta=1.5)
    yield make(eps=10.0, batch_size=5)
    yield make(batch_size=1)
    yield make(batch_size=1, training=False)
    yield make(numbers=torch.full((3,), 7.0), batch_size=3, gamma=3.0)
    stepped = explore_normalization(batch_size=16, momentum=0.3, training=False)
    stepped.step()
    yield stepped


def test_every_number_is_the_library_s(call):
    for view in views():
        state = {name: getattr(view, name) for name in STATE}
        assert_parts(call("return kd.normalizationParts(state)", state=state), view)


@pytest.mark.parametrize("momentum", [0.0, 0.1, 1.0])
def test_a_step_is_the_library_s(call, momentum):
    view = make(momentum=momentum)
    body = "return kd.stepRunning({ mean, variance }, batch, momentum)"
    for _ in range(3):
        running = {"mean": view.running_mean, "variance": view.running_var}
        stepped = call(body, **running, batch=view.batch.flatten().tolist(), momentum=momentum)
        view.step()
        assert stepped == near({"mean": view.running_mean, "variance": view.running_var})


def read_page(page, view):
    """Check what the page computed and drew against the view."""
    parts = json.loads(page.locator("[data-kd=told]").get_attribute("data-value"))
    assert_parts(parts, view)
    running = {"mean": view.running_mean, "variance": view.running_var}
    assert parts["running"] == near(running)
    rows = {"number": view.batch.flatten(), "normalized": view.normalized, "output": view.outputs}
    for name, row in rows.items():
        dots = page.locator(f"[data-{name}]:visible")
        drawn = dots.evaluate_all("nodes => nodes.map((node) => Number(node.dataset.value))")
        assert drawn == near(row.tolist())
    own = [value.item() for value in view.statistics]
    for name, pair in (("batch", own), ("running", list(running.values()))):
        band = page.locator(f"[data-band={name}]")
        assert json.loads(band.get_attribute("data-value")) == near(pair)
        used = "kd-used" in band.get_attribute("class")
        assert used == (view.training == (name == "batch"))
    return parts


def end_of(page):
    return float(page.locator(".kd-dots-panel .kd-tick").last.text_content())


def across(page, selector):
    text = page.locator(selector).get_attribute("transform")
    x = float(text.removeprefix("translate(").split()[0])
    return (2 * (x - LEFT) / WIDTH - 1) * end_of(page)


@pytest.mark.parametrize("training", [True, False])
def test_the_page_starts_as_python_is(show, training):
    view = make(training=training, gamma=1.5, beta=-1.0)
    page = show(view)
    read_page(page, view)
    for i in range(4):
        assert across(page, f"[data-number='{i}']") == pytest.approx(view.numbers[i], abs=0.01)
        assert across(page, f"[data-output='{i}']") == pytest.approx(
            view.outputs[i].item(), abs=0.01
        )


def test_bands_are_drawn_one_root_of_the_variance_to_both_sides(show):
    view = make()
    page = show(view)
    mean, variance = (value.item() for value in view.statistics)
    read = "node => ['x', 'width'].map((name) => Number(node.getAttribute(name)))"
    x, width = page.locator("[data-band=batch] rect").evaluate(read)
    unit = WIDTH / 2 / end_of(page)
    assert width == pytest.approx(2 * math.sqrt(variance) * unit)
    assert x + width / 2 == pytest.approx(LEFT + WIDTH / 2 + mean * unit)


def test_a_dragged_number_moves_and_all_follow(show):
    view = make()
    page = show(view)
    end = end_of(page)
    drag(page, page.locator("[data-number='2'] circle").last, -30, 0)
    moved = across(page, "[data-number='2']")
    assert moved == pytest.approx(4.5 - 30 / (WIDTH / 2) * end, abs=0.05)
    numbers = NUMBERS.tolist()
    numbers[2] = float(page.locator("[data-number='2']").get_attribute("data-value"))
    view.numbers = numbers
    read_page(page, view)


def test_a_number_is_dragged_to_the_axis_end_which_gives_way_when_it_is_let_go(show):
    page = show(make())
    end = end_of(page)
    dot = page.locator("[data-number='2']")
    box = dot.locator("circle").last.bounding_box()
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(box["x"] + 60 * step, box["y"])
        settle(page)
        assert end_of(page) == end
    page.mouse.up()
    settle(page)
    assert float(dot.get_attribute("data-value")) == end
    assert end < end_of(page) < 2 * end


def test_keys_move_a_number(show):
    view = make()
    page = show(view)
    step = 2 * end_of(page) / 100
    dot = page.get_by_role("slider", name="Number 2")
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowLeft"):
        dot.press(key)
    settle(page)
    numbers = NUMBERS.tolist()
    numbers[1] -= 8 * step
    view.numbers = numbers
    read_page(page, view)
    told = dot.get_attribute("aria-valuetext")
    assert told == f"{numbers[1]:.2f}, becomes {view.outputs[1]:.2f}"


def test_numbers_stay_within_a_hundred_and_the_axis_gives_way(show):
    page = show(make())
    before = end_of(page)
    for _ in range(60):
        page.get_by_role("slider", name="Number 1").press("Shift+ArrowRight")
        settle(page)
    assert page.locator("[data-number='0']").get_attribute("data-value") == "100"
    assert end_of(page) > before
    assert 0 < across(page, "[data-number='0']") < end_of(page)


def test_sliders_and_the_mode(show):
    view = make()
    page = show(view)
    page.get_by_label("Gamma", exact=True).press("PageUp")
    for key in ("PageDown", "ArrowLeft"):
        page.get_by_label("Beta", exact=True).press(key)
    page.get_by_label("Epsilon", exact=True).press("End")
    page.get_by_label("Batch size", exact=True).press("ArrowRight")
    settle(page)
    view.gamma, view.beta, view.eps, view.batch_size = 1.5, -0.55, 10, 5
    read_page(page, view)
    page.get_by_label("Mode", exact=True).select_option("evaluation")
    settle(page)
    view.training = False
    read_page(page, view)


def test_a_step_moves_the_running_statistics_by_the_momentum(show):
    view = make()
    page = show(view)
    for key in ("PageUp", "ArrowRight"):
        page.get_by_label("Momentum", exact=True).press(key)
    view.momentum = 0.21
    for _ in range(2):
        page.get_by_role("button", name="Step").click()
        settle(page)
        view.step()
        read_page(page, view)
    page.get_by_role("button", name="Forget running").click()
    settle(page)
    view.running_mean, view.running_var = 0, 1
    read_page(page, view)


@pytest.mark.parametrize("training", [True, False])
def test_undo_sets_gamma_beta_and_running_statistics(show, training):
    view = make(training=training)
    page = show(view)
    page.get_by_role("button", name="Undo").click()
    settle(page)
    view.undo()
    parts = read_page(page, view)
    assert parts["outputs"] == near(NUMBERS[:4].tolist())
    assert (
        page.locator("[data-kd=told]").text_content().endswith("each output is its input: undone.")
    )
    page.get_by_role("button", name="γ = 1, β = 0").click()
    settle(page)
    view.gamma, view.beta = 1, 0
    read_page(page, view)


def test_new_batches_are_drawn_around_the_first_and_reset_brings_it_back(show):
    view = make()
    page = show(view)
    mean, spread = NUMBERS.mean().item(), NUMBERS.std(correction=0).item()
    for seed in (1, 2):
        page.get_by_role("button", name="New batch").click()
        settle(page)
        view.numbers = [mean + spread * draw for draw in normals(seed, 5)]
        parts = json.loads(page.locator("[data-kd=told]").get_attribute("data-value"))
        assert parts["batch"] == near(view.numbers[:4])
        assert parts["outputs"] == near(view.outputs.tolist())
    page.get_by_role("button", name="Step").click()
    page.get_by_role("button", name="Reset").click()
    settle(page)
    read_page(page, make())


def test_a_single_number_is_refused_in_training(show):
    view = make(batch_size=2)
    page = show(view)
    page.get_by_label("Batch size", exact=True).press("Home")
    settle(page)
    view.batch_size = 1
    read_page(page, view)
    told = page.locator("[data-kd=told]")
    assert told.text_content() == "A single number has no spread: training refuses it."
    for name in ("Step", "Undo"):
        page.get_by_role("button", name=name).click()
    settle(page)
    read_page(page, view)
    cells = page.locator("table tbody tr").nth(2).locator("td").all_text_contents()
    assert cells == ["\u2013"] * 3
    undone = page.locator("table").nth(1).locator("tbody tr").nth(1).locator("td")
    assert undone.all_text_contents() == ["\u2013"] * 2
    page.get_by_label("Mode", exact=True).select_option("evaluation")
    settle(page)
    view.training = False
    read_page(page, view)


def test_only_numbers_of_the_batch_can_be_reached(show):
    page = show(make(batch_size=3))
    read = "nodes => nodes.map((node) => [node.tabIndex, node.getAttribute('aria-hidden')])"
    reach = page.locator("[data-number]").evaluate_all(read)
    assert reach == [[0, "false"]] * 3 + [[-1, "true"]] * 2


def test_the_words_and_the_table(show):
    view = make(gamma=2.0)
    page = show(view)
    mean, variance = (value.item() for value in view.statistics)
    out = view.outputs.var(correction=0).item()
    undone = view.undone
    assert page.locator("[data-kd=told]").text_content() == (
        f"Training: by the batch's own mean {mean:.4g} and variance {variance:.4g}, the outputs "
        f"have mean 0 and variance {out:#.4g}. γ = {undone['gamma']:#.4g}, β = "
        f"{undone['beta']:#.4g} would undo it."
    )
    rows = page.locator("table").first.locator("tbody tr")
    cells = [rows.nth(row).locator("td").all_text_contents() for row in range(4)]
    shown = [[float(cell) for cell in row] for row in (cells[0], cells[2], cells[3])]
    assert shown[0] == pytest.approx([mean, variance, view.unbiased], abs=1e-3)
    assert shown[1] == pytest.approx([0, 1, 4 / 3], abs=1e-3)
    assert shown[2] == pytest.approx([0, out, out * 4 / 3], abs=1e-3)
    assert cells[1] == ["0", "1.000", "\u2013"]
    chosen = "nodes => nodes.map((node) => node.classList.contains('kd-chosen'))"
    assert rows.evaluate_all(chosen) == [True, False, False, False]


def test_a_change_is_announced(show):
    page = show(make())
    page.get_by_label("Mode", exact=True).select_option("evaluation")
    page.wait_for_function("() => document.querySelector('[role=status]').textContent")
    assert (
        page.get_by_role("status").text_content().startswith("Evaluation: by the running mean 0 ")
    )


@pytest.mark.parametrize("training", [True, False])
def test_nothing_is_clipped_and_everything_has_a_name(show, training):
    view = explore_normalization(training=training, batch_size=8 if training else 16, gamma=3.0)
    check_page(show(view), f"explore_normalization_{training}", ARTIFACTS)
