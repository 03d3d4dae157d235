"""explore_privileged_regression: the Python side, without a browser."""

import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from kdlab.privileged import fit_student, pseudo_responses
from kdlab.widgets import explore_privileged_regression

GENERATOR = torch.Generator().manual_seed(3)
TRUTH = torch.tensor([0.5, -1.0], dtype=torch.double)
X = torch.linspace(-2, 2, 8, dtype=torch.double)
LINE = TRUTH[0] + TRUTH[1] * X
Y = LINE + torch.randn(8, generator=GENERATOR, dtype=torch.double)
S = LINE + 0.2 * torch.randn(8, generator=GENERATOR, dtype=torch.double)
KNOWN = torch.arange(8) % 3 == 0
SVG = "{http://www.w3.org/2000/svg}"


def make(**more):
    given = {"inputs": X, "targets": Y, "teacher": S, "known": KNOWN, "truth": TRUTH}
    return explore_privileged_regression(**{**given, **more})


def test_lines_responses_and_weights_are_the_library_s_and_follow_the_traits():
    view = make()
    view.lambda_, view.sigma, view.teacher_sigma = 0.3, 0.8, 0.4
    view.points = torch.stack([X, Y.flip(0)], dim=1).tolist()
    view.known, view.teacher = (~KNOWN).tolist(), S.roll(1).tolist()
    noise = {"sigma": 0.8, "teacher_sigma": 0.4, "lambda_": 0.3}
    sides = (Y.flip(0), S.roll(1))
    design = torch.stack([torch.ones(8).double(), X], dim=1)
    responses, weights = pseudo_responses(*sides, ~KNOWN, **noise)
    assert_close(view.responses, responses)
    assert_close(view.weights, weights)
    assert_close(view.lines["with"], fit_student(design, *sides, ~KNOWN, **noise))
    assert_close(view.lines["without"], torch.linalg.lstsq(design, sides[0]).solution)
    assert view.errors["with"] == pytest.approx(((view.lines["with"] - TRUTH) ** 2).mean().item())


def test_the_slide_weighs_by_variances():
    view = make(sigma=0.8, teacher_sigma=0.4, lambda_=0.3)
    label = (1 - 0.3 * KNOWN.double()) * 0.8**2
    taught = 0.3 * KNOWN.double() * 0.4**2
    total = label + taught
    fitted = np.polyfit(X, (label * Y + taught * S) / total, 1, w=total.sqrt())
    assert view.lines["slide"].numpy() == pytest.approx(fitted[::-1], rel=1e-10)


def test_the_expected_errors_are_those_of_many_draws():
    view = make(known=torch.ones(8, dtype=torch.bool))
    expected, draws = view.expected_errors, 2000
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(draws, 2, 8, generator=generator, dtype=torch.double)
    means = dict.fromkeys(expected, 0.0)
    design = torch.stack([torch.ones(8).double(), X], dim=1)
    kinds = {"with": (1.0, 0.2, 0.5), "slide": (1.0, 5.0, 0.5), "without": (1.0, 0.2, 0.0)}
    for label, answer in noise:
        for name, (sigma, teacher_sigma, lambda_) in kinds.items():
            how = {"sigma": sigma, "teacher_sigma": teacher_sigma, "lambda_": lambda_}
            sides = (LINE + label, LINE + 0.2 * answer, torch.ones(8, dtype=torch.bool))
            error = fit_student(design, *sides, **how) - TRUTH
            means[name] += (error**2).mean().item() / draws
    assert means == pytest.approx(expected, rel=0.1)
    assert expected["with"] < expected["without"] < 1.2 * expected["slide"]


def test_half_known_and_a_sharp_teacher_the_slide_is_worse_than_no_teacher():
    errors = make().expected_errors
    assert errors["with"] < errors["without"] < errors["slide"]


def test_equal_inputs_have_no_expected_error():
    view = make(inputs=torch.full((8,), 2.0).double())
    assert all(map(math.isnan, view.expected_errors.values()))
    # The shortest of all lines through the mean.
    constant, slope = view.lines["without"].tolist()
    assert slope == pytest.approx(2 * constant)
    assert constant + 2 * slope == pytest.approx(Y.mean().item())


def test_repr_and_summary():
    view = make(known=torch.zeros(8, dtype=torch.bool))
    assert repr(view) == (
        f"explore_privileged_regression(known={[False] * 8}, lambda_=0.5, sigma=1.0, "
        "teacher_sigma=0.2, slide=False)"
    )
    error = f"{view.errors['without']:.4g}"
    assert view.summary() == (
        "0 of 8 answers known, lambda = 0.5, sigma = 1, sigma_s = 0.2: squared parameter error "
        f"{error} with the teacher, {error} without"
    )
    view.slide = True
    assert view.summary().endswith(f", {view.errors['slide']:.4g} with the slide's weights")


