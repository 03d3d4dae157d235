"""explore_simplex: the Python side, without a browser."""

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from torch.testing import assert_close

from kdlab.privileged import (
    SUPPORTS,
    likeliest_student,
    log_constant,
    log_density,
    mean_answer,
    mode_answer,
)
from kdlab.widgets import explore_simplex

G = torch.tensor([0.5, 0.3, 0.2], dtype=torch.double)
S = torch.tensor([0.9, 0.09, 0.01], dtype=torch.double)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("support", SUPPORTS)
def test_everything_is_the_library_s_and_follows_the_traits(support):
    view = explore_simplex(S, G, support="cube")
    view.student, view.teacher, view.support = G.tolist(), S.tolist(), support
    assert view.constant == pytest.approx(log_constant(G, support=support).exp().item(), rel=1e-12)
    assert view.log_density == pytest.approx(log_density(S, G, support=support).item(), rel=1e-12)
    assert_close(view.mode, mode_answer(G, support=support))
    assert_close(view.mean, mean_answer(G, support=support))
    assert_close(view.likeliest, likeliest_student(S, support=support))
    assert view.cross_entropy == pytest.approx(-(S * G.log()).sum().item())


def test_the_printed_constant_is_right_on_no_support():
    masses = explore_simplex(G, S).masses
    assert [f"{mass:.4f}" for mass in masses.values()] == ["0.0041", "0.0055", "0.0195", "0.6495"]
    assert list(masses) == list(SUPPORTS)


def test_cross_entropy_is_least_at_the_teacher_and_the_density_elsewhere():
    view = explore_simplex(S, S, support="shifted orthant")
    least, density = view.cross_entropy, view.log_density
    view.student = view.likeliest.tolist()
    assert view.cross_entropy > least and view.log_density > density
    assert [f"{g:.3f}" for g in view.likeliest.tolist()] == ["0.476", "0.274", "0.250"]


def test_repr_and_summary():
    view = explore_simplex(G, S, support="shifted orthant")
    assert repr(view) == (
        "explore_simplex(student=[0.5, 0.3, 0.2], teacher=[0.9, 0.09, 0.01], "
        "support='shifted orthant')"
    )
    assert view.summary() == (
        "On the shifted orthant: C = 0.04029, log p(s) = -3.96, cross-entropy 0.7483; "
        "the density's best g for this s is (0.476, 0.274, 0.250)"
    )


def place(root, letter):
    """Return where a point's letter stands in the left triangle."""
    found = next(node for node in root.iter(f"{SVG}text") if node.text == letter)
    return [float(found.get(axis)) for axis in "xy"]


def test_the_still_shows_both_triangles_points_and_marks():
    view = explore_simplex(G, S, class_names=["<b>", "a&b", "long " * 9])
    still = view.still()
    root = ElementTree.fromstring(still)
    assert root.find(f"{SVG}desc").text == view.summary()
    assert root.find(f"{SVG}rect").get("fill") == "#ffffff"
    assert [still.count(f">{letter}</text>") for letter in "sg"] == [2, 2]
    assert "likeliest s" in still and "mean of s" in still and "best g" in still
    x, y = place(root, "g")
    # The first class is on top: half way up, and right of the middle by what the third has more.
    assert [x, y] == pytest.approx([260 * (0.2 + 0.25), 260 * math.sqrt(0.75) / 2 + 3.5], abs=0.11)
    view.support = "cube"
    assert "mean of s" not in view.still()
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"] == view.summary() and data["image/svg+xml"] == view.still()
    assert len(still) < 20_000


def test_the_still_is_deepest_at_the_mode_and_at_the_teacher():
    view = explore_simplex(G, torch.tensor([0.1, 0.8, 0.1]))
    groups = ElementTree.fromstring(view.still()).findall(f"{SVG}g")
    for group, corner in zip(groups, ("top", "left"), strict=True):
        shades = [(path.get("fill"), path.get("d")) for path in group.findall(f"{SVG}path")]
        deepest = min((ink for ink in shades if ink[1].endswith("z")), key=lambda ink: ink[0][1:3])
        x, y = map(float, re.match(r"M([\d.]+) ([\d.]+)", deepest[1]).groups())
        assert y < 60 if corner == "top" else (x < 60 and y > 180)


def test_the_module_imports_nothing_and_has_one_default_export():
    text = explore_simplex(G, S)._esm
    assert re.findall(r"^\s*import\b|\bimport\s*\(|\brequire\s*\(", text, re.M) == []
    assert text.count("export default { render };") == 1


def test_the_page_is_small_and_needs_no_network(tmp_path):
    view = explore_simplex(G, S)
    text = view.save_html(tmp_path / "view.html").read_text("utf-8")
    assert len(text) < 80_000 and view.still() in text
    assert re.findall(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", text) == []


def test_single_precision_and_gradients_are_taken():
    view = explore_simplex(G.float().requires_grad_(), torch.tensor([0.996, 0.002, 0.002]))
    assert view.student == pytest.approx(G.tolist(), abs=1e-7)
    assert sum(view.likeliest.tolist()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "student must be 3 shares, got None"),
        ([0.5, 0.5], "student must be 3 shares, got [0.5, 0.5]"),
        (["a", 0, 1], "student must be 3 shares, got ['a', 0, 1]"),
        ([0.5, 0.5, 0.0], "student must be >= 0.002 in each class, got [0.5, 0.5, 0.0]"),
        ([0.5, 0.5, math.nan], "student must be >= 0.002 in each class, got [0.5, 0.5, nan]"),
        ([0.5, 0.3, 0.3], "student must sum to 1, got 1.1"),
    ],
)
def test_wrong_shares_are_refused_and_the_old_ones_stay(value, message):
    view = explore_simplex(G, S)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        view.student = value
    assert view.student == G.tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"student": [0.5, 0.3, 0.2]}, "student must be a tensor, got list"),
        ({"student": torch.ones(3).long()}, "student must be floating point, got torch.int64"),
        ({"teacher": S[:2]}, "teacher must have shape [3], got [2]"),
        ({"teacher": S[None]}, "teacher must have shape [3], got [1, 3]"),
        ({"teacher": S / 2}, "teacher must sum to 1, got 0.5"),
        ({"support": "ball"}, "support must be one of 'simplex', 'cube', 'orthant', "),
        ({"class_names": ["a"]}, "class_names must hold 3 names, got 1"),
    ],
)
def test_wrong_arguments_say_which(unchecked_shapes, change, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        explore_simplex(**{"student": G, "teacher": S, **change})
