"""Batch normalization as a computation graph: one operation a node, there and back."""

import torch
from jaxtyping import Float
from torch import Tensor

from kdlab._checks import check_not_negative, check_same_shape
from kdlab.batchnorm._axes import (
    check_inputs,
    check_per_feature,
    spread,
    statistics_axes,
    values_per_feature,
)


def forward_nodes(
    inputs: Float[Tensor, "batch features *places"],
    gamma: Float[Tensor, "features"],
    beta: Float[Tensor, "features"],
    *,
    eps: float = 1e-5,
) -> dict[str, Tensor]:
    """Compute every node of the graph, in order; the last one is "outputs".

    Args:
        inputs: [batch, features] or [batch, channels, height, width].
        gamma: One factor a feature.
        beta: One summand a feature.
        eps: Added to the variance inside the root, >= 0.

    Returns:
        "inputs", "gamma", "beta", "mean", "centred", "squared", "variance", "std",
        "normalized", "scaled", "outputs"; "mean", "variance" and "std" are [features].

    Raises:
        ValueError: A shape is wrong, or eps is negative or not finite.
    """
    check_inputs(inputs=inputs)
    check_per_feature(inputs.shape[1], gamma=gamma, beta=beta)
    check_not_negative(eps=eps)
    over = statistics_axes(inputs)
    nodes = {"inputs": inputs, "gamma": gamma, "beta": beta}
    nodes["mean"] = inputs.mean(over)
    nodes["centred"] = inputs - spread(nodes["mean"], inputs)
    nodes["squared"] = nodes["centred"] ** 2
    nodes["variance"] = nodes["squared"].mean(over)
    nodes["std"] = torch.sqrt(nodes["variance"] + eps)
    nodes["normalized"] = nodes["centred"] / spread(nodes["std"], inputs)
    nodes["scaled"] = spread(gamma, inputs) * nodes["normalized"]
    nodes["outputs"] = nodes["scaled"] + spread(beta, inputs)
    return nodes


def backward_nodes(
    upstream: Float[Tensor, "batch features *places"], nodes: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Carry a gradient from the outputs back to every node, by the chain rule alone.

    A node that two others read gets the sum of what both send back: "centred" is read by
    "squared" and "normalized", the inputs by "mean" and "centred".

    Args:
        upstream: The gradient on the outputs.
        nodes: What `forward_nodes` returned.

    Returns:
        The gradient on each node by its name, each of the node's shape, from "outputs" back
        to "inputs".

    Raises:
        ValueError: The upstream gradient's shape is not that of the outputs.
    """
    check_same_shape(upstream=upstream, outputs=nodes["outputs"])
    back = {"outputs": upstream, "scaled": upstream}
    back |= _through_scale(upstream, nodes)
    back |= _through_root(back["normalized"], nodes)
    return back | _through_mean(back["normalized"], back["squared"], nodes)


def _through_scale(scaled: Tensor, nodes: dict[str, Tensor]) -> dict[str, Tensor]:
    over = statistics_axes(scaled)
    return {
        "beta": scaled.sum(over),
        "gamma": (scaled * nodes["normalized"]).sum(over),
        "normalized": scaled * spread(nodes["gamma"], scaled),
    }


def _through_root(normalized: Tensor, nodes: dict[str, Tensor]) -> dict[str, Tensor]:
    """Go back over the division's lower branch: the root, the variance, the squares."""
    over = statistics_axes(normalized)
    std = -(normalized * nodes["centred"]).sum(over) / nodes["std"] ** 2
    variance = std / (2 * nodes["std"])
    return {"std": std, "variance": variance, "squared": _through_average(variance, nodes)}


def _through_mean(normalized: Tensor, squared: Tensor, nodes: dict[str, Tensor]) -> dict:
    """Add what the division's two branches send back, and go over the subtraction."""
    centred = normalized / spread(nodes["std"], normalized) + 2 * nodes["centred"] * squared
    mean = -centred.sum(statistics_axes(centred))
    return {"centred": centred, "mean": mean, "inputs": centred + _through_average(mean, nodes)}


def _through_average(average: Tensor, nodes: dict[str, Tensor]) -> Tensor:
    """Give every value its equal part of the gradient on their average."""
    inputs = nodes["inputs"]
    return spread(average / values_per_feature(inputs), inputs).expand(inputs.shape)
