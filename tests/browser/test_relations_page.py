"""explore_relations in a real Chromium: its mathematics against Python's, keys, drag, buttons."""

import base64
import json
import math
import re
from pathlib import Path

import pytest
import torch
from pages import settle

from kdlab import losses
from kdlab.widgets import explore_relations
from kdlab.widgets._view import module_text

pytestmark = pytest.mark.browser

ARTIFACTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
STUDENT = torch.tensor([[0.9, 0.4], [-0.6, 0.9], [-0.9, -0.7], [0.5, -0.9], [0.2, 0.1]])
TEACHER = torch.tensor([[1.4, 0.0], [0.4, 1.3], [-1.1, 0.8], [-1.1, -0.8], [0.4, -1.3]])
LOSSES = {"distanceLoss": losses.rkd_distance_loss, "angleLoss": losses.rkd_angle_loss}


def pairs():
    """Random points, equal points, points in a line, and all in one place."""
    generator = torch.Generator().manual_seed(4)
    for count in (2, 3, 7):
        yield torch.randn(2, count, 2, generator=generator, dtype=torch.double).unbind()
    student, teacher = torch.randn(2, 6, 2, generator=generator, dtype=torch.double).unbind()
    student[3], teacher[5] = student[0], teacher[1]
    yield student, teacher
    yield torch.arange(4.0).double()[:, None] * torch.tensor([[1.0, 2.0]]).double(), teacher[:4]
    yield torch.ones(4, 2).double(), teacher[:4]


@pytest.fixture(scope="module")
def page(chromium):
    page = chromium.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_gradients_are_the_library_s(page, name):
    text = base64.b64encode(module_text("relations", "explore_relations").encode()).decode()
    script = """async ([url, name, s, t]) => {
      const kd = await import(url); const { value, gradient } = kd[name](s, t);
      return [value, gradient];
    }"""
    for student, teacher in pairs():
        url = f"data:text/javascript;base64,{text}"
        value, gradient = page.evaluate(script, [url, name, student.tolist(), teacher.tolist()])
        points = student.clone().requires_grad_()
        expected = LOSSES[name](points, teacher)
        expected.backward()
        assert value == pytest.approx(expected.item(), abs=1e-9)
        torch.testing.assert_close(
            torch.tensor(gradient, dtype=torch.double), points.grad, rtol=1e-6, atol=1e-9
        )


WEIGHTS = {"distance": (1, 0), "angle": (0, 1), "both": (1, 2)}


def total(student, teacher, which):
    parts = (LOSSES["distanceLoss"](student, teacher), LOSSES["angleLoss"](student, teacher))
    return sum(w * part.item() for w, part in zip(WEIGHTS[which], parts, strict=True))


@pytest.mark.parametrize("which", WEIGHTS)
def test_a_step_downhill_never_climbs(page, which):
    """A step of fixed length would: close to the minimum, or where points are far apart."""
    text = base64.b64encode(module_text("relations", "explore_relations").encode()).decode()
    script = """async ([url, s, t, which]) => (await import(url)).downhill(s, t, which)"""
    generator = torch.Generator().manual_seed(4)
    for scale in (0.01, 0.1, 1.0, 10.0):
        teacher = scale * torch.randn(5, 2, generator=generator, dtype=torch.double)
        student = teacher + 0.3 * scale * torch.randn(5, 2, generator=generator).double()
        for _ in range(4):
            url = f"data:text/javascript;base64,{text}"
            given = [url, student.tolist(), teacher.tolist(), which]
            moved = torch.tensor(page.evaluate(script, given), dtype=torch.double)
            before, after = (total(points, teacher, which) for points in (student, moved))
            assert after < before or torch.equal(moved, student)
            student = moved
    given = [url, teacher.tolist(), teacher.tolist(), which]
    assert page.evaluate(script, given) == teacher.tolist()


def points_of(page):
    read = "nodes => nodes.map((node) => JSON.parse(node.dataset.value))"
    return page.locator("[role=group] > [data-point]").evaluate_all(read)


def assert_drawn_is_python(page, view):
    view.student = points_of(page)
    distance, angle, gradient = json.loads(
        page.locator("[data-kd=losses]").get_attribute("data-value")
    )
    assert [distance, angle] == pytest.approx([view.distance_loss, view.angle_loss], abs=1e-6)
    torch.testing.assert_close(
        torch.tensor(gradient, dtype=torch.double), view.gradient, rtol=1e-6, atol=1e-6
    )
    return distance, angle


def test_a_drag_moves_one_point_and_everything_follows(show):
    view = explore_relations(STUDENT, TEACHER)
    page = show(view)
    before = points_of(page)
    dot = page.get_by_role("slider", name="Student's point 2").locator("circle").last
    box = dot.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(x + 10 * step, y + 6 * step)
    page.mouse.up()
    settle(page)
    after = points_of(page)
    assert [i for i in range(5) if before[i] != after[i]] == [1]
    # 50 pixels to the right and 30 down, on a plane from -2 to 2 of 300 pixels.
    moved = [after[1][k] - before[1][k] for k in (0, 1)]
    assert moved == pytest.approx([4 * 50 / 300, -4 * 30 / 300], abs=0.03)
    assert_drawn_is_python(page, view)


