"""watch_learners in a real Chromium, its kernel played by the test: keys, drag, curves, graph."""

import math
import random
from pathlib import Path

import pytest
import torch
from pages import overlaps, settle
from stub import sent

from kdlab import models
from kdlab.data import Dataset
from kdlab.widgets import watch_learners
from kdlab.widgets._error_still import bottom_of, top_of
from kdlab.widgets._weights import give_way

pytestmark = pytest.mark.browser

FILES = ("answers", "live", "graph", "watch_learners")
ARTIFACTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
TABLE = [[0, 0.3, 0.2, 0.1], [0.1, 0, 0.6, 0], [0, 0.4, 0, 0.2]]


def make(learners=3, *, teacher=True, **more):
    images, targets = torch.zeros(30, 1, 4, 4, dtype=torch.uint8), torch.arange(30) % 3
    data = Dataset("noise", "made here", images, targets, images, targets, ("a", "b", "c"))
    made = models.mlp((16, 3), seed=9) if teacher else None
    if learners == 3 and teacher:
        more.setdefault("weights", TABLE)
    return watch_learners(data, learners, teacher=made, **more)


def curves_of(view, points=60, *, marks=()):
    """Made-up curves, as Python sends them."""
    draw = random.Random(1)
    curves = {"steps": [10 * i for i in range(points)], "examples": 1000}
    for i, letter in enumerate(view.letters):
        falls = [
            round(900 * math.exp(-k / 9) + 25 + 9 * i + draw.random() * 6) for k in range(points)
        ]
        curves[letter] = falls
        curves[f"entropy_{letter}"] = [
            round(1.1 / (1 + k / 4) + 0.02 * i, 4) for k in range(points)
        ]
    curves["agreement"] = [round(1 - 0.9 / (1 + k), 4) for k in range(points)]
    curves["teacher"] = 21 if "teacher" in view.heard else None
    return curves | {"marks": [*marks]}


def tell(page, view, *, state="running", message="", **more):
    curves = curves_of(view, **more)
    told = {"kind": "curves", "state": state, "message": message, "curves": curves}
    page.evaluate("told => window.tell(told)", told)
    settle(page)
    return curves


LATEST = """key => String(window.model.get(key))
  === String(window.sent.filter((m) => key in m).at(-1)?.[key])"""


def latest(page, key):
    """Return a trait's value once Python was told what the page shows."""
    page.wait_for_function(LATEST, arg=key)
    return sent(page, key)[-1]


def weights(page):
    return latest(page, "weights")


def table(page, attribute="textContent"):
    read = "(nodes, name) => nodes.map((n) => [n.dataset.cell, n[name]])"
    return dict(page.locator("[data-cell]").evaluate_all(read, attribute))


def edges(page):
    read = "nodes => nodes.map((n) => [n.dataset.edge, Number(n.dataset.value)])"
    return dict(page.locator("[data-edge]").evaluate_all(read))


def test_a_row_gives_way_as_in_python(call):
    draw = random.Random(2)
    cases = []
    for _ in range(200):
        row = [0.0, *(draw.choice([0, draw.random()]) for _ in range(3))]
        row = [weight / max(1.0, sum(row)) for weight in row]
        cases.append([row, draw.randint(1, 3), draw.choice([0, 1, draw.random()])])
    got = call("return cases.map((one) => kd.giveWay(...one))", cases=cases)
    for (row, index, value), after in zip(cases, got, strict=True):
        assert after == pytest.approx(list(give_way(row, index, value)), abs=2e-6)
        assert sum(after) <= 1 + 1e-9


def test_axes_are_those_of_the_still_picture(call):
    for steps in (0, 499, 500, 501, 2001, 6000, 99_999):
        assert call("return kd.lastStep([steps])", steps=steps) == top_of(steps)
    for errors, examples in ((300, 1000), (20, 1000), (0, 1000), (1, 30), (999, 1000), (0, 2)):
        range_ = call("return kd.countRange(examples, [errors])", errors=errors, examples=examples)
        assert range_ == {"high": examples, "low": bottom_of(errors, examples)}
    assert call("return kd.roundNumbers(0.02, 1.1)") == [0.02, 0.05, 0.1, 0.2, 0.5, 1]
    assert call("return kd.roundNumbers(0.001, 2.3)") == [0.001, 0.01, 0.1, 1]


