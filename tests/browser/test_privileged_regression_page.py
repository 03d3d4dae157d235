"""explore_privileged_regression in a real Chromium: its numbers, points, sliders and switch."""

import json
import math
from pathlib import Path

import pytest
import torch
from pages import check_page, drag, settle

from kdlab.widgets import explore_privileged_regression

pytestmark = pytest.mark.browser

ARTIFACTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
FILES = ("points", "tables", "draws", "privileged", "line", "explore_privileged_regression")
TRUTH = torch.tensor([0.5, 1.0], dtype=torch.double)
KINDS = ("without", "with", "slide")
#: Across and down, the plot's middle and half of its size, in the drawing's units.
MIDDLE, HALF = (34 + 198, 8 + 140), (198, 140)


def data(count=10, seed=0):
    """Draw labels and answers around a line, every third answer known."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.linspace(-2, 2, count, dtype=torch.double)
    noise = torch.randn(2, count, generator=generator, dtype=torch.double)
    line = TRUTH[0] + TRUTH[1] * x
    known = torch.arange(count) % 3 == 0
    return {"inputs": x, "targets": line + noise[0], "teacher": line + 0.2 * noise[1]}, known


def make(known=None, count=10, seed=0, **more):
    given, every_third = data(count, seed)
    known = every_third if known is None else known
    return explore_privileged_regression(**{**given, **more, "known": known, "truth": TRUTH})


def views():
    """Views with few and many examples, at the ends of the sliders, and with equal x."""
    yield make()
    yield make(torch.ones(2, dtype=torch.bool), count=2, lambda_=1.0)
    yield make(torch.zeros(12, dtype=torch.bool), count=12, sigma=0.05)
    yield make(count=7, seed=3, sigma=5.0, teacher_sigma=0.05, lambda_=0.99)
    yield make(count=7, seed=4, sigma=0.05, teacher_sigma=5.0, lambda_=0.0)
    yield make(inputs=torch.full((10,), -1.5, dtype=torch.double), sigma=2.0)


def same_number(actual, expected):
    # JSON and the protocol of the browser know no NaN.
    if math.isnan(expected):
        assert actual is None or math.isnan(actual)
    else:
        assert actual == pytest.approx(expected, rel=1e-9, abs=1e-12)


def assert_fits(fits, view):
    """Compare all that JavaScript computed with what Python does."""
    assert fits["with"]["responses"] == pytest.approx(view.responses.tolist(), abs=1e-9)
    assert fits["with"]["weights"] == pytest.approx(view.weights.tolist(), rel=1e-9)
    for name in KINDS:
        assert fits[name]["line"] == pytest.approx(view.lines[name].tolist(), abs=1e-9)
        same_number(fits[name]["error"], view.errors[name])
        same_number(fits[name]["expected"], view.expected_errors[name])


def test_every_fit_is_the_library_s(call):
    body = "return kd.threeFits(state, noise, truth)"
    for view in views():
        state = {"points": view.points, "teacher": view.teacher, "known": view.known}
        noise = {"sigma": view.sigma, "teacherSigma": view.teacher_sigma, "lambda": view.lambda_}
        assert_fits(call(body, state=state, noise=noise, truth=TRUTH.tolist()), view)


def test_new_noise_is_normal_as_wide_as_is_set_and_the_same_for_a_seed(call):
    draws = torch.tensor(call("return kd.normals(7, 20000)"), dtype=torch.double)
    assert draws.mean().abs() < 0.03 and (draws.std() - 1).abs() < 0.03
    assert (draws.abs() < 1.96).double().mean() == pytest.approx(0.95, abs=0.01)
    assert (draws[1:] * draws[:-1]).mean().abs() < 0.03
    assert call("return kd.normals(7, 3)") == draws[:3].tolist()
    assert call("return kd.normals(8, 3)") != draws[:3].tolist()
    body = "return kd.drawnAnew({ points }, { sigma: 2, teacherSigma: 0.5 }, [0.5, 1], 7)"
    drawn = call(body, points=[[-1.0, 9.0], [2.0, 9.0]])
    assert drawn["points"][0] == pytest.approx([-1, -0.5 + 2 * draws[0].item()])
    assert drawn["teacher"][1] == pytest.approx(2.5 + 0.5 * draws[3].item())


@pytest.mark.parametrize(
    ("value", "end"), [(0.9, 1), (1.0, 1), (1.2, 1.5), (2.2, 3), (7, 8), (9, 10), (0.03, 0.03)]
)
def test_ends_of_axes_are_round_and_not_below(call, value, end):
    assert call("return kd.roomyEnd(x)", x=value) == pytest.approx(end)


def read_page(page, view):
    """Set the view to what the page holds, and check what it tells and draws."""
    fits = json.loads(page.locator("[data-kd=told]").get_attribute("data-value"))
    assert_fits(fits, view)
    lines = {"truth": TRUTH.tolist(), **{name: view.lines[name].tolist() for name in KINDS}}
    for name, line in lines.items():
        drawn = page.locator(f"[data-line={name}]")
        assert drawn.is_visible() == (name != "slide" or view.slide)
        if drawn.is_visible():
            assert json.loads(drawn.get_attribute("data-value")) == pytest.approx(line, abs=1e-9)
    weights = "nodes => nodes.map((node) => Number(node.dataset.value))"
    shares = page.locator("[data-example]").evaluate_all(weights)
    assert shares == pytest.approx((view.weights / view.weights.sum()).tolist(), rel=1e-9)
    heard = "nodes => nodes.map((node) => node.classList.contains('kd-known'))"
    assert page.locator("[data-point]").evaluate_all(heard) == view.known
    return fits


def place_of(page, which, i):
    text = page.locator(f"[data-{which}='{i}']").get_attribute("transform")
    return [float(part) for part in text.removeprefix("translate(").removesuffix(")").split()]


def in_data(place, ends):
    return [
        (place[0] - MIDDLE[0]) / HALF[0] * ends[0],
        (MIDDLE[1] - place[1]) / HALF[1] * ends[1],
    ]


#: What the plane of `make()` goes up to.
ENDS = (3.0, 5.0)


def test_the_page_starts_as_python_is(show):
    view = make(slide=True)
    page = show(view)
    read_page(page, view)
    for i, (point, s) in enumerate(zip(view.points, view.teacher, strict=True)):
        assert in_data(place_of(page, "point", i), ENDS) == pytest.approx(point, abs=0.01)
        assert in_data(place_of(page, "answer", i), ENDS)[1] == pytest.approx(s, abs=0.01)


def test_the_lines_are_drawn_where_they_are(show):
    view = make()
    page = show(view)
    for name, line in (("truth", TRUTH), ("with", view.lines["with"])):
        read = "node => ['y1', 'y2'].map((name) => Number(node.getAttribute(name)))"
        drawn = page.locator(f"[data-line={name}]").evaluate(read)
        expected = [
            (1 - (line[0] + side * line[1] * ENDS[0]) / ENDS[1]) * HALF[1] for side in (-1, 1)
        ]
        assert drawn == pytest.approx([value.item() for value in expected], abs=1e-6)


def test_a_dragged_label_takes_its_teacher_along_the_true_line(show):
    view = make()
    page = show(view)
    drag(page, page.locator("[data-point='3'] .kd-label-dot"), 33, -35)
    [x, y], s = view.points[3], view.teacher[3]
    moved = in_data(place_of(page, "point", 3), ENDS)
    assert moved == pytest.approx([x + 0.5, y + 1.25], abs=0.02)
    points = [list(point) for point in view.points]
    told = page.get_by_role("slider", name="Label 4").get_attribute("aria-valuetext")
    assert told.endswith(f"teacher's answer {s + moved[0] - x:.2f}")
    fits = json.loads(page.locator("[data-kd=told]").get_attribute("data-value"))
    points[3] = moved
    view.points = points
    # The page's own digits are more than those of the drawing.
    assert fits["without"]["line"] == pytest.approx(view.lines["without"].tolist(), abs=0.01)


def test_a_click_and_keys_hear_and_hide_a_teacher(show):
    view = make()
    page = show(view)
    page.locator("[data-point='1'] .kd-label-dot").click()
    settle(page)
    view.known = [i % 3 == 0 or i == 1 for i in range(10)]
    read_page(page, view)
    page.get_by_role("slider", name="Label 1;").press("Enter")
    page.get_by_role("slider", name="Label 9;").press("Space")
    page.locator("[data-example='2']").click()
    settle(page)
    view.known = [i in (1, 2, 3, 6, 8, 9) for i in range(10)]
    read_page(page, view)
    told = page.get_by_role("slider", name="Label 1;").get_attribute("aria-valuetext")
    assert told.endswith("teacher's answer not known")


def test_keys_move_labels_and_answers(show):
    view = make()
    page = show(view)
    label = page.get_by_role("slider", name="Label 1;")
    for key in ("ArrowUp", "Shift+ArrowUp", "ArrowRight"):
        label.press(key)
    page.get_by_role("slider", name="Teacher's answer 7").press("Shift+ArrowDown")
    settle(page)
    points, teacher = [list(point) for point in view.points], list(view.teacher)
    # A step is a hundredth of the plane: 0.06 across, 0.1 up.
    points[0] = [points[0][0] + 0.06, points[0][1] + 11 * 0.1]
    teacher[0] += 0.06 * TRUTH[1].item()
    teacher[6] -= 10 * 0.1
    view.points, view.teacher = points, teacher
    read_page(page, view)


def test_only_answers_that_are_heard_can_be_reached(show):
    page = show(make())
    read = "nodes => nodes.map((node) => [node.tabIndex, node.getAttribute('aria-hidden')])"
    reach = page.locator("[data-answer]").evaluate_all(read)
    assert reach == [[0, "false"] if i % 3 == 0 else [-1, "true"] for i in range(10)]


def test_sliders_and_the_switch(show):
    view = make()
    page = show(view)
    page.get_by_label("Lambda", exact=True).press("PageUp")
    page.get_by_label("Sigma", exact=True).press("PageDown")
    page.get_by_label("Teacher's sigma", exact=True).press("PageUp")
    page.get_by_label("also the slide's weights").check()
    settle(page)
    view.lambda_, view.sigma, view.teacher_sigma, view.slide = 0.6, 0.5, 0.4, True
    read_page(page, view)
    told = page.locator("[data-kd=told]").text_content()
    assert told.endswith("with the slide's weights.")
    assert page.get_by_text("slide's y\u2033").is_visible()


def test_buttons(show):
    view = make()
    page = show(view)
    for name, known in (("All privileged", True), ("None", False)):
        page.get_by_role("button", name=name).click()
        settle(page)
        view.known = [known] * 10
        read_page(page, view)
    seen = [page.locator("[data-kd=told]").text_content()]
    for _ in range(3):
        page.get_by_role("button", name="New noise").click()
        settle(page)
        assert page.locator("[data-kd=told]").text_content() not in seen
        seen.append(page.locator("[data-kd=told]").text_content())
    page.get_by_role("button", name="Reset").click()
    settle(page)
    read_page(page, make())


@pytest.mark.parametrize("mark", ["data-point", "data-answer"])
def test_the_plane_stays_while_a_label_or_an_answer_is_held(show, mark):
    page = show(make())
    end = page.locator(".kd-line-panel .kd-tick").last
    before = end.text_content()
    box = page.locator(f"[{mark}='3']").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(box["x"], box["y"] - 90 * step)
        settle(page)
        assert end.text_content() == before
    page.mouse.up()
    settle(page)
    assert float(before) < float(end.text_content()) <= 2 * float(before)


def test_the_plane_gives_way_when_a_label_leaves_it(show):
    page = show(make())
    for _ in range(12):
        page.get_by_role("slider", name="Label 10;").press("Shift+ArrowUp")
    settle(page)
    x, y = place_of(page, "point", 9)
    assert 34 <= x <= 430 and 8 <= y <= 288
    assert page.locator(".kd-line-panel .kd-tick").last.text_content() not in ("5", "")


def test_equal_inputs_are_told_with_a_dash(show):
    page = show(make(inputs=torch.full((10,), -1.5, dtype=torch.double)))
    cells = page.locator("table tbody tr").nth(2).locator("td").all_text_contents()
    assert cells[3] == "\u2013" and "\u2013" not in cells[:3]


def test_a_change_is_announced(show):
    page = show(make())
    page.get_by_role("button", name="None").click()
    page.wait_for_function("() => document.querySelector('[role=status]').textContent")
    assert page.get_by_role("status").text_content().startswith("Squared parameter error ")


@pytest.mark.parametrize("slide", [False, True])
def test_nothing_is_clipped_and_everything_has_a_name(show, slide):
    view = make(count=12, slide=slide)
    check_page(show(view), f"explore_privileged_regression_{slide}", ARTIFACTS)