def test_keys_move_a_point(show):
    view = explore_relations(STUDENT, TEACHER)
    page = show(view)
    point = page.get_by_role("slider", name="Student's point 3")
    for key in ("ArrowRight", "ArrowUp", "ArrowUp", "Shift+ArrowRight"):
        point.press(key)
    settle(page)
    assert points_of(page)[2] == pytest.approx([-0.9 + 11 * 0.04, -0.7 + 2 * 0.04])
    assert point.get_attribute("aria-valuetext") == "-0.46, -0.62"
    assert_drawn_is_python(page, view)


def test_the_group_s_buttons_leave_the_losses_alone_and_downhill_lowers_them(show):
    view = explore_relations(STUDENT, TEACHER)
    page = show(view)
    start = assert_drawn_is_python(page, view)
    for name in ("Rotate", "Enlarge", "Shrink", "Shift", "Rotate"):
        before = points_of(page)
        page.get_by_role("button", name=name).click()
        settle(page)
        assert points_of(page) != before
        assert assert_drawn_is_python(page, view) == pytest.approx(start, abs=1e-7)
    for _ in range(5):
        page.get_by_role("button", name="Step downhill").click()
        settle(page)
    distance, angle = assert_drawn_is_python(page, view)
    assert distance + 2 * angle < 0.7 * (start[0] + 2 * start[1])
    page.get_by_role("button", name="Reset").click()
    settle(page)
    torch.testing.assert_close(torch.tensor(points_of(page)), STUDENT)


def test_the_choice_of_the_loss_turns_the_arrows(show):
    view = explore_relations(STUDENT, TEACHER)
    page = show(view)
    for view.loss in ("distance", "angle", "both"):
        page.get_by_label("Loss", exact=True).select_option(view.loss)
        settle(page)
        assert_drawn_is_python(page, view)


def test_buttons_go_on_from_where_the_points_are(show):
    page = show(explore_relations(STUDENT, TEACHER))
    seen = [points_of(page)]
    for name in ("Rotate", "Rotate", "Enlarge", "Rotate"):
        page.get_by_role("button", name=name).click()
        settle(page)
        assert points_of(page) not in seen
        seen.append(points_of(page))


def test_points_stay_within_a_hundred(show):
    page = show(explore_relations(STUDENT, TEACHER))
    for _ in range(25):
        page.get_by_role("button", name="Enlarge").click()
    settle(page)
    assert max(abs(x) for point in points_of(page) for x in point) == 100


def test_arrows_point_downhill(show):
    page = show(explore_relations(STUDENT, TEACHER))
    gradient = json.loads(page.locator("[data-kd=losses]").get_attribute("data-value"))[2]
    read = "nodes => nodes.map((node) => node.getAttribute('d'))"
    drawn = page.locator("[role=group] > [data-point] > .kd-arrow").evaluate_all(read)
    shown = 0
    for path, (gx, gy) in zip(drawn, gradient, strict=True):
        if path:
            numbers = [float(x) for x in re.findall(r"-?[\d.]+(?:e-?\d+)?", path)]
            (x, y), (tx, ty) = numbers[:2], numbers[2:4]
            length = math.hypot(tx - x, ty - y)
            # On the screen y grows downwards.
            slope = math.hypot(gx, gy)
            assert (tx - x) / length == pytest.approx(-gx / slope, abs=1e-6)
            assert (ty - y) / length == pytest.approx(gy / slope, abs=1e-6)
            shown += 1
    assert shown >= 3


def test_the_plane_stays_while_a_point_is_held_and_gives_way_afterwards(show):
    page = show(explore_relations(STUDENT, TEACHER))
    end = page.locator("[role=group] .kd-tick").last
    box = page.get_by_role("slider", name="Student's point 2").locator("circle").last.bounding_box()
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(box["x"] + 90 * step, box["y"] + 8)
        settle(page)
        assert end.text_content() == "2"
    page.mouse.up()
    settle(page)
    assert points_of(page)[1][0] == pytest.approx(2.0)
    assert end.text_content() == "5"


def test_the_plane_gives_way_when_a_point_leaves_it(show):
    page = show(explore_relations(STUDENT, TEACHER))
    for _ in range(9):
        page.get_by_role("button", name="Enlarge").click()
    settle(page)
    read = """nodes => nodes.map((n) => [n.getAttribute('cx'), n.getAttribute('cy')].map(Number))"""
    places = page.locator("[role=group] > [data-point] > circle").evaluate_all(read)
    assert all(0 <= x <= 300 for place in places for x in place)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_clipped_and_everything_has_a_name(show, scheme):
    page = show(explore_relations(STUDENT, TEACHER))
    page.emulate_media(color_scheme=scheme)
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"page_explore_relations_{scheme}.png", full_page=True)
    for width in (900, 380):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    controls = page.locator("input, select, button, [tabindex]")
    unguarded = "nodes => nodes.filter((n) => n.dataset.lmSuppressShortcuts !== 'true').length"
    assert controls.count() > 10 and controls.evaluate_all(unguarded) == 0
    nameless = "nodes => nodes.filter((n) => !(n.ariaLabel || n.labels?.length)).length"
    assert page.locator(":is(select, button, [role])").evaluate_all(nameless) <= 1
