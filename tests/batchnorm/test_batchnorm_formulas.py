"""The closed form against loops over numbers, autograd and torch's own."""

import math

import pytest
import torch
import torch.nn.functional as F
from _refusals import check_refused
from _twins import SHAPES, draw
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from kdlab import batchnorm

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=9)


def scale_and_shift(features, dtype=torch.double):
    """Return gamma and beta."""
    return torch.linspace(-1, 2, features).to(dtype), torch.linspace(3, -4, features).to(dtype)


def by_hand(values, gamma, beta, eps):
    """Algorithm 1 on the numbers of one feature."""
    mean = math.fsum(values) / len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / len(values)
    return [gamma * (value - mean) / math.sqrt(variance + eps) + beta for value in values]


@given(values=VALUES, gamma=st.floats(-3, 3), beta=st.floats(-3, 3), eps=st.floats(1e-5, 1))
def test_forward_is_algorithm_1(values, gamma, beta, eps):
    inputs = torch.tensor(values, dtype=torch.double)[:, None]
    scale, shift = (torch.tensor([value], dtype=torch.double) for value in (gamma, beta))
    got = batchnorm.batch_norm_forward(inputs, scale, shift, eps=eps)
    expected = torch.tensor(by_hand(values, gamma, beta, eps), dtype=torch.double)
    assert_close(got[:, 0], expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_statistics_are_of_each_feature_over_all_else(shape):
    inputs = draw(shape)
    mean, variance = batchnorm.batch_statistics(inputs)
    for feature in range(shape[1]):
        values = inputs[:, feature].flatten().tolist()
        assert mean[feature].item() == pytest.approx(math.fsum(values) / len(values))
        by_definition = math.fsum((v - mean[feature].item()) ** 2 for v in values) / len(values)
        assert variance[feature].item() == pytest.approx(by_definition)


@pytest.mark.parametrize("eps", [1e-5, 0.5])
@pytest.mark.parametrize("shape", SHAPES)
def test_there_and_back_are_torchs(shape, eps):
    inputs, gamma, beta = draw(shape), *scale_and_shift(shape[1])
    upstream = draw(shape, seed=1)
    leaves = [value.clone().requires_grad_() for value in (inputs, gamma, beta)]
    theirs = F.batch_norm(leaves[0], None, None, *leaves[1:], training=True, eps=eps)
    assert_close(batchnorm.batch_norm_forward(inputs, gamma, beta, eps=eps), theirs)
    expected = torch.autograd.grad(theirs, leaves, upstream)
    for got, wanted in zip(
        batchnorm.batch_norm_backward(upstream, inputs, gamma, eps=eps), expected, strict=True
    ):
        assert_close(got, wanted)


@pytest.mark.parametrize("shape", SHAPES)
def test_statistics_at_hand_change_nothing(shape):
    inputs, gamma, beta = draw(shape), *scale_and_shift(shape[1])
    own = batchnorm.batch_statistics(inputs)
    got = batchnorm.batch_norm_forward(inputs, gamma, beta, statistics=own)
    assert torch.equal(got, batchnorm.batch_norm_forward(inputs, gamma, beta))
    back = batchnorm.batch_norm_backward(got, inputs, gamma, statistics=own)
    again = batchnorm.batch_norm_backward(got, inputs, gamma)
    assert all(torch.equal(a, b) for a, b in zip(back, again, strict=True))


@pytest.mark.parametrize("shape", SHAPES)
def test_running_statistics_are_torchs_evaluation(shape):
    inputs, gamma, beta = draw(shape), *scale_and_shift(shape[1])
    running = batchnorm.Statistics(*(torch.linspace(a, 4, shape[1]).double() for a in (-1, 0.5)))
    got = batchnorm.batch_norm_forward(inputs, gamma, beta, statistics=running, eps=0.1)
    assert_close(got, F.batch_norm(inputs, *running, gamma, beta, training=False, eps=0.1))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_is_blind_to_a_shift_and_to_a_scale(shape):
    inputs, upstream = draw(shape), draw(shape, seed=1)
    gamma, _ = scale_and_shift(shape[1])
    back = batchnorm.batch_norm_backward(upstream, inputs, gamma, eps=0.0).inputs
    normalized = batchnorm.standardize(inputs, batchnorm.batch_statistics(inputs), eps=0.0)
    over = [axis for axis in range(inputs.dim()) if axis != 1]
    nothing = torch.zeros(shape[1]).double()
    assert_close(back.sum(over), nothing, atol=1e-12, rtol=0)
    assert_close((back * normalized).sum(over), nothing, atol=1e-12, rtol=0)
    assert back.abs().max() > 0.1


def test_a_large_mean_costs_no_digits():
    inputs = draw((256, 3), dtype=torch.float32)
    gamma, beta = scale_and_shift(3, torch.float32)
    # 2^14 and values of 2^-9: what float32 holds of the sum is exact.
    far = (inputs * 512).round() / 512 + 2**14
    exact = [value.double() for value in (far, gamma, beta)]
    got = batchnorm.batch_norm_forward(far, gamma, beta)
    assert_close(got.double(), batchnorm.batch_norm_forward(*exact), atol=2e-3, rtol=0)
    upstream = draw((256, 3), seed=1, dtype=torch.float32)
    back = batchnorm.batch_norm_backward(upstream, far, gamma).inputs
    wanted = batchnorm.batch_norm_backward(upstream.double(), *exact[:2]).inputs
    assert_close(back.double(), wanted, atol=1e-3 * wanted.abs().max().item(), rtol=0)


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1, 1)])
def test_a_single_value_becomes_beta_and_has_no_gradient(shape):
    inputs, gamma, beta = draw(shape), *scale_and_shift(3)
    outputs = batchnorm.batch_norm_forward(inputs, gamma, beta)
    assert torch.equal(outputs.flatten(), beta)
    back = batchnorm.batch_norm_backward(inputs, inputs, gamma)
    assert not back.inputs.any() and not back.gamma.any()
    assert torch.equal(back.beta, inputs.flatten())


