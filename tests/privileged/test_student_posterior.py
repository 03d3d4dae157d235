"""Posterior and evidence: against scikit-learn, scipy, curvature, integrals, and frequencies."""

import math

import numpy as np
import pytest
import torch
from _lessons import NOISE, lesson
from _refusals import check_refused
from scipy import integrate as quadrature
from scipy import optimize, stats
from sklearn.linear_model import Ridge
from torch.testing import assert_close

from kdlab.privileged import (
    choose_lambda,
    fit_student,
    log_evidence,
    pseudo_responses,
    student_posterior,
    weighted_log_likelihood,
)

REST = {**NOISE, "prior_sigma": 1.5}


@pytest.mark.parametrize("lambda_", [0.0, 0.4, 1.0])
def test_its_mean_is_ridge_regression_on_the_pseudo_responses(lambda_):
    inputs, targets, teacher, known, _ = lesson()
    responses, weights = pseudo_responses(targets, teacher, known, **NOISE, lambda_=lambda_)
    ridge = Ridge(alpha=1.5**-2, fit_intercept=False)
    ridge.fit(inputs.numpy(), responses.numpy(), sample_weight=weights.numpy())
    came = student_posterior(inputs, targets, teacher, known, **REST, lambda_=lambda_)
    assert came.mean.numpy() == pytest.approx(ridge.coef_, rel=1e-11)


@pytest.mark.parametrize("lambda_", [0.0, 0.4, 1.0])
def test_its_covariance_is_the_inverse_curvature_and_its_mean_the_top(lambda_):
    *data, _ = lesson()

    def height(weights):
        before = -(weights**2).sum() / 2 / 1.5**2
        return weighted_log_likelihood(weights, *data, **NOISE, lambda_=lambda_) + before

    came = student_posterior(*data, **REST, lambda_=lambda_)
    bend = torch.autograd.functional.hessian(height, came.mean)
    assert_close(came.covariance, torch.linalg.inv(-bend), rtol=1e-11, atol=1e-13)
    slope = torch.autograd.functional.jacobian(height, came.mean)
    assert slope.abs().max() < 1e-11


def test_a_wide_prior_leaves_the_best_weights_and_a_narrow_one_leaves_nothing():
    *data, _ = lesson()
    wide = student_posterior(*data, **NOISE, lambda_=0.5, prior_sigma=1e6)
    assert_close(wide.mean, fit_student(*data, **NOISE, lambda_=0.5), rtol=1e-9, atol=0)
    narrow = student_posterior(*data, **NOISE, lambda_=0.5, prior_sigma=1e-6)
    assert narrow.mean.abs().max() < 1e-9
    assert_close(narrow.covariance, 1e-12 * torch.eye(3).double(), rtol=1e-6, atol=1e-20)


def test_fewer_examples_than_features_are_no_obstacle():
    *data, _ = lesson(2, 5)
    came = student_posterior(*data, **REST, lambda_=0.5)
    assert torch.linalg.eigvalsh(came.covariance).max().item() == pytest.approx(1.5**2)


def test_predictions_by_loops():
    *data, _ = lesson()
    came = student_posterior(*data, **REST, lambda_=0.5)
    means, deviations = came.predict(data[0])
    for x, mean, deviation in zip(data[0], means, deviations, strict=True):
        assert mean.item() == pytest.approx(sum((x * came.mean).tolist()))
        variance = sum(
            (x[i] * came.covariance[i, j] * x[j]).item() for i in range(3) for j in range(3)
        )
        assert deviation.item() == pytest.approx(math.sqrt(variance))


def drawn_by_the_statement(seed, lambda_, examples=15, features=3):
    """Draw weights from the prior, and labels and answers of variances 1/a and 1/b."""
    rng = np.random.default_rng(seed)
    known = rng.random(examples) < 0.6
    inputs, weights = rng.normal(size=(examples, features)), 1.5 * rng.normal(size=features)
    label = NOISE["sigma"] / np.sqrt(np.where(known, 1 - lambda_, 1))
    taught = NOISE["teacher_sigma"] / math.sqrt(lambda_)
    targets = inputs @ weights + label * rng.normal(size=examples)
    teacher = inputs @ weights + taught * rng.normal(size=examples)
    return [torch.from_numpy(x) for x in (inputs, targets, teacher, known, weights)]


def test_the_truth_lies_where_the_posterior_says_it_does():
    """Over many draws (w - mean)^T P (w - mean) is chi-squared."""
    distances = []
    for seed in range(400):
        *data, truth = drawn_by_the_statement(seed, 0.3)
        came = student_posterior(*data, **REST, lambda_=0.3)
        off = truth - came.mean
        distances.append((off @ torch.linalg.solve(came.covariance, off)).item())
    assert stats.kstest(distances, stats.chi2(3).cdf).pvalue > 0.01


# --- the evidence


def joint_covariance(inputs, known, lambda_):
    """Labels, then known answers: what they share through w, and the noise of each."""
    rows = torch.cat([inputs, inputs[known]]).numpy()
    power = [1 - lambda_ if on else 1.0 for on in known.tolist()]
    noise = [0.49 / p for p in power] + [0.09 / lambda_] * int(known.sum())
    return 1.5**2 * rows @ rows.T + np.diag(noise)