def test_keys_step_over_the_diagonal_and_stay_inside(call):
    steps = {
        ("ArrowRight", 0, 1): [0, 2], ("ArrowRight", 1, 0): [1, 2], ("ArrowLeft", 0, 1): [0, 1],
        ("ArrowDown", 0, 1): [2, 1], ("ArrowUp", 0, 2): [0, 2], ("ArrowDown", 1, 2): [1, 2],
        ("Home", 0, 3): [0, 1], ("Home", 2, 3): [2, 0], ("End", 1, 0): [1, 3],
        ("PageUp", 2, 0): [1, 0], ("PageDown", 0, 2): [1, 2], ("PageUp", 2, 3): [0, 3],
    }  # fmt: skip
    body = "return cases.map(([key, k, j]) => kd.stepWeight(key, [k, j], 3, 4))"
    assert call(body, cases=[*map(list, steps)]) == [*steps.values()]
    assert call("return kd.stepWeight('a', [0, 1], 3, 4) === undefined")


def test_graph_and_table_show_the_weights(show_stub):
    view = make()
    page = show_stub(view)
    assert edges(page) == {
        "A,B": 0.3, "A,C": 0.2, "A,teacher": 0.1, "B,A": 0.1, "B,C": 0.6, "B,teacher": 0,
        "C,A": 0, "C,B": 0.4, "C,teacher": 0.2,
    }  # fmt: skip
    assert table(page)["1,2"] == "0.60" and len(table(page)) == 9
    assert page.locator("[data-labels]").all_text_contents() == ["0.40", "0.30", "0.40"]
    width = "node => Number(node.querySelector('.kd-arrow-line').getAttribute('stroke-width'))"
    widths = {name: page.locator(f"[data-edge='{name}']").evaluate(width) for name in edges(page)}
    assert widths["B,C"] == pytest.approx(2 * widths["A,B"]) == pytest.approx(12 * 0.6)
    assert widths["C,A"] == 1
    assert page.locator("[data-edge='C,A']").get_attribute("class") == "kd-edge kd-silent"


def test_arrows_go_from_who_is_heard_to_who_hears(show_stub):
    page = show_stub(make(4))
    read = """nodes => Object.fromEntries(nodes.map((n) => { const box = n.getBBox();
      return [n.nextSibling.textContent, [box.x + box.width / 2, box.y + box.height / 2]]; }))"""
    places = page.locator("svg > :is(circle, rect)").evaluate_all(read)
    assert set(places) == {"A", "B", "C", "D", "teacher"}
    read = """nodes => nodes.map((n) => { const way = n.querySelector('.kd-arrow-line');
      const at = (length) => { const p = way.getPointAtLength(length); return [p.x, p.y]; };
      return [n.dataset.edge, at(0), at(way.getTotalLength())]; })"""
    drawn = page.locator("[data-edge]").evaluate_all(read)
    assert len(drawn) == 16
    for edge, start, end in drawn:
        hears, heard = edge.split(",")
        assert start == pytest.approx(places[heard], abs=0.1)
        # The tip is 10 pixels more, and the disc has 20.
        assert math.dist(end, places[hears]) == pytest.approx(32, abs=0.1)


def weight_slider(page, name="A hears B"):
    return page.get_by_label(name, exact=True)


def test_keys_choose_a_weight_and_move_it(show_stub):
    page = show_stub(make())
    page.locator("[data-cell='0,1']").focus()
    page.keyboard.press("ArrowDown")
    settle(page)
    assert page.evaluate("document.activeElement.dataset.cell") == "2,1"
    slider = weight_slider(page, "C hears B")
    assert slider.get_attribute("aria-valuetext") == "0.40"
    for key, value in (("ArrowRight", 0.45), ("PageUp", 0.95), ("Home", 0), ("End", 1)):
        slider.press(key)
        settle(page)
        assert edges(page)["C,B"] == value and weights(page)[2][1] == value
    # All of C's row is B's now; the other rows are as they were.
    assert weights(page) == [TABLE[0], TABLE[1], [0, 1, 0, 0]]
    told = page.locator("[data-kd=gave-way]").text_content()
    assert told == "C's row would pass 1: its other weights gave way."
    slider.press("Home")
    settle(page)
    # Moved back, the others have what they had.
    assert weights(page)[2] == [0, 0, 0, 0.2]
    assert page.locator("[data-kd=gave-way]").text_content().startswith("A row sums to at most 1")


def test_python_s_echo_does_not_end_a_move(show_stub):
    page = show_stub(make())
    echo = "() => window.change('weights', structuredClone(window.model.get('weights')))"
    for key, row in (("End", [0, 1, 0, 0]), ("Home", [0, 0, 0.2, 0.1])):
        weight_slider(page).press(key)
        settle(page)
        page.evaluate(echo)
        settle(page)
        assert weights(page)[0] == row
        gave = page.locator("[data-kd=gave-way]").text_content().startswith("A's row would pass 1")
        assert gave == (key == "End")
    # What Python really changes, after our last word and seen, is a new beginning.
    latest(page, "weights")
    page.evaluate("() => window.change('weights', [[0, 0, 0.5, 0.5], [0,0,0,0], [0,0,0,0]])")
    settle(page)
    weight_slider(page).press("End")
    settle(page)
    weight_slider(page).press("Home")
    settle(page)
    assert weights(page)[0] == [0, 0, 0.5, 0.5]


