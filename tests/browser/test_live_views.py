"""The views with a kernel behind them, in a real JupyterLab: pad, cockpit, learners, looks."""

import pytest
from lab import (
    ask_kernel,
    change_theme,
    in_python,
    jupyterlab,
    open_notebook,
    run_all,
    screenshot,
    settle,
    show_cell,
    write_notebook,
)

pytestmark = pytest.mark.browser

READ = "(nodes) => nodes.map((node) => Number(node.getAttribute('data-value')))"
CELLS = {
    "setup": """
import threading
import torch
from kdlab import data, models, schemes
from kdlab.widgets import draw_digit, watch_activations, watch_condensation
from kdlab.widgets import watch_learners, watch_training
dataset = data.load("digits")
teacher = models.mlp((784, 100, 10))
batches = data.Batches(dataset.train_images, dataset.train_targets, batch_size=25)
optimizer = torch.optim.SGD(teacher.parameters(), lr=0.05, momentum=0.9)
schemes.train(teacher, batches, optimizer, epochs=5)
training = lambda: [t for t in threading.enumerate() if t.name == "kdlab-watch-training"]""",
    "draw": "pad = draw_digit(teacher)\npad",
    "watch": "cockpit = watch_training(dataset, teacher)\ncockpit",
    "learn": "peers = watch_learners(dataset, 3, teacher=teacher, weights=0.6)\npeers",
    "condense": "ten = watch_condensation(dataset, network_steps=40)\nten",
    "look": "both = watch_activations(dataset)\nboth",
}


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    """A notebook with all views, run."""
    folder = tmp_path_factory.mktemp("live")
    write_notebook(folder / "live.ipynb", **CELLS)
    with jupyterlab(folder) as address:
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        page = open_notebook(context, address, "live.ipynb")
        run_all(page)
        yield page
        context.close()


@pytest.fixture
def pad(page):
    view = show_cell(page, "draw").locator("[data-kd=draw_digit]")
    view.wait_for()
    view.get_by_role("button", name="Clear").click()
    settle(page)
    return view


@pytest.fixture
def cockpit(page):
    view = show_cell(page, "watch").locator("[data-kd=watch_training]")
    view.wait_for()
    yield view
    ask_kernel(page, "cockpit.reset()")


def bars(view):
    return view.locator("[data-class] rect").locator("..").evaluate_all(READ)


def test_a_drawing_by_mouse_gets_the_models_opinion(page, pad):
    box = pad.locator("canvas[tabindex]").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    page.mouse.down()
    for i in range(12):
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30 + 18 * i)
    page.mouse.up()
    settle(page)
    strokes = in_python(page, "pad.strokes")
    assert len(strokes) == 1 and len(strokes[0]) > 5
    assert bars(pad) == pytest.approx(in_python(page, "pad.probabilities.tolist()"), abs=1e-6)
    screenshot(page, "lab_draw_digit_light")


def test_a_digit_key_draws_and_delete_clears(page, pad):
    pad.locator("canvas[tabindex]").focus()
    page.keyboard.press("3")
    settle(page)
    assert in_python(page, "pad.strokes == pad._samples[3]")
    assert bars(pad) == pytest.approx(in_python(page, "pad.probabilities.tolist()"), abs=1e-6)
    page.keyboard.press("Delete")
    settle(page)
    assert in_python(page, "pad.strokes") == []
    assert bars(pad) == [0] * 10


def test_a_fast_drag_ends_with_the_last_point_answered(page, pad):
    box = pad.locator("canvas[tabindex]").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 240, steps=60)
    page.mouse.up()
    settle(page)
    x, y = in_python(page, "pad.strokes[-1][-1]")
    assert (x, y) == pytest.approx((200, 240), abs=5)
    assert bars(pad) == pytest.approx(in_python(page, "pad.probabilities.tolist()"), abs=1e-6)


def steps(page) -> int:
    return in_python(page, "(cockpit.curves['steps'] or [0])[-1]")


def test_start_trains_pause_idles_and_reset_begins_anew(page, cockpit):
    assert in_python(page, "len(training())") == 0
    cockpit.locator("button[data-kd=start]").click()
    page.wait_for_timeout(3000)
    assert in_python(page, "cockpit.state") == "running"
    assert in_python(page, "len(training())") == 1
    cockpit.locator("button[data-kd=pause]").click()
    settle(page)
    paused = steps(page)
    assert paused > 10 and in_python(page, "len(training())") == 0
    page.wait_for_timeout(700)
    assert steps(page) == paused
    screenshot(page, "lab_watch_training_light")
    cockpit.locator("button[data-kd=reset]").click()
    settle(page)
    assert steps(page) == 0 and in_python(page, "cockpit.state") == "ready"


