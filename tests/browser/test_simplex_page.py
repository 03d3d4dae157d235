"""explore_simplex in a real Chromium: its mathematics against Python's, keys, drag, words."""

import json
import math
from pathlib import Path

import pytest
import torch
from pages import check_page, drag, settle

from kdlab import privileged
from kdlab.widgets import explore_simplex

pytestmark = pytest.mark.browser

ARTIFACTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
FILES = ("points", "tables", "triangle", "simplex", "explore_simplex")
STUDENT, TEACHER = torch.tensor([[0.5, 0.3, 0.2], [0.9, 0.09, 0.01]], dtype=torch.double)
SUPPORTS = tuple(privileged.SUPPORTS)
#: Random, equal, nearly equal, and next to an edge or a corner.
STUDENTS = torch.cat(
    [
        torch.randn(12, 3, generator=torch.Generator().manual_seed(1)).double().softmax(-1),
        torch.tensor(
            [
                [1 / 3, 1 / 3, 1 / 3],
                [1 / 3 + 1e-9, 1 / 3, 1 / 3 - 1e-9],
                [0.4, 0.4, 0.2],
                [0.4, 0.4 - 1e-13, 0.2 + 1e-13],
                [0.25, 0.25 + 1e-5, 0.5 - 1e-5],
                [0.996, 0.002, 0.002],
                [0.499, 0.499, 0.002],
            ],
            dtype=torch.double,
        ),
    ]
)
#: The search for the best g takes Python a second each.
TEACHERS = [[0.9, 0.09, 0.01], [0.5, 0.3, 0.2], [1 / 3, 1 / 3, 1 / 3], [0.1, 0.1, 0.8]]


def close(actual, expected, rtol=1e-9):
    actual = torch.tensor(actual, dtype=torch.double)
    torch.testing.assert_close(actual, expected.double(), rtol=rtol, atol=1e-9)


@pytest.mark.parametrize("support", SUPPORTS)
def test_constant_mode_and_mean_are_the_library_s(call, support):
    body = """return students.map((g) => {
        const logG = g.map(Math.log);
        return [kd.logConstant(logG, support), kd.publishedLogConstant(logG),
                kd.modeAnswer(logG, support), kd.meanAnswer(logG, support)];
    })"""
    got = call(body, students=STUDENTS.tolist(), support=support)
    constants, published, modes, means = zip(*got, strict=True)
    close(constants, privileged.log_constant(STUDENTS, support=support))
    close(published, privileged.published_log_constant(STUDENTS))
    close(modes, privileged.mode_answer(STUDENTS, support=support))
    close(means, privileged.mean_answer(STUDENTS, support=support))


@pytest.mark.parametrize("support", SUPPORTS)
def test_the_best_student_is_the_library_s(call, support):
    body = "return teachers.map((s) => kd.likeliestStudent(s, support))"
    for s, log_g in zip(TEACHERS, call(body, teachers=TEACHERS, support=support), strict=True):
        s, log_g = torch.tensor(s).double(), torch.tensor(log_g, dtype=torch.double)
        s, best = s / s.sum(), privileged.likeliest_student(s, support=support)
        reached = [
            privileged.log_density(s, g, support=support).item() for g in (log_g.exp(), best)
        ]
        assert reached[0] == pytest.approx(reached[1], abs=1e-6)
        # Of two equal shares either may have the smaller g.
        close(sorted(log_g.exp().tolist()), best.sort().values, rtol=1e-6)


def test_a_share_at_the_edge_is_searched_to_the_end(call):
    """The best g of a share of .002 is exp(-500), and on the orthant equal shares part."""
    body = "return supports.map((support) => kd.likeliestStudent([0.996, 0.002, 0.002], support))"
    simplex, orthant = call(body, supports=["simplex", "orthant"])
    # Here the way down from g = s ends in a dip that isn't the deepest.
    [s] = call("return [kd.likeliestStudent([0.7528, 0.1207, 0.1265], 'orthant')]")
    assert s == pytest.approx([-0.439, -8.25, -1.035], rel=0.01)
    assert simplex == pytest.approx([0, -500, -500], rel=1e-6, abs=1e-9)
    assert sorted(orthant) == pytest.approx([-500, -1.258973, -0.333999], rel=1e-5)


