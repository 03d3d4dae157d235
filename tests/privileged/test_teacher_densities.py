"""p(s) = C prod g_k^s_k: against loops, 80 digits, scipy's integrals, and the printed numbers."""

import itertools
import math

import numpy as np
import pytest
import torch
from _exact import simplex_integral
from _refusals import check_refused
from scipy import integrate as quadrature
from scipy import optimize, stats
from torch.testing import assert_close

from kdlab.privileged import (
    SUPPORTS,
    likeliest_student,
    log_constant,
    log_density,
    mean_answer,
    mode_answer,
    published_log_constant,
    sample_answers,
)

G = [0.5, 0.3, 0.2]
TAUGHT = [0.9, 0.09, 0.01]


def doubles(values):
    return torch.tensor(values, dtype=torch.double)


def constant(g, support):
    return log_constant(doubles(g), support=support).exp().item()


def power(g, s):
    return math.prod(base**exponent for base, exponent in zip(g, s, strict=True))


def by_scipy(function, g, support):
    """Integrate function(s) prod g^s over a support of two or three classes."""
    low, high = SUPPORTS[support]
    if support != "simplex":
        # Far out there is nothing left: scipy's own infinite axes are slow.
        ends = [(low, min(high, low - 40 / math.log(base))) for base in g]
        return quadrature.nquad(lambda *s: function(s) * power(g, s), ends)[0]

    def last(*s):
        point = (*s, 1 - sum(s))
        return function(point) * power(g, point)

    ends = [lambda *outer: (0, 1 - sum(outer))] * (len(g) - 1)
    return quadrature.nquad(last, ends)[0]


# --- the constants


@pytest.mark.parametrize(
    ("support", "printed", "integral", "share"),
    [
        ("simplex", "6.3239", "0.15813", "0.0041"),
        ("cube", "4.7969", "0.20847", "0.0055"),
        ("orthant", "1.3431", "0.74453", "0.0195"),
        ("shifted orthant", "0.040294", "24.818", "0.6495"),
    ],
)
def test_the_printed_numbers(support, printed, integral, share):
    ours = constant(G, support)
    published = published_log_constant(doubles(G)).exp().item()
    assert (f"{ours:.5g}", f"{1 / ours:.5g}") == (printed, integral)
    assert f"{published / ours:.4f}" == share


@pytest.mark.parametrize("support", SUPPORTS)
@pytest.mark.parametrize("g", [[0.7, 0.2], [0.5, 0.3], [0.9, 0.05]])
def test_it_integrates_to_one_over_two_classes(g, support):
    assert constant(g, support) * by_scipy(lambda s: 1, g, support) == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("g", [G, [0.4, 0.4, 0.2], [1 / 3] * 3, [0.96, 0.03, 0.01]])
def test_it_integrates_to_one_over_the_simplex(g):
    assert constant(g, "simplex") * by_scipy(lambda s: 1, g, "simplex") == pytest.approx(1)


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_the_formulas_by_loops(classes, generator):
    g = (0.05 + 0.9 * torch.rand(classes, generator=generator, dtype=torch.double)).tolist()
    logs = [math.log(1 / base) for base in g]
    cube = math.prod(a / (1 - base) for a, base in zip(logs, g, strict=True))
    assert constant(g, "cube") == pytest.approx(cube, rel=1e-12)
    assert constant(g, "orthant") == pytest.approx(math.prod(logs), rel=1e-12)
    shifted = math.prod(base * a for a, base in zip(logs, g, strict=True))
    assert constant(g, "shifted orthant") == pytest.approx(shifted, rel=1e-12)
    assert 1 / constant(g, "simplex") == pytest.approx(simplex_integral(g), rel=1e-12)


@pytest.mark.parametrize(
    "g",
    [
        [1 / 3] * 3,
        [0.1] * 10,
        [0.4, 0.4, 0.2],
        [0.4, 0.2, 0.4, 0.2],
        [1 / 3, 1 / 3 + 1e-13, 1 / 3 - 1e-13],
        [0.3 + 1e-9, 0.3, 0.4],
        [0.5, 0.5 - 1e-5, 1e-8],
        [0.9, 0.1 - 1e-12, 1e-12],
        [1 - 1e-12, 1e-12, 1e-300],
        [0.5, 1e-100, 1e-100],
        [*([0.04] * 20), 0.2],
    ],
)
def test_equal_near_and_far_g_keep_their_digits(g):
    assert 1 / constant(g, "simplex") == pytest.approx(simplex_integral(g), rel=1e-12)


