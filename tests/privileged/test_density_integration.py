"""`integrate`: against volumes, moments and scipy, and what it says when it can't."""

import math

import pytest
import torch
from _refusals import check_refused
from scipy import integrate as quadrature

from kdlab.privileged import SUPPORTS, integrate, log_constant


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_moments_of_the_simplex(classes):
    """Dirichlet: the integral of prod s_k^m_k is prod m_k! / (sum m_k + K - 1)!."""
    powers = torch.arange(classes)
    got = integrate(lambda s: (s**powers).prod(-1), support="simplex", classes=classes, points=8)
    top = math.prod(math.factorial(m) for m in range(classes))
    below = math.factorial(sum(range(classes)) + classes - 1)
    assert got == pytest.approx(top / below, rel=1e-12)


def test_its_points_lie_on_the_support_and_are_as_many_as_asked_for():
    seen = {}
    for support in SUPPORTS:

        def look(s, support=support):
            seen[support] = s
            return s[:, 0]

        integrate(look, support=support, classes=3, points=5)
    assert {support: tuple(s.shape) for support, s in seen.items()} == {
        "simplex": (25, 3),
        "cube": (125, 3),
        "orthant": (125, 3),
        "shifted orthant": (125, 3),
    }
    for support, (lowest, highest) in SUPPORTS.items():
        assert (seen[support] > lowest).all() and (seen[support] < highest).all()
    assert (seen["simplex"].sum(-1) - 1).abs().max() < 1e-15
    assert seen["shifted orthant"].min() < -0.9 and seen["orthant"].max() > 10


@pytest.mark.parametrize("support", ["cube", "orthant", "shifted orthant"])
def test_a_function_of_one_class_is_scipy_s(support):
    low, high = SUPPORTS[support]
    expected = quadrature.quad(lambda s: (s + 2) ** 2 * math.exp(-s), low, high)[0]
    got = integrate(lambda s: ((s + 2) ** 2 * (-s).exp())[:, 0], support=support, classes=1)
    assert got == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("support", SUPPORTS)
def test_it_agrees_with_the_constants_to_eight_digits(support):
    g = torch.tensor([0.5, 0.3, 0.2], dtype=torch.double)
    whole = integrate(lambda s: (g**s).prod(-1), support=support, classes=3)
    assert whole == pytest.approx(1 / log_constant(g, support=support).exp().item(), rel=1e-8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"support": "ball", "classes": 3},
            "support must be one of 'simplex', 'cube', 'orthant', 'shifted orthant', got 'ball'",
        ),
        ({"support": "simplex", "classes": 1}, "classes must be a whole number >= 2, got 1"),
        ({"support": "cube", "classes": 0}, "classes must be a whole number >= 1, got 0"),
        (
            {"support": "cube", "classes": 3, "points": 0},
            "points must be a whole number >= 1, got 0",
        ),
        (
            {"support": "cube", "classes": 10},
            "points ** 10 must be <= 10000000, got points = 40",
        ),
    ],
)
def test_bad_input_is_refused(arguments, message):
    check_refused(lambda: integrate(lambda s: s[:, 0], **arguments), message)