def test_places_and_shares_are_each_other_s_inverse(call):
    body = "return students.map((g) => kd.sharesOfPlace(kd.placeOfShares(g)))"
    close(call(body, students=STUDENTS.tolist()), STUDENTS)


def test_shares_beyond_an_edge_come_back_to_it(call):
    body = "return points.map((point) => kd.clampShares(point, 0.002))"
    points = [[1.5, -0.2, -0.3], [0.5, 0.3, 0.2], [0.5, 0.5, 0.0]]
    corner, inside, edge = call(body, points=points)
    assert corner == pytest.approx([0.996, 0.002, 0.002])
    assert inside == pytest.approx([0.5, 0.3, 0.2], abs=1e-15)
    assert edge[2] == pytest.approx(0.002) and edge[0] == edge[1]


@pytest.mark.parametrize(
    ("value", "short", "exact"),
    [
        (0.0, "0.0000", "0"),
        (0.04029391, "0.0403", "0.040294"),
        (6.323945, "6.324", "6.3239"),
        (-0.1694, "\u22120.1694", "\u22120.1694"),
        (0.99999999, "1.000", "1"),
        (3.7e-44, "3.7e\u221244", "3.7000e\u221244"),
        (12345.6, "1.2e+4", "12346"),
    ],
)
def test_numbers_as_text(call, value, short, exact):
    assert call("return [kd.shortNumber(x), kd.exactNumber(x)]", x=value) == [short, exact]


def test_what_is_none_is_a_dash(call):
    assert call("return kd.shortNumber(NaN)") == "\u2013"


def test_words_for_mode_and_best_student(call):
    body = """return [[1, 0, 0], [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3], [-1, -1, -1]]
        .map((mode) => kd.tellMode(mode, ["a", "b", "c"]))
        .concat([[0.95, 0.03, 0.02], [0.5, 0.3, 0.2], [0.9, 0.09, 0.01]]
          .map((best) => kd.tellBest([0.9, 0.09, 0.01], best)))"""
    assert call(body) == [
        "the likeliest s is all a, not g",
        "the likeliest s lie between a and b",
        "every s is equally likely",
        "the likeliest s is (\u22121, \u22121, \u22121), whatever g is",
        "the best g for this s is sharper than s, its largest share 0.950 and not 0.900",
        "the best g for this s is flatter than s, its largest share 0.500 and not 0.900",
        "the best g for this s is about s itself",
    ]


def shares(page, letter, side=0):
    node = page.locator(f"[data-point={letter}]").nth(side)
    return json.loads(node.get_attribute("data-value"))


def assert_page_is_python(page, view):
    """Set the view to what the page shows, and compare whatever is told and marked."""
    view.student, view.teacher = shares(page, "g"), shares(page, "s")
    view.support = page.get_by_label("Support of s").input_value()
    assert [shares(page, "s", 1), shares(page, "g", 1)] == [view.teacher, view.student]
    told = json.loads(page.locator("[data-kd=told]").get_attribute("data-value"))
    assert math.exp(told["logConstant"]) == pytest.approx(view.constant, rel=1e-9)
    assert told["logDensity"] == pytest.approx(view.log_density, abs=1e-9)
    assert told["crossEntropy"] == pytest.approx(view.cross_entropy, abs=1e-9)
    assert told["masses"] == pytest.approx([*view.masses.values()], rel=1e-9)
    for name, expected in (("mode", view.mode), ("mean", view.mean), ("best", view.likeliest)):
        assert told[name] == pytest.approx(expected.tolist(), abs=1e-6)
    assert page.locator("[data-mark=mean]").is_visible() == (view.support == "simplex")
    chosen = page.locator(".kd-chosen > th").all_text_contents()
    assert chosen == [view.support]
    return told


@pytest.mark.parametrize("support", SUPPORTS)
def test_the_page_is_python_s_on_every_support(show, support):
    view = explore_simplex(STUDENT, TEACHER)
    page = show(view)
    page.get_by_label("Support of s").select_option(support)
    settle(page)
    assert_page_is_python(page, view)
    printed = {
        "simplex": ["6.3239", "0.0041385"],
        "cube": ["4.7969", "0.005456"],
        "orthant": ["1.3431", "0.019486"],
        "shifted orthant": ["0.040294", "0.64952"],
    }
    assert page.locator(".kd-chosen > td").all_text_contents() == printed[support]