@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 4, 4), (2, 3, 0, 4)])
def test_an_empty_batch_says_nothing(shape):
    empty, gamma, beta = torch.zeros(shape), *scale_and_shift(3, torch.float32)
    assert batchnorm.batch_norm_forward(empty, gamma, beta).shape == shape
    back = batchnorm.batch_norm_backward(empty, empty, gamma)
    assert back.inputs.shape == shape
    assert torch.equal(back.gamma, torch.zeros(3)) and torch.equal(back.beta, torch.zeros(3))


@pytest.mark.usefixtures("unchecked_shapes")
def test_what_does_not_fit_is_refused():
    inputs, gamma, beta = draw((6, 3)), *scale_and_shift(3)
    forward, backward = batchnorm.batch_norm_forward, batchnorm.batch_norm_backward
    wanted = "[batch, features] or [batch, channels, height, width]"
    check_refused(
        lambda: forward(inputs[None], gamma, beta),
        f"inputs must have shape {wanted}, got [1, 6, 3]",
    )
    check_refused(
        lambda: forward(inputs.long(), gamma, beta),
        "inputs must be floating point, got torch.int64",
    )
    check_refused(lambda: forward([1.0], gamma, beta), "inputs must be a tensor, got list")
    check_refused(lambda: forward(inputs, gamma[:2], beta), "gamma must have shape [3], got [2]")
    check_refused(
        lambda: forward(inputs, gamma, beta[:, None]), "beta must have shape [3], got [3, 1]"
    )
    check_refused(lambda: forward(inputs, gamma, beta, eps=-1.0), "eps must be >= 0, got -1.0")
    check_refused(
        lambda: backward(inputs[:5], inputs, gamma),
        "shapes must be equal, got upstream [5, 3] and inputs [6, 3]",
    )
    running = batchnorm.Statistics(gamma, beta[:1])
    check_refused(
        lambda: forward(inputs, gamma, beta, statistics=running),
        "variance must have shape [3], got [1]",
    )
