"""The regression theorem: against loops, Newton's step, scikit-learn, and the printed numbers."""

import math

import numpy as np
import pytest
import torch
from _lessons import NOISE, lesson
from _refusals import check_refused
from scipy import stats
from sklearn.linear_model import LinearRegression
from torch.testing import assert_close

from kdlab.privileged import fit_student, pseudo_responses, weighted_log_likelihood

LAMBDAS = [0.0, 0.3, 0.5, 1.0]


def by_loops(weights, inputs, targets, teacher, known, *, sigma, teacher_sigma, lambda_):
    """The statement, example by example."""
    total = 0.0
    for x, y, s, taught in zip(inputs.tolist(), targets, teacher, known, strict=True):
        fitted = sum(a * b for a, b in zip(weights.tolist(), x, strict=True))
        label = stats.norm.logpdf(y.item(), fitted, sigma)
        if taught:
            answer = stats.norm.logpdf(s.item(), fitted, teacher_sigma)
            total += (1 - lambda_) * label + lambda_ * answer
        else:
            total += label
    return total


@pytest.mark.parametrize("lambda_", LAMBDAS)
def test_the_likelihood_is_the_statement(lambda_):
    *data, truth = lesson()
    came = weighted_log_likelihood(truth, *data, **NOISE, lambda_=lambda_).item()
    assert came == pytest.approx(by_loops(truth, *data, **NOISE, lambda_=lambda_), rel=1e-12)


def test_the_slope_of_the_likelihood_is_that_of_differences():
    *data, truth = lesson()
    weights = (truth + 1).requires_grad_()
    weighted_log_likelihood(weights, *data, **NOISE, lambda_=0.4).backward()
    for k in range(3):
        step = torch.zeros(3, dtype=torch.double)
        step[k] = 1e-4
        up, down = (
            by_loops(weights.detach() + sign * step, *data, **NOISE, lambda_=0.4)
            for sign in (1, -1)
        )
        assert weights.grad[k].item() == pytest.approx((up - down) / 2e-4, rel=1e-7)


def newton(data, lambda_, **noise):
    """Climb from far away; each step is exact on a parabola, the second wipes off rounding."""

    def height(weights):
        return weighted_log_likelihood(weights, *data, **noise, lambda_=lambda_)

    weights = torch.full((data[0].shape[1],), 10.0, dtype=torch.double)
    for _ in range(3):
        slope = torch.autograd.functional.jacobian(height, weights)
        bend = torch.autograd.functional.hessian(height, weights)
        weights = weights - torch.linalg.solve(bend, slope)
    return weights


@pytest.mark.parametrize("lambda_", LAMBDAS)
@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
def test_the_closed_form_is_where_the_likelihood_is_highest(lambda_, share):
    *data, _ = lesson(40, 4, share)
    came = fit_student(*data, **NOISE, lambda_=lambda_)
    assert_close(came, newton(data, lambda_, **NOISE), rtol=1e-12, atol=1e-12)