def test_a_slider_moved_while_training_counts_from_then_on(page, cockpit):
    cockpit.locator("button[data-kd=start]").click()
    page.wait_for_timeout(1500)
    slider = cockpit.get_by_label("Lambda, weight of the teacher")
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_timeout(1500)
    assert in_python(page, "cockpit.lambda_") == 1
    marks = in_python(page, "cockpit.curves['marks']")
    assert marks and {mark["name"] for mark in marks} == {"lambda_"} and marks[-1]["value"] == 1
    lengths = "() => document.querySelectorAll('[data-kd=watch_training] path[d^=M]').length"
    assert page.evaluate(lengths) >= 2
    change_theme(page, "JupyterLab Dark")
    show_cell(page, "watch")
    settle(page)
    screenshot(page, "lab_watch_training_dark")
    change_theme(page, "JupyterLab Light")


def test_running_the_cell_again_leaves_one_thread(page, cockpit):
    cockpit.locator("button[data-kd=start]").click()
    page.wait_for_timeout(1000)
    assert ask_kernel(page, "again = watch_training(dataset, teacher); again.start()") == ""
    page.wait_for_timeout(1000)
    assert in_python(page, "len(training())") == 1
    assert in_python(page, "[cockpit.state, again.state]")[1] == "running"
    ask_kernel(page, "again.stop()")
    assert in_python(page, "len(training())") == 0


@pytest.fixture
def peers(page):
    view = show_cell(page, "learn").locator("[data-kd=watch_learners]")
    view.wait_for()
    yield view
    ask_kernel(page, "peers.reset()")


def test_weights_moved_while_learners_train_bend_the_curves(page, peers):
    peers.locator("button[data-kd=start]").click()
    page.wait_for_timeout(2000)
    peers.locator("[data-cell='0,1']").click()
    page.keyboard.press("ArrowDown")
    slider = peers.get_by_label("C hears B", exact=True)
    slider.focus()
    for key in ("PageUp", "PageUp", "ArrowLeft"):
        page.keyboard.press(key)
    peers.get_by_label("Order", exact=True).select_option("at once")
    page.wait_for_timeout(2000)
    assert in_python(page, "[peers.state, peers.order]") == ["running", "at once"]
    rows = in_python(page, "peers.weights")
    assert rows[2] == pytest.approx([0.025, 0.95, 0, 0.025], abs=1e-5)
    assert rows[0] == pytest.approx([0, 0.2, 0.2, 0.2])
    drawn = peers.locator("[data-edge]").evaluate_all(READ)
    assert drawn == pytest.approx([w for k, row in enumerate(rows) for w in row[:k] + row[k + 1 :]])
    marks = in_python(page, "peers.curves['marks']")
    assert {mark["name"] for mark in marks} == {"weights", "order"}
    gave_way = "C's row would pass 1: its other weights gave way."
    assert peers.locator("[data-kd=gave-way]").text_content() == gave_way
    screenshot(page, "lab_watch_learners_light")
    change_theme(page, "JupyterLab Dark")
    show_cell(page, "learn")
    settle(page)
    screenshot(page, "lab_watch_learners_dark")
    change_theme(page, "JupyterLab Light")
    slider.press("Home")
    settle(page)
    # Moved back, the others have what they had before.
    assert in_python(page, "peers.weights[2]") == pytest.approx([0.2, 0, 0, 0.2])


def test_learners_pause_and_go_on_and_python_s_weights_are_drawn(page, peers):
    peers.locator("button[data-kd=start]").click()
    page.wait_for_timeout(1500)
    peers.locator("button[data-kd=pause]").click()
    settle(page)
    paused = in_python(page, "peers.curves")
    assert len(paused["steps"]) > 1 and in_python(page, "len(training())") == 0
    newest = [peers.locator(f"[data-kd={name}]").text_content() for name in "ABC"]
    assert newest == [str(paused[name][-1]) for name in "ABC"]
    assert ask_kernel(page, "peers.hear('A', 'teacher', 0.9)") == ""
    settle(page)
    assert peers.locator("[data-cell='0,3']").text_content() == "0.90"
    assert peers.locator("[data-cell='0,1']").text_content() == "0.05"
    peers.locator("button[data-kd=start]").click()
    page.wait_for_timeout(1500)
    more = in_python(page, "peers.curves")
    assert more["A"][: len(paused["A"])] == paused["A"] and len(more["A"]) > len(paused["A"])
    # The cockpit's training and this one never run at once.
    assert ask_kernel(page, "cockpit.start()") == ""
    settle(page)
    assert in_python(page, "[peers.state, cockpit.state, len(training())]")[0] == "stopped"
    assert in_python(page, "len(training())") == 1
    ask_kernel(page, "cockpit.reset()")