@pytest.mark.parametrize("classes", [2, 3, 10, 100])
def test_equal_g_are_uniform(classes):
    g = doubles([1 / classes] * classes)
    # Where g^s is constant, C is 1 over it and the volume, 1 / (K - 1)!.
    expected = math.lgamma(classes) + math.log(classes)
    assert log_constant(g, support="simplex").item() == pytest.approx(expected, rel=1e-13)
    assert_close(mean_answer(g, support="simplex"), g, rtol=1e-12, atol=0)


def test_a_certain_student_is_a_limit_on_simplex_and_cube():
    sure, nearly = [1.0, 0.5], [1 - 1e-15, 0.5]
    for support in ("simplex", "cube"):
        assert constant(sure, support) == pytest.approx(constant(nearly, support), rel=1e-12)
        ends = [mean_answer(doubles(g), support=support) for g in (sure, nearly)]
        assert_close(*ends, rtol=1e-12, atol=0)
    assert constant([1.0], "cube") == 1


def test_a_student_that_denies_a_class_for_good_is_finite():
    g = doubles([1 - 1e-16, 1e-300, 5e-324])
    assert g[0] < 1
    for support in SUPPORTS:
        assert log_constant(g, support=support).isfinite()
        assert mean_answer(g, support=support).isfinite().all()


def test_the_published_constant_is_right_for_two_classes_on_the_shifted_orthant():
    for g in ([0.3], [0.7, 0.3], [0.5, 0.5]):
        ours = log_constant(doubles(g), support="shifted orthant")
        assert_close(published_log_constant(doubles(g)), ours)
    for classes in (3, 4, 5):
        g = doubles([1 / classes] * classes)
        off = published_log_constant(g) - log_constant(g, support="shifted orthant")
        factor = classes ** (classes / 2) / 2 ** (classes * (classes - 1) / 2)
        assert off.exp().item() == pytest.approx(factor)


@pytest.mark.parametrize("support", SUPPORTS)
@pytest.mark.parametrize("g", [G, [0.4, 0.4, 0.2], [1 / 3] * 3])
def test_its_slope_is_that_of_differences_and_minus_the_mean(support, g):
    """d log C / d log g_k = -E[s_k]."""
    probabilities = doubles(g).requires_grad_()
    log_constant(probabilities, support=support).backward()
    for k in range(3):
        ends = []
        for step in (1e-6, -1e-6):
            moved = doubles(g)
            moved[k] += step
            ends.append(log_constant(moved, support=support).item())
        assert probabilities.grad[k].item() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-7)
    mean = mean_answer(doubles(g), support=support)
    assert_close(-probabilities.grad * doubles(g), mean, rtol=1e-11, atol=1e-12)


def test_rows_of_a_batch_are_one_by_one(generator):
    g = torch.rand(2, 4, 3, generator=generator).softmax(-1)
    for support in SUPPORTS:
        for function in (log_constant, mean_answer, mode_answer):
            got = function(g, support=support)
            rows = [function(row, support=support) for row in g.flatten(0, 1)]
            assert got.dtype == torch.double
            assert_close(got, torch.stack(rows).reshape(got.shape), rtol=1e-13, atol=1e-15)


# --- mean and mode


@pytest.mark.parametrize("support", SUPPORTS)
def test_the_mean_is_that_of_scipy(support):
    g = G if support == "simplex" else [0.7, 0.2]
    for k, mean in enumerate(mean_answer(doubles(g), support=support).tolist()):
        first = by_scipy(lambda s, k=k: s[k], g, support)
        whole = by_scipy(lambda s: 1, g, support)
        assert mean == pytest.approx(first / whole, rel=1e-8)


