"""The graph's nodes against the closed form, their gradients against autograd's."""

import pytest
import torch
from _refusals import check_refused
from _twins import SHAPES, draw
from torch.testing import assert_close

from kdlab import batchnorm

LEAVES = ["inputs", "gamma", "beta"]


def graph(shape, eps=1e-5):
    """Return the nodes that autograd watches."""
    features = shape[1]
    leaves = draw(shape), torch.linspace(-1, 2, features), torch.linspace(3, -4, features)
    return batchnorm.forward_nodes(*(x.double().requires_grad_() for x in leaves), eps=eps)


@pytest.mark.parametrize("eps", [1e-5, 0.5])
@pytest.mark.parametrize("shape", SHAPES)
def test_nodes_are_the_closed_form(shape, eps):
    nodes = graph(shape, eps)
    inputs, gamma, beta = (nodes[name].detach() for name in LEAVES)
    mean, variance = batchnorm.batch_statistics(inputs)
    assert_close(nodes["mean"], mean)
    assert_close(nodes["variance"], variance)
    assert_close(nodes["outputs"], batchnorm.batch_norm_forward(inputs, gamma, beta, eps=eps))
    assert_close(
        nodes["normalized"],
        batchnorm.standardize(inputs, batchnorm.Statistics(mean, variance), eps=eps),
    )
    assert [*nodes][:3] == LEAVES and [*nodes][-1] == "outputs"


@pytest.mark.parametrize("eps", [1e-5, 0.5])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_node_has_autograds_gradient(shape, eps):
    nodes, upstream = graph(shape, eps), draw(shape, seed=1)
    back = batchnorm.backward_nodes(upstream, nodes)
    assert set(back) == set(nodes)
    expected = torch.autograd.grad(nodes["outputs"], [*nodes.values()], upstream)
    for name, wanted in zip(nodes, expected, strict=True):
        assert_close(back[name], wanted, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("shape", SHAPES)
def test_the_leaves_have_the_gradients_of_the_closed_form(shape):
    nodes, upstream = graph(shape), draw(shape, seed=1)
    back = batchnorm.backward_nodes(upstream, nodes)
    closed = batchnorm.batch_norm_backward(upstream, nodes["inputs"], nodes["gamma"])
    for name, wanted in closed._asdict().items():
        assert_close(back[name], wanted)


def test_gradients_run_from_the_outputs_to_the_inputs():
    nodes = graph(SHAPES[0])
    names = [*batchnorm.backward_nodes(nodes["outputs"], nodes)]
    assert names[0] == "outputs" and names[-1] == "inputs"


@pytest.mark.usefixtures("unchecked_shapes")
def test_what_does_not_fit_is_refused():
    nodes = graph((6, 3))
    inputs, gamma, beta = (nodes[name] for name in LEAVES)
    check_refused(
        lambda: batchnorm.forward_nodes(inputs[0], gamma, beta),
        "inputs must have shape [batch, features] or [batch, channels, height, width], got [3]",
    )
    check_refused(
        lambda: batchnorm.forward_nodes(inputs, gamma, beta[:1]),
        "beta must have shape [3], got [1]",
    )
    check_refused(
        lambda: batchnorm.forward_nodes(inputs, gamma, beta, eps=float("nan")),
        "eps must be >= 0, got nan",
    )
    check_refused(
        lambda: batchnorm.backward_nodes(inputs[:4], nodes),
        "shapes must be equal, got upstream [4, 3] and outputs [6, 3]",
    )