def test_a_drag_ends_with_page_and_python_in_agreement(show_stub):
    view = make()
    page = show_stub(view)
    box = weight_slider(page).bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], y)
    page.mouse.down()
    for share in (0.5, 0.9, 1.0, 0.6, 0.8):
        page.mouse.move(box["x"] + share * box["width"], y)
        settle(page)
    page.mouse.up()
    value = edges(page)["A,B"]
    assert 0.7 < value < 0.9
    expected = give_way(TABLE[0], 1, value)
    assert weights(page)[0] == pytest.approx(list(expected), abs=2e-6)
    # Python takes what the page says, and has the same.
    view.weights = weights(page)
    assert {e: round(w, 6) for e, w in edges(page).items()} == {
        f"{a},{b}": round(view.weights[k][j], 6)
        for k, a in enumerate("ABC")
        for j, b in enumerate(view.heard)
        if k != j
    }


def test_a_click_on_an_arrow_chooses_it(show_stub):
    page = show_stub(make())
    # Seen from the page: where the arrow's middle lies.
    middle = """node => { const way = node.querySelector('.kd-hit');
      const at = way.getPointAtLength(way.getTotalLength() / 2).matrixTransform(way.getScreenCTM());
      return [at.x, at.y]; }"""
    x, y = page.locator("[data-edge='B,C']").evaluate(middle)
    page.mouse.click(x, y)
    settle(page)
    assert page.locator("[aria-selected=true]").get_attribute("data-cell") == "1,2"
    assert page.locator(".kd-chosen").get_attribute("data-edge") == "B,C"
    assert weight_slider(page, "B hears C").get_attribute("aria-valuetext") == "0.60"


def test_what_python_sets_is_drawn(show_stub):
    page = show_stub(make())
    table_ = [[0, 0, 0, 1], [0.5, 0, 0.5, 0], [0, 0, 0, 0]]
    page.evaluate("table => window.change('weights', table)", table_)
    page.evaluate("() => { window.change('order', 'at once'); window.change('temperature', 3); }")
    settle(page)
    assert edges(page)["A,teacher"] == 1 and table(page)["1,0"] == "0.50"
    assert page.get_by_label("Order", exact=True).input_value() == "at once"
    temperature = page.get_by_label("Temperature", exact=True)
    assert temperature.get_attribute("aria-valuetext") == "3"
    # What gives way is now counted from Python's row.
    page.locator("[data-cell='1,2']").click()
    weight_slider(page, "B hears C").press("PageUp")
    settle(page)
    assert weights(page)[1] == [0, 0, 1, 0]


def test_order_temperature_and_rate_reach_python(show_stub):
    page = show_stub(make())
    page.get_by_label("Order", exact=True).select_option("at once")
    page.get_by_label("Temperature", exact=True).press("PageUp")
    page.get_by_label("Learning rate", exact=True).press("PageUp")
    moved = [latest(page, name) for name in ("order", "temperature", "learning_rate")]
    assert moved == ["at once", 2, 0.1]


def test_buttons_press_and_follow_the_state(show_stub):
    view = make()
    page = show_stub(view)
    assert sent(page, "press") == ["look"]
    enabled = "nodes => nodes.filter((n) => n.ariaDisabled !== 'true').map((n) => n.dataset.kd)"
    buttons = page.locator(".kd-buttons button")
    assert buttons.evaluate_all(enabled) == ["start"]
    page.locator("button[data-kd=start]").click()
    tell(page, view)
    assert buttons.evaluate_all(enabled) == ["pause", "stop", "reset"]
    page.locator("button[data-kd=pause]").click()
    tell(page, view, state="paused", message="Paused after 6,000 steps; start goes on.")
    assert buttons.evaluate_all(enabled) == ["start", "stop", "reset"]
    assert sent(page, "press") == ["look", "start", "pause"]
    assert page.locator("[data-kd=state]").text_content() == "Paused, step 590"
    assert page.locator("[data-kd=message]").text_content().startswith("Paused after 6,000")