def test_the_mean_on_the_cube_is_scipy_s_truncated_exponential():
    g = [0.9, 0.5, 1e-3]
    expected = [stats.truncexpon(-math.log(x), scale=-1 / math.log(x)).mean() for x in g]
    assert_close(mean_answer(doubles(g), support="cube"), doubles(expected), rtol=1e-9, atol=0)
    nearly = mean_answer(doubles([1 - 1e-9]), support="cube").item()
    assert nearly == pytest.approx(0.5 - 1e-9 / 12, abs=1e-15)


@pytest.mark.parametrize("support", SUPPORTS)
@pytest.mark.parametrize("g", [G, [0.2, 0.4, 0.4], [1 / 3] * 3])
def test_no_point_is_higher_than_the_mode(support, g):
    g = doubles(g)
    mode = mode_answer(g, support=support)
    highest = log_density(mode, g, support=support)
    points = sample_answers(g, support=support, count=500)
    assert (log_density(points, g, support=support) <= highest + 1e-12).all()


def test_the_mode_is_a_corner_or_the_centre_of_a_face():
    assert mode_answer(doubles(G), support="simplex").tolist() == [1, 0, 0]
    assert mode_answer(doubles([0.2, 0.4, 0.4]), support="simplex").tolist() == [0, 0.5, 0.5]
    assert mode_answer(doubles(G), support="cube").tolist() == [0, 0, 0]
    assert mode_answer(doubles(G), support="orthant").tolist() == [0, 0, 0]
    assert mode_answer(doubles(G), support="shifted orthant").tolist() == [-1, -1, -1]


# --- the density at a point


def test_the_density_is_scipy_s_where_its_axes_are_independent():
    g, s = [0.6, 0.3], [0.25, 0.8]
    rates = [-math.log(x) for x in g]
    cube = sum(stats.truncexpon.logpdf(x, a, scale=1 / a) for x, a in zip(s, rates, strict=True))
    first = sum(stats.expon.logpdf(x, scale=1 / a) for x, a in zip(s, rates, strict=True))
    moved = sum(stats.expon.logpdf(x, -1, 1 / a) for x, a in zip(s, rates, strict=True))
    for support, want in [("cube", cube), ("orthant", first), ("shifted orthant", moved)]:
        got = log_density(doubles(s), doubles(g), support=support).item()
        assert got == pytest.approx(want, rel=1e-10)


def test_uniform_g_on_the_simplex_is_dirichlet_s_uniform():
    got = log_density(doubles([0.2, 0.3, 0.5]), doubles([1 / 3] * 3), support="simplex")
    assert got.item() == pytest.approx(stats.dirichlet.logpdf([0.2, 0.3, 0.5], [1, 1, 1]))


def test_off_the_support_there_is_nothing():
    points = doubles([[0.2, 0.3, 0.5], [0.2, 0.3, 0.6], [0.2, 0.3, 1.5], [-0.5, 0.5, 1.0]])
    low = torch.cat([points, doubles([[-1.5, 0.0, 0.0]])])
    inside = {
        "simplex": [True, False, False, False, False],
        "cube": [True, True, False, False, False],
        "orthant": [True, True, True, False, False],
        "shifted orthant": [True, True, True, True, False],
    }
    for support, expected in inside.items():
        got = log_density(low, doubles(G), support=support)
        assert got.isfinite().tolist() == expected
        assert (got[~got.isfinite()] == -math.inf).all()


def test_single_precision_is_on_the_simplex(generator):
    s = torch.randn(200, 10, generator=generator).softmax(-1)
    assert log_density(s, s, support="simplex").isfinite().all()


def test_points_and_students_broadcast_and_the_slope_is_s_less_the_mean():
    g = doubles([G, [0.2, 0.2, 0.6]]).requires_grad_()
    points = doubles([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [1.0, 0.0, 0.0]])
    values = log_density(points[:, None], g, support="simplex")
    assert values.shape == (3, 2)
    values.sum().backward()
    expected = points.sum(0) - 3 * mean_answer(g.detach(), support="simplex")
    assert_close(g.grad * g.detach(), expected)


# --- samples


def beyond(t, k, g):
    """P(s_k > t) on the simplex: the rest is the simplex again, smaller by 1 - t."""
    shrunk = [base ** (1 - t) for base in g]
    part = g[k] ** t * (1 - t) ** (len(g) - 1) * simplex_integral(shrunk)
    return part / simplex_integral(g)


