"""What is done to networks that hold batch normalization, ours or torch's."""

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kdlab._checks import check_features
from kdlab.batchnorm._axes import check_more_than_one, widened
from kdlab.batchnorm.formulas import batch_statistics
from kdlab.batchnorm.layer import BatchNorm

Normalizer = BatchNorm | nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm


@torch.no_grad()
def undo(normalizer: Normalizer, batch: Float[Tensor, "batch features *places"]) -> None:
    r"""Set a normalizer, in place, so that it changes nothing on this batch.

    $\gamma = \sqrt{\sigma^2 + \epsilon}$ and $\beta = \mu$ in every feature, so that it can be
    put into a trained network which goes on as before. That holds in training for this very
    batch, and in evaluation for all inputs, because the running statistics become $\mu$ and
    $\sigma^2$, too. Another batch in training is normalized by its own statistics: the smaller
    it is, the more the network changes.

    Args:
        normalizer: With gamma and beta; running statistics are set if it has them.
        batch: What the normalizer is about to read, all of it where that is possible.

    Raises:
        ValueError: The normalizer is none, or has no gamma and beta; the batch doesn't fit, is
            empty, or has a single value a feature.

    References:
        Ioffe and Szegedy 2015, arXiv:1502.03167, section 3; S0 says it without the formula.
    """
    _check_undoable(normalizer, batch)
    mean, variance = batch_statistics(widened(batch))
    normalizer.weight.copy_(torch.sqrt(variance + normalizer.eps))
    normalizer.bias.copy_(mean)
    if normalizer.running_mean is not None:
        normalizer.running_mean.copy_(mean)
        # Biased, unlike in training: it has to be what gamma multiplies by.
        normalizer.running_var.copy_(variance)
        normalizer.num_batches_tracked.fill_(1)


@torch.no_grad()
def fold(layer: nn.Linear | nn.Conv2d, normalizer: Normalizer) -> nn.Linear | nn.Conv2d:
    r"""Merge a layer and the normalizer right behind it into one layer, for inference.

    $W' = sW$ and $b' = s\,(b - \mu) + \beta$ with $s = \gamma/\sqrt{\sigma^2 + \epsilon}$ and
    running statistics. The two are equal in evaluation only.

    Args:
        layer: Linear or convolutional, with or without a bias.
        normalizer: With running statistics of as many features as the layer has outputs.

    Returns:
        A new layer with a bias, of the first one's kind and number format; neither is changed.

    Raises:
        ValueError: One is of another kind, the normalizer has no running statistics, or the
            numbers of features differ.

    References:
        Jacob et al. 2018, arXiv:1712.05877, section 3.2; `torch.nn.utils.fusion` does the same.
    """
    _check_foldable(layer, normalizer)
    mean, variance = widened(normalizer.running_mean), widened(normalizer.running_var)
    scale = torch.rsqrt(variance + normalizer.eps)
    scale = scale if normalizer.weight is None else scale * normalizer.weight
    bias = -mean if layer.bias is None else layer.bias - mean
    shift = 0 if normalizer.bias is None else normalizer.bias
    merged = copy.deepcopy(layer)
    weight, learns = layer.weight, layer.weight.requires_grad
    # A weight's first axis are the outputs: each output's slice is scaled by its own factor.
    scaled = weight * scale.reshape(-1, *[1] * (weight.dim() - 1))
    merged.weight = nn.Parameter(scaled.to(weight.dtype), learns)
    merged.bias = nn.Parameter((bias * scale + shift).to(weight.dtype), learns)
    return merged


@torch.no_grad()
def recalibrate(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Learn a model's running statistics anew, in place, as plain means over batches.

    After it every normalizer holds the mean over batches of the mean and of the unbiased
    variance, as the paper's inference does. Weights stay. All but the normalizers work as in
    evaluation: dropout would add a variance that evaluation doesn't have.

    Args:
        model: With at least one normalizer that tracks statistics.
        batches: Inputs of the model, at least one batch, on its device. Batches count equally,
            so they should be equally large.

    Raises:
        ValueError: There is nothing to recalibrate, or no batch.

    References:
        Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 2, lines 7 to 12.
        `torch.optim.swa_utils.update_bn` does so with dropout at work.
    """
    tracking = [part for part in model.modules() if _tracks(part)]
    if not tracking:
        raise ValueError(f"model must hold a normalizer with running statistics, got {model!r}")
    batches = iter(batches)
    first = next(batches, None)
    if first is None:
        raise ValueError("batches must hold at least one batch, got none")
    with _averaging(model, tracking):
        for batch in chain([first], batches):
            model(batch)


@contextmanager
def _averaging(model: nn.Module, tracking: list[Normalizer]) -> Iterator[None]:
    """Let normalizers average from the start, all else evaluate; then set modes back."""
    modes = [(part, part.training) for part in model.modules()]
    momenta = [(part, part.momentum) for part in tracking]
    model.eval()
    for part in tracking:
        part.reset_running_stats()
        part.training, part.momentum = True, None
    try:
        yield
    finally:
        for part, momentum in momenta:
            part.momentum = momentum
        for part, training in modes:
            part.training = training


def _tracks(part: nn.Module) -> bool:
    return isinstance(part, Normalizer) and part.track_running_stats


def _check_undoable(normalizer: Normalizer, batch: Tensor) -> None:
    _check_normalizer(normalizer)
    check_features(batch=batch)
    if normalizer.weight is None or normalizer.bias is None:
        raise ValueError(f"normalizer must have gamma and beta, got {normalizer!r}")
    if batch.shape[1] != normalizer.num_features:
        wanted = f"{normalizer.num_features} features, as normalizer"
        raise ValueError(f"batch must have {wanted}, got {list(batch.shape)}")
    check_more_than_one(batch)


def _check_normalizer(normalizer: object) -> None:
    if not isinstance(normalizer, Normalizer):
        came = type(normalizer).__name__
        raise ValueError(f"normalizer must be a batch normalization, ours or torch's, got {came}")


def _check_foldable(layer: nn.Module, normalizer: Normalizer) -> None:
    if not isinstance(layer, (nn.Linear, nn.Conv2d)):
        came = type(layer).__name__
        raise ValueError(f"layer must be an nn.Linear or nn.Conv2d, got {came}")
    _check_normalizer(normalizer)
    if normalizer.running_mean is None:
        raise ValueError(f"normalizer must have running statistics, got {normalizer!r}")
    outputs = len(layer.weight)
    if outputs != normalizer.num_features:
        wanted = f"{outputs} features, as layer has outputs"
        raise ValueError(f"normalizer must have {wanted}, got {normalizer.num_features}")