def test_a_general_optimizer_ends_there_too():
    *data, _ = lesson(40, 4)
    weights = torch.zeros(4, dtype=torch.double, requires_grad=True)
    rest = {"max_iter": 200, "tolerance_grad": 1e-14, "tolerance_change": 0.0}
    optimizer = torch.optim.LBFGS([weights], line_search_fn="strong_wolfe", **rest)

    def misfit():
        optimizer.zero_grad()
        loss = -weighted_log_likelihood(weights, *data, **NOISE, lambda_=0.5)
        loss.backward()
        return loss

    optimizer.step(misfit)
    came = fit_student(*data, **NOISE, lambda_=0.5)
    assert_close(weights.detach(), came, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("lambda_", LAMBDAS)
def test_pseudo_responses_make_it_one_weighted_regression(lambda_):
    inputs, targets, teacher, known, _ = lesson(40, 4)
    noise = {**NOISE, "lambda_": lambda_}
    responses, weights = pseudo_responses(targets, teacher, known, **noise)
    for i, on in enumerate(known.tolist()):
        a = (1 - lambda_ if on else 1) / 0.49
        b = lambda_ / 0.09 if on else 0.0
        s = teacher[i].item() if on else 0.0
        assert weights[i].item() == pytest.approx(a + b, rel=1e-14)
        assert responses[i].item() == pytest.approx((a * targets[i].item() + b * s) / (a + b))
    line = LinearRegression(fit_intercept=False)
    line.fit(inputs.numpy(), responses.numpy(), sample_weight=weights.numpy())
    came = fit_student(inputs, targets, teacher, known, **noise)
    assert came.numpy() == pytest.approx(line.coef_, rel=1e-12, abs=1e-12)


def test_what_is_left_at_the_best_weights_is_rounding():
    """X^T (a (y - X w) + b (s - X w)) = 0; the printed residual is 7e-16."""
    inputs, targets, teacher, known, _ = lesson(50, 10)
    came = fit_student(inputs, targets, teacher, known, **NOISE, lambda_=0.5)
    on = known.double()
    a, b = (1 - 0.5 * on) / 0.49, 0.5 * on / 0.09
    fitted = inputs @ came
    pull = a * (targets - fitted) + b * (teacher.nan_to_num() - fitted)
    assert (inputs.T @ pull / (a + b).sum()).abs().max() < 1e-14


def test_the_two_objectives_differ_by_what_knows_lambda_but_not_the_weights(generator):
    inputs, targets, teacher, known, _ = lesson()
    gaps = []
    for lambda_ in (0.3, 0.6):
        noise = {**NOISE, "lambda_": lambda_}
        responses, total = pseudo_responses(targets, teacher, known, **noise)
        row = []
        for _ in range(5):
            weights = torch.randn(3, generator=generator, dtype=torch.double)
            squares = (total * (responses - inputs @ weights) ** 2).sum() / 2
            data = (inputs, targets, teacher, known)
            row.append((weighted_log_likelihood(weights, *data, **noise) + squares).item())
        assert row == pytest.approx([row[0]] * 5, rel=1e-12)
        gaps.append(row[0])
    assert abs(gaps[0] - gaps[1]) > 1


def test_without_a_teacher_it_is_least_squares():
    inputs, targets, teacher, known, _ = lesson(share=0.0)
    expected = np.linalg.lstsq(inputs.numpy(), targets.numpy(), rcond=None)[0]
    for lambda_ in LAMBDAS:
        came = fit_student(inputs, targets, teacher, known, **NOISE, lambda_=lambda_)
        assert came.numpy() == pytest.approx(expected, rel=1e-12)


def test_half_the_weight_on_every_example_is_the_likelihood_without_lambda():
    """Labels and answers independent given x: one regression on both, each by its precision."""
    inputs, targets, teacher, known, _ = lesson(share=1.0)
    both = torch.cat([inputs / 0.7, inputs / 0.3]).numpy()
    sides = torch.cat([targets / 0.7, teacher / 0.3]).numpy()
    expected = np.linalg.lstsq(both, sides, rcond=None)[0]
    came = fit_student(inputs, targets, teacher, known, **NOISE, lambda_=0.5)
    assert came.numpy() == pytest.approx(expected, rel=1e-12)


def test_of_several_best_weights_it_is_the_shortest():
    inputs, targets, teacher, known, _ = lesson()
    twins = torch.cat([inputs, inputs[:, :1]], dim=1)
    alone = fit_student(inputs, targets, teacher, known, **NOISE, lambda_=0.5)
    came = fit_student(twins, targets, teacher, known, **NOISE, lambda_=0.5)
    shared = torch.cat([alone[:1] / 2, alone[1:], alone[:1] / 2])
    assert_close(came, shared, rtol=1e-10, atol=1e-12)


def test_what_the_slides_weights_cost():
    """Printed: .0268 with the slide's weights, .0021 with the correct ones, .0252 without.

    The page names sigma, sigma_s and lambda. It leaves out the sizes; 50 examples of 10
    features, a teacher for six in ten, give its figures to within the error of the draws.
    """
    noise = {"sigma": 1.0, "teacher_sigma": 0.2}
    # 1 / sigma^2 for sigma^2: the slide's sigma is the square root of a weight.
    slide = {"sigma": 1.0, "teacher_sigma": 5.0}
    draws, errors = 2000, np.zeros(3)
    for seed in range(draws):
        *data, truth = lesson(50, 10, seed=seed, **noise)
        fits = (
            fit_student(*data, **slide, lambda_=0.5),
            fit_student(*data, **noise, lambda_=0.5),
            fit_student(*data[:3], torch.zeros(50, dtype=torch.bool), **noise, lambda_=0.5),
        )
        errors += [((weights - truth) ** 2).mean().item() / draws for weights in fits]
    assert errors == pytest.approx([0.0268, 0.0021, 0.0252], rel=0.05)
    # Without a teacher: sigma^2 / (m - n - 1) for normal inputs.
    assert errors[2] == pytest.approx(1 / 39, rel=0.05)
    assert errors[0] > errors[2]


def test_single_precision_is_widened():
    *data, truth = lesson()
    narrow = [x.float() if x.is_floating_point() else x for x in data]
    came = fit_student(*narrow, **NOISE, lambda_=0.5)
    wide = [x.double() if x.is_floating_point() else x for x in narrow]
    assert torch.equal(came, fit_student(*wide, **NOISE, lambda_=0.5))
    value = weighted_log_likelihood(truth.float(), *narrow, **NOISE, lambda_=0.5)
    assert value.dtype == torch.double


def test_an_unknown_answer_leaves_no_trace_in_the_slope():
    *data, truth = lesson()
    assert data[2].isnan().any()
    weights = truth.requires_grad_()
    weighted_log_likelihood(weights, *data, **NOISE, lambda_=0.5).backward()
    assert weights.grad.isfinite().all()


X, Y, S, K, W = lesson()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sigma": 0.0}, "sigma must be > 0, got 0.0"),
        ({"teacher_sigma": math.inf}, "teacher_sigma must be finite, got inf"),
        ({"lambda_": 1.1}, "lambda_ must be in [0, 1], got 1.1"),
        ({"known": K.int()}, "known must be bool, got torch.int32"),
        (
            {"teacher": S[:5]},
            "shapes must be equal, got targets [12] and teacher [5] and known [12]",
        ),
        (
            {"targets": Y[:, None], "teacher": S[:, None], "known": K[:, None]},
            "targets must have shape [examples], got [12, 1]",
        ),
        ({"targets": Y.long()}, "targets must be floating point, got torch.int64"),
        ({"inputs": X[:5]}, "lengths must be equal, got inputs 5 and targets 12"),
        (
            {"inputs": X[:, 0]},
            "inputs must be [examples, features], not empty, got shape [12]",
        ),
        (
            {"inputs": X[:, :0]},
            "inputs must be [examples, features], not empty, got shape [12, 0]",
        ),
        ({"inputs": X.long()}, "inputs must be floating point, got torch.int64"),
    ],
)
def test_bad_input_is_refused(unchecked_shapes, changed, message):
    given = {"inputs": X, "targets": Y, "teacher": S, "known": K, **NOISE, "lambda_": 0.5}
    check_refused(lambda: fit_student(**{**given, **changed}), message)
    check_refused(lambda: weighted_log_likelihood(W, **{**given, **changed}), message)


@pytest.mark.parametrize("weights", [W[:2], W[:, None]])
def test_weights_of_another_shape_are_refused(unchecked_shapes, weights):
    message = f"weights must have shape [3], got {list(weights.shape)}"
    call = weighted_log_likelihood
    check_refused(lambda: call(weights, X, Y, S, K, **NOISE, lambda_=0.5), message)