def test_curves_lie_where_their_numbers_are(show_stub):
    view = make()
    page = show_stub(view)
    curves = tell(page, view, marks=[{"step": 100, "name": "weights", "value": TABLE}])
    chart = page.locator(".kd-chart[role=img]").nth(1)
    read = """nodes => nodes.map((n) => [...n.getAttribute('d')
      .matchAll(/[ML]([\\d.]+) ([\\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]))"""
    names = [f".kd-line-learner{i}" for i in range(3)]
    low = bottom_of(21, 1000)
    for name, letter in zip(names, "ABC", strict=True):
        [line] = chart.locator(name).evaluate_all(read)
        for step, errors, (x, y) in zip(curves["steps"], curves[letter], line, strict=True):
            assert x == pytest.approx(52 + 690 * step / 1000, abs=0.06)
            height = math.log(1000 / errors) / math.log(1000 / low)
            assert y == pytest.approx(30 + 180 * height, abs=0.06)
    # The graph and the legend have lines of these styles, too; here, the newest numbers.
    assert page.locator("[data-kd=A]").text_content() == str(curves["A"][-1])
    assert page.locator("[data-kd=teacher]").text_content() == "21"
    pairs, entropies = page.locator(".kd-small-chart").all()
    [line] = pairs.locator(".kd-line-pairs").evaluate_all(read)
    [posterior] = entropies.locator(".kd-line-learner1").evaluate_all(read)
    most, least = math.log(3), 0.01
    for i, step in enumerate(curves["steps"]):
        apart, entropy = 1000 * (1 - curves["agreement"][i]), curves["entropy_B"][i]
        x, height = 52 + 290 * step / 1000, math.log(1000 / apart) / math.log(1000 / 10)
        assert line[i] == pytest.approx([x, 30 + 110 * height], abs=0.06)
        height = math.log(most / entropy) / math.log(most / least)
        assert posterior[i] == pytest.approx([x, 30 + 110 * height], abs=0.06)
    shown = page.locator(".kd-line-pairs").get_attribute("data-value")
    assert float(shown) == pytest.approx(1000 * (1 - curves["agreement"][-1]))
    assert page.locator(".kd-moved text").first.text_content() == "weights"
    label = chart.get_attribute("aria-label")
    assert f"{curves['C'][-1]} of learner C, 21 of the teacher; pairs agree on 98.5 %" in label


def test_a_state_is_announced_once_and_numbers_are_not(show_stub):
    view = make()
    page = show_stub(view)
    tell(page, view)
    status = page.get_by_role("status")
    status.filter(has_text="Training.").wait_for()
    first = status.text_content()
    tell(page, view, points=70)
    page.wait_for_timeout(800)
    assert status.text_content() == first


def test_closing_lets_go_of_everything(show_stub):
    page = show_stub(make())
    assert page.evaluate("() => window.heard()") == 5
    page.evaluate("() => window.close_view()")
    assert page.evaluate("() => window.heard()") == 0


@pytest.mark.parametrize(("learners", "teacher"), [(2, False), (3, True), (4, True)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_clipped_and_everything_has_a_name(show_stub, learners, teacher, scheme):
    view = make(learners, teacher=teacher)
    page = show_stub(view)
    page.emulate_media(color_scheme=scheme)
    marks = [
        {"step": 100, "name": "weights", "value": TABLE},
        {"step": 130, "name": "order", "value": "at once"},
        {"step": 580, "name": "temperature", "value": 3.0},
    ]
    tell(page, view, state="paused", marks=marks)
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for width in (860, 380):
        page.set_viewport_size({"width": width, "height": 900})
        name = f"stub_watch_learners_{learners}_{scheme}{'_phone' if width < 800 else ''}.png"
        page.screenshot(path=ARTIFACTS / name, full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    controls = page.locator("input, select, button, [tabindex]")
    unguarded = "nodes => nodes.filter((n) => n.dataset.lmSuppressShortcuts !== 'true').length"
    assert controls.count() > 8 and controls.evaluate_all(unguarded) == 0
    named = "nodes => nodes.every((n) => n.ariaLabel || n.labels?.length || n.matches('button'))"
    roles = ("img", "grid", "gridcell", "group", "columnheader", "rowheader")
    listed = ", ".join(f"[role={role}]" for role in roles)
    assert page.locator(f":is(input, select, button, {listed})").evaluate_all(named)
    wide = "nodes => nodes.filter((n) => n.scrollWidth > n.clientWidth + 1).length"
    assert page.locator("[data-cell]").evaluate_all(wide) == 0
    page.set_viewport_size({"width": 860, "height": 900})
    assert overlaps(page.locator(".kd-chart :not(.kd-moved) > text")) == []


def test_the_still_stays_on_its_card(chromium):
    page = chromium.new_page(color_scheme="dark")
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    read = "svg => { const b = svg.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height]; }"
    for learners in (2, 3, 4):
        view = make(learners)
        view._live._curves.add(0, *[29] * learners, *[1.1] * learners, 0.1)
        view._live._curves.add(500, *[30] * learners, *[0.1] * learners, 0.9)
        view._live.trainee.teacher_errors = 30
        page.set_content(f"<body style='background: #111'>{view.still()}")
        page.screenshot(path=ARTIFACTS / f"still_watch_learners_{learners}.png")
        left, top, right, bottom = page.locator("svg").evaluate(read)
        assert left >= 0 and top >= 0 and right <= 660 and bottom <= 525
    page.close()