@pytest.mark.parametrize("lambda_", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
def test_the_evidence_is_one_normal_density_of_all_that_was_seen(lambda_, share):
    inputs, targets, teacher, known, _ = lesson(share=share)
    came = log_evidence(inputs, targets, teacher, known, **REST, lambda_=lambda_)
    seen = torch.cat([targets, teacher[known]]).numpy()
    law = stats.multivariate_normal(np.zeros(len(seen)), joint_covariance(inputs, known, lambda_))
    assert came == pytest.approx(law.logpdf(seen), rel=1e-10)


def test_the_evidence_is_the_integral_over_one_weight():
    inputs, targets, teacher, known, _ = lesson(6, 1)

    def density(weight):
        total = stats.norm.logpdf(weight, 0, 1.5)
        for x, y, s, on in zip(inputs[:, 0], targets, teacher, known, strict=True):
            label = 0.7 / math.sqrt(0.6 if on else 1.0)
            total += stats.norm.logpdf(y.item(), weight * x.item(), label)
            if on:
                total += stats.norm.logpdf(s.item(), weight * x.item(), 0.3 / math.sqrt(0.4))
        return math.exp(total)

    expected = quadrature.quad(density, -5, 5, epsabs=0, epsrel=1e-10, points=[0], limit=200)[0]
    came = log_evidence(inputs, targets, teacher, known, **REST, lambda_=0.4)
    assert came == pytest.approx(math.log(expected), rel=1e-9)


GRID = [k / 100 for k in range(1, 100)]


@pytest.mark.parametrize("excess", [1.0, 2.0, 4.0, 0.1])
def test_a_teacher_worse_than_it_says_gets_a_smaller_lambda(excess):
    """With r = (true sigma_s / sigma_s)^2 and many examples: 1/lambda - 1/(1 - lambda) = r - 1."""
    ratio = excess**2
    [expected] = optimize.fsolve(lambda x: 1 / x - 1 / (1 - x) - ratio + 1, 0.5 / max(1, ratio))
    *data, _ = lesson(4000, 3, share=1.0, teacher_sigma=0.3 * excess)
    came = choose_lambda(*data, **REST, candidates=GRID)
    assert came == pytest.approx(expected, abs=0.02)
    if excess == 1:
        assert came == pytest.approx(0.5, abs=0.02)


def test_the_lambda_that_drew_the_data_is_found():
    *data, _ = drawn_by_the_statement(0, 0.2, examples=5000)
    assert choose_lambda(*data, **REST, candidates=GRID) == pytest.approx(0.2, abs=0.02)


def test_a_teacher_of_something_else_is_not_believed():
    inputs, targets, teacher, known, truth = lesson(200, 3)
    chosen, errors = [], []
    for other in (teacher, teacher + 3 * inputs[:, 0]):
        data = (inputs, targets, other, known)
        chosen.append(choose_lambda(*data, **REST, candidates=GRID))
        errors.append(
            [
                (fit_student(*data, **NOISE, lambda_=value) - truth).norm().item()
                for value in (chosen[-1], 0.5)
            ]
        )
    assert chosen[1] < 0.1 < 0.4 < chosen[0]
    assert errors[1][0] < errors[1][1]


def test_the_choice_has_the_largest_evidence_and_the_first_of_equals_wins():
    *data, _ = lesson()
    grid = [0.1, 0.3, 0.5, 0.7]
    heights = [log_evidence(*data, **REST, lambda_=value) for value in grid]
    assert choose_lambda(*data, **REST, candidates=grid) == grid[heights.index(max(heights))]
    *data, _ = lesson(share=0.0)
    assert choose_lambda(*data, **REST, candidates=[0.6, 0.2]) == 0.6


# --- bad input


def test_bad_input_is_refused(unchecked_shapes):
    inputs, targets, teacher, known, _ = lesson()
    data = (inputs, targets, teacher, known)
    for value in (0.0, 1.0, math.nan):
        message = f"lambda_ must be in (0, 1), got {value}"
        check_refused(lambda value=value: log_evidence(*data, **REST, lambda_=value), message)
    for prior_sigma, message in [(-1.0, "> 0, got -1.0"), (math.inf, "finite, got inf")]:
        rest = {**NOISE, "lambda_": 0.5, "prior_sigma": prior_sigma}
        check_refused(
            lambda rest=rest: student_posterior(*data, **rest), f"prior_sigma must be {message}"
        )
    check_refused(
        lambda: choose_lambda(*data, **REST, candidates=[]),
        "candidates must have length >= 1, got []",
    )
    check_refused(
        lambda: student_posterior(inputs[:5], *data[1:], **REST, lambda_=0.5),
        "lengths must be equal, got inputs 5 and targets 12",
    )
    came = student_posterior(*data, **REST, lambda_=0.5)
    check_refused(lambda: came.predict(inputs[:, :2]), "inputs must have 3 features, got 2")