def test_a_drag_moves_one_point_in_both_triangles(show):
    view = explore_simplex(STUDENT, TEACHER)
    page = show(view)
    drag(page, page.locator("[data-point=g] .kd-dot").first, 26, 0)
    told = assert_page_is_python(page, view)
    # 26 of the 260 pixels of an edge, from the second class to the third.
    assert view.student == pytest.approx([0.5, 0.2, 0.3], abs=0.01)
    assert view.teacher == TEACHER.tolist()
    drag(page, page.locator("[data-point=s] .kd-dot").last, -60, 300)
    assert view.teacher != shares(page, "s")
    # Down to the lower edge and beyond: it stays on it, and between the corners where it was.
    assert shares(page, "s") == pytest.approx([0.002, 0.69, 0.31], abs=0.01)
    assert min(shares(page, "s")) == pytest.approx(0.002, abs=1e-12)
    assert assert_page_is_python(page, view)["crossEntropy"] > told["crossEntropy"]


def test_keys_move_the_points(show):
    view = explore_simplex(STUDENT, TEACHER)
    page = show(view)
    point = page.get_by_role("slider", name="Student's g, density")
    for key in ("ArrowUp", "ArrowRight", "Shift+ArrowDown"):
        point.press(key)
    settle(page)
    assert shares(page, "g") == pytest.approx([0.41, 0.335, 0.255])
    assert point.get_attribute("aria-valuetext") == "0.410, 0.335, 0.255"
    page.get_by_role("slider", name="Teacher's answer s, cross-entropy").press("Shift+ArrowUp")
    settle(page)
    assert shares(page, "s")[0] > 0.95 and min(shares(page, "s")) >= 0.002 - 1e-12
    assert_page_is_python(page, view)


def test_buttons(show):
    view = explore_simplex(STUDENT, TEACHER)
    page = show(view)
    page.get_by_role("button", name="g uniform").click()
    settle(page)
    assert "every s is equally likely" in page.locator("[data-kd=told]").text_content()
    assert_page_is_python(page, view)
    page.get_by_role("button", name="s = g").click()
    settle(page)
    assert shares(page, "s") == shares(page, "g") == [1 / 3] * 3
    page.get_by_role("button", name="Reset").click()
    settle(page)
    assert [shares(page, "g"), shares(page, "s")] == [STUDENT.tolist(), TEACHER.tolist()]


DEPTHS = """canvas => {
  const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return places.map(([x, y]) => data[4 * (Math.floor(y) * width + Math.floor(x)) + 3] / 255);
}"""


def test_the_maps_are_as_deep_as_density_and_cross_entropy_say(show, call):
    view = explore_simplex(STUDENT, TEACHER)
    page = show(view)
    places = call("return students.map(kd.placeOfShares)", students=STUDENTS.tolist())
    inner = [i for i, s in enumerate(STUDENTS) if s.min() > 0.02]
    read = f"canvas => {{ const places = {json.dumps(places)}; return ({DEPTHS})(canvas); }}"
    left, right = (torch.tensor(page.locator("canvas").nth(side).evaluate(read)) for side in (0, 1))
    density = (STUDENTS @ STUDENT.log()).exp() / STUDENT.max()
    cross = (STUDENTS.log() @ TEACHER - TEACHER.log() @ TEACHER).exp()
    for depth, expected in ((left, density), (right, cross)):
        torch.testing.assert_close(depth.double()[inner], 0.8 * expected[inner], rtol=0, atol=0.015)


def test_a_change_is_announced(show):
    page = show(explore_simplex(STUDENT, TEACHER))
    page.get_by_label("Support of s").select_option("cube")
    page.wait_for_function("() => document.querySelector('[role=status]').textContent")
    assert page.get_by_role("status").text_content().startswith("On the cube: C = 4.7969")


@pytest.mark.parametrize("support", ["simplex", "shifted orthant"])
def test_nothing_is_clipped_and_everything_has_a_name(show, support):
    names = ["a rather long name of a class", "another long name", "and a third one"]
    view = explore_simplex(STUDENT, TEACHER, support=support, class_names=names)
    check_page(show(view), f"explore_simplex_{support.replace(' ', '_')}", ARTIFACTS)