def test_the_still_shows_known_answers_and_the_lines():
    view = make()
    root = ElementTree.fromstring(view.still())
    assert root.find(f"{SVG}desc").text == view.summary()
    assert len(root.findall(f"{SVG}circle")) == 8
    boxes = [node for node in root.findall(f"{SVG}rect") if node.get("width") == "10"]
    assert len(boxes) == 3
    assert len(root.findall(f"{SVG}line")) == 3 and "slide" not in view.still()
    view.slide = True
    assert len(ElementTree.fromstring(view.still()).findall(f"{SVG}line")) == 4
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"] == view.summary() and data["image/svg+xml"] == view.still()


@pytest.mark.parametrize("truth", [[0.0, 90.0], [50.0, 0.0], [-99.0, 1.0], [0.0, 0.0]])
def test_lines_of_the_still_stay_in_the_frame(truth):
    still = make(truth=torch.tensor(truth)).still()
    for line in ElementTree.fromstring(still).findall(f"{SVG}line"):
        for name in ("y1", "y2"):
            assert 49.9 <= float(line.get(name)) <= 380.1
        for name in ("x1", "x2"):
            assert 39.9 <= float(line.get(name)) <= 620.1


def test_the_module_imports_nothing_and_has_one_default_export():
    text = make()._esm
    assert re.findall(r"^\s*import\b|\bimport\s*\(|\brequire\s*\(", text, re.M) == []
    assert text.count("export default { render };") == 1


def test_the_page_is_small_and_needs_no_network(tmp_path):
    view = make()
    text = view.save_html(tmp_path / "view.html").read_text("utf-8")
    assert len(text) < 70_000 and view.still() in text
    assert re.findall(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", text) == []


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("points", [[0.0, 0.0]], "points must be 8 points, got 1"),
        ("teacher", [0.0], "teacher must be 8 numbers, got 1"),
        ("teacher", None, "teacher must be numbers in [-100, 100], got None"),
        ("teacher", [101.0] * 8, "teacher must be numbers in [-100, 100], got [101.0, "),
        ("teacher", [math.nan] * 8, "teacher must be numbers in [-100, 100], got [nan, "),
        ("known", [True], "known must be 8 times True or False, got [True]"),
        ("known", [1] * 8, "known must be 8 times True or False, got [1, "),
        ("known", None, "known must be 8 times True or False, got None"),
        ("lambda_", 1.1, "lambda_ must be in [0, 1], got 1.1"),
        ("sigma", 0.01, "sigma must be in [0.05, 5], got 0.01"),
        ("teacher_sigma", 6, "teacher_sigma must be in [0.05, 5], got 6"),
    ],
)
def test_a_wrong_trait_is_refused_and_the_old_one_stays(name, value, message):
    view = make()
    before = getattr(view, name)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        setattr(view, name, value)
    assert getattr(view, name) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": X.tolist()}, "inputs must be a tensor, got list"),
        ({"targets": Y.long()}, "targets must be floating point, got torch.int64"),
        ({"targets": Y / 0}, "targets must be in [-100, 100], got "),
        ({"truth": torch.tensor([0.0, 101.0])}, "truth must be in [-100, 100], got 101.0"),
        (
            {"teacher": S.where(KNOWN, torch.nan)},
            "teacher must be in [-100, 100], got nan",
        ),
        ({"known": KNOWN[:3]}, "shapes must be equal, got inputs [8] and targets [8] and "),
        ({"known": KNOWN.long()}, "known must be bool, got torch.int64"),
        ({"truth": TRUTH[:1]}, "truth must have shape [2], got [1]"),
        ({"sigma": 0.0}, "sigma must be in [0.05, 5], got 0.0"),
        ({"lambda_": -0.1}, "lambda_ must be in [0, 1], got -0.1"),
    ],
)
def test_wrong_arguments_say_which(unchecked_shapes, change, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        make(**change)


@pytest.mark.parametrize("count", [1, 13])
def test_two_to_twelve_examples(unchecked_shapes, count):
    sides = {name: torch.zeros(count) for name in ("inputs", "targets", "teacher")}
    with pytest.raises(ValueError, match=r"^inputs must have shape \[2 to 12 examples\], got \["):
        make(**sides, known=torch.zeros(count, dtype=torch.bool))