@pytest.mark.parametrize("g", [G, [0.4, 0.4, 0.2], [0.9, 0.1 - 1e-9, 1e-9], [0.1, 0.2, 0.3, 0.4]])
def test_samples_on_the_simplex_follow_the_density(g):
    points = sample_answers(doubles(g), support="simplex", count=2000, seed=1).numpy()
    assert np.abs(points.sum(1) - 1).max() < 1e-12 and points.min() >= 0
    for k in range(len(g)):
        law = np.vectorize(lambda t, k=k: 1 - beyond(t, k, g))
        assert stats.kstest(points[::10, k], law).pvalue > 0.01
    mean = mean_answer(doubles(g), support="simplex").numpy()
    assert (np.abs(points.mean(0) - mean) < 4 * points.std(0) / 2000**0.5).all()


def test_samples_on_the_simplex_vary_together_as_they_should():
    points = sample_answers(doubles(G), support="simplex", count=20_000).numpy()
    for j, k in itertools.combinations(range(3), 2):
        expected = by_scipy(lambda s, j=j, k=k: s[j] * s[k], G, "simplex") * constant(G, "simplex")
        products = points[:, j] * points[:, k]
        assert abs(products.mean() - expected) < 4 * products.std() / 20_000**0.5


def test_samples_of_a_very_sharp_student_keep_their_scale():
    """Between the corner and 1/log(g_1/g_2) nothing else counts."""
    g = doubles([1 - 1e-12, 1e-100, 1e-300])
    points = sample_answers(g, support="simplex", count=4000)
    mean = mean_answer(g, support="simplex")
    assert_close(mean[1].item(), 1 / math.log(1e100), rtol=1e-2, atol=0)
    assert_close(points.mean(0), mean, rtol=0.1, atol=0)


@pytest.mark.parametrize("support", ["cube", "orthant", "shifted orthant"])
def test_samples_on_the_axes_follow_the_density(support):
    g = [0.95, 0.4, 1e-6]
    points = sample_answers(doubles(g), support=support, count=2000, seed=3).numpy()
    for k, base in enumerate(g):
        rate = -math.log(base)
        law = stats.expon(SUPPORTS[support][0], 1 / rate)
        if support == "cube":
            law = stats.truncexpon(rate, scale=1 / rate)
        assert stats.kstest(points[:, k], law.cdf).pvalue > 0.01


def test_samples_of_a_certain_student_on_the_cube_are_uniform():
    points = sample_answers(doubles([1.0]), support="cube", count=2000).numpy()
    assert stats.kstest(points[:, 0], "uniform").pvalue > 0.01


def test_a_seed_gives_the_same_samples():
    for support in SUPPORTS:
        first, again, other = (
            sample_answers(torch.tensor(G), support=support, count=5, seed=seed)
            for seed in (1, 1, 2)
        )
        assert torch.equal(first, again) and not torch.equal(first, other)
        assert first.shape == (5, 3) and first.dtype == torch.double


# --- the student that a density asks for


def best_by_scipy(function):
    """Minimize over the simplex of three classes, by two free logits."""

    def of_logits(logits):
        return function(np.exp([*logits, 0]) / np.exp([*logits, 0]).sum())

    found = optimize.minimize(of_logits, [0.1, 0.1], method="Nelder-Mead", tol=1e-10)
    return np.exp([*found.x, 0]) / np.exp([*found.x, 0]).sum()


def paired(g):
    return zip(TAUGHT, g, strict=True)


def test_the_log_log_term_pulls_toward_uniform():
    ours = likeliest_student(doubles(TAUGHT), support="shifted orthant")
    assert [f"{g:.3f}" for g in ours.tolist()] == ["0.476", "0.274", "0.250"]

    def printed(g):
        terms = ((s + 1) * math.log(x) + math.log(-math.log(x)) for s, x in paired(g))
        return -sum(terms)

    assert best_by_scipy(printed) == pytest.approx(ours.numpy(), abs=1e-6)


def test_cross_entropy_recovers_the_teacher():
    best = best_by_scipy(lambda g: -sum(s * math.log(x) for s, x in paired(g)))
    assert best == pytest.approx(TAUGHT, abs=1e-6)