def come_to(page, condition, seconds=60):
    """Wait until an expression in the kernel is true."""
    for _ in range(2 * seconds):
        if in_python(page, f"bool({condition})"):
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"{condition} never came to be")


CANVASES = """nodes => nodes.map((n) => [...n.getContext('2d').getImageData(0, 0, n.width, n.height)
  .data].filter((_, i) => i % 4 === 0))"""
INK = "(255 - (ten.images.clamp(0, 1) * 255).round()).int().flatten(1).tolist()"


def test_images_are_learned_and_a_pause_keeps_all(page):
    ten = show_cell(page, "condense").locator("[data-kd=watch_condensation]")
    ten.wait_for()
    canvases = ten.locator(".kd-learned canvas")
    assert canvases.evaluate_all(CANVASES) == in_python(page, INK)
    ten.locator("button[data-kd=start]").click()
    come_to(page, "len(ten.curves['steps']) > 3")
    ten.locator("button[data-kd=pause]").click()
    come_to(page, "ten.state == 'paused'")
    settle(page)
    paused, images = in_python(page, "[ten.curves, ten.images.tolist()]")
    assert in_python(page, "len(training())") == 0
    assert canvases.evaluate_all(CANVASES) == in_python(page, INK)
    newest = ten.locator("[data-kd=learned]").text_content()
    assert newest == f"{100 * paused['learned'][-1]:.1f} %" and len(paused["random"]) == 3
    screenshot(page, "lab_watch_condensation_light")
    change_theme(page, "JupyterLab Dark")
    show_cell(page, "condense")
    settle(page)
    screenshot(page, "lab_watch_condensation_dark")
    change_theme(page, "JupyterLab Light")
    assert in_python(page, "ten.images.tolist()") == images
    ten.locator("button[data-kd=start]").click()
    come_to(page, f"len(ten.curves['steps']) > {len(paused['steps'])}")
    more = in_python(page, "ten.curves['learned']")
    assert more[: len(paused["steps"])] == paused["learned"]
    ten.locator("button[data-kd=reset]").click()
    come_to(page, "ten.state == 'ready'")
    settle(page)
    assert canvases.evaluate_all(CANVASES) == in_python(page, INK)
    assert in_python(page, "ten.images.tolist()") != images


def test_activations_are_shown_while_both_train(page):
    both = show_cell(page, "look").locator("[data-kd=watch_activations]")
    both.wait_for()
    scale = both.get_by_label("First weights' sd", exact=True)
    for _ in range(5):
        scale.press("PageUp")
    come_to(page, "both.init_scale == 3.2")
    settle(page)
    bars = "nodes => nodes.map((n) => JSON.parse(n.dataset.value))"
    drawn = "[s for n in both.activations.values() for s in n[both.kind]]"
    panels = both.locator(".kd-layers path")
    assert panels.evaluate_all(bars) == in_python(page, drawn)
    both.locator("button[data-kd=start]").click()
    come_to(page, "len(both.curves['steps']) > 5")
    both.get_by_label("Learning rate", exact=True).press("PageUp")
    both.get_by_label("Show", exact=True).select_option("inputs")
    come_to(page, "both.curves['marks'] and both.kind == 'inputs'")
    both.locator("button[data-kd=pause]").click()
    come_to(page, "both.state == 'paused'")
    settle(page)
    assert panels.evaluate_all(bars) == in_python(page, drawn)
    assert in_python(page, "[m['value'] for m in both.curves['marks']]") == [1.0]
    curves = in_python(page, "both.curves")
    for name in ("plain", "normalized"):
        newest = both.locator(f"[data-kd={name}]").text_content()
        assert newest == f"{100 * curves[name][-1]:.1f} %"
    screenshot(page, "lab_watch_activations_light")
    change_theme(page, "JupyterLab Dark")
    show_cell(page, "look")
    settle(page)
    screenshot(page, "lab_watch_activations_dark")
    change_theme(page, "JupyterLab Light")
    ask_kernel(page, "both.reset()")


def test_a_restarted_kernel_is_said_on_screen(page, cockpit):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    cockpit.locator("button[data-kd=start]").click()
    page.wait_for_timeout(1000)
    restart = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    page.evaluate(restart)
    message = cockpit.locator("[data-kd=message]")
    message.filter(has_text="After a restart, run this cell again").wait_for(timeout=15_000)
    cockpit.locator("button[data-kd=pause]").click()
    settle(page)
    assert errors == []