@pytest.mark.parametrize(
    "taught", [TAUGHT, [0.6, 0.3, 0.1], [0.4, 0.35, 0.25], [0.996, 0.002, 0.002], [0.9, 0.1]]
)
def test_even_the_right_likelihood_over_sharpens(taught):
    ours = likeliest_student(doubles(taught), support="simplex")
    assert ours.max() > max(taught) and ours.min() < min(taught)
    # At the best g the density's mean is the answer itself.
    mean = mean_answer(ours, support="simplex")
    assert_close(mean, doubles(taught), rtol=1e-6, atol=0)


@pytest.mark.parametrize("support", SUPPORTS)
def test_no_other_student_is_likelier(support, generator):
    s = doubles([0.5, 0.3, 0.2])
    ours = likeliest_student(s, support=support)
    best = log_density(s, ours, support=support)
    others = torch.randn(500, 3, generator=generator, dtype=torch.double).softmax(-1)
    near = (ours.log() + 0.01 * torch.randn(500, 3, generator=generator)).softmax(-1)
    for g in (others, near):
        assert (log_density(s, g, support=support) <= best + 1e-12).all()


def test_on_the_orthant_equal_shares_may_have_unequal_g():
    """From g = s a search stays where both are equal, and that is a saddle."""
    s = doubles([0.996, 0.002, 0.002])
    # Their own axes would have each g at exp(-1 / s); one class takes what is left of 1.
    log_g = doubles([-1 / 0.996, 0.0, -500.0])
    log_g[1] = torch.log1p(-log_g[0].exp())
    denied = (log_g - log_g.logsumexp(0)).exp()
    best = likeliest_student(s, support="orthant")
    reached = log_density(s, best, support="orthant")
    assert reached > log_density(s, denied, support="orthant") > 3
    assert best.min() < 1e-200


# --- bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: log_constant(doubles(G), support="ball"),
            "support must be one of 'simplex', 'cube', 'orthant', 'shifted orthant', got 'ball'",
        ),
        (
            lambda: log_constant(doubles([0.5, 0.0]), support="simplex"),
            "probabilities must be in (0, 1], got 0 to 0.5",
        ),
        (
            lambda: log_constant(doubles([0.5, 1.5]), support="cube"),
            "probabilities must be in (0, 1], got 0.5 to 1.5",
        ),
        (
            lambda: log_constant(doubles([0.5, 1.0]), support="orthant"),
            "probabilities must be in (0, 1), got 0.5 to 1",
        ),
        (
            lambda: mean_answer(doubles([0.5, math.nan]), support="simplex"),
            "probabilities must be in (0, 1], got nan to nan",
        ),
        (
            lambda: published_log_constant(doubles([1.0])),
            "probabilities must be in (0, 1), got 1 to 1",
        ),
        (
            lambda: mode_answer(torch.ones(2, 0), support="cube"),
            "probabilities must not be empty, got shape [2, 0]",
        ),
        (
            lambda: log_constant(torch.tensor([1, 1]), support="cube"),
            "probabilities must be floating point, got torch.int64",
        ),
        (
            lambda: log_density(doubles([0.5]), doubles(G), support="cube"),
            "points must have 3 classes, got 1",
        ),
        (
            lambda: sample_answers(doubles([G]), support="cube", count=2),
            "probabilities must have shape [classes], got [1, 3]",
        ),
        (
            lambda: sample_answers(doubles(G), support="cube", count=0),
            "count must be a whole number >= 1, got 0",
        ),
        (
            lambda: sample_answers(doubles(G), support="cube", count=1, seed=-1),
            "seed must be a whole number >= 0, got -1",
        ),
        (
            lambda: likeliest_student(doubles([0.5, 0.4]), support="cube"),
            "teacher must sum to 1, got 0.9",
        ),
        (
            lambda: likeliest_student(doubles([1.0, 0.0]), support="simplex"),
            "teacher must be in (0, 1], got 0 to 1",
        ),
        (
            lambda: likeliest_student(doubles([0.999, 0.0005, 0.0005]), support="simplex"),
            "teacher must be >= 0.002 in each class, got 0.0005",
        ),
    ],
)
def test_bad_input_is_refused(unchecked_shapes, call, message):
    check_refused(call, message)
