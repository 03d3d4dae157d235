"""How far a loss rises where noise is added to the weights."""

import torch
import torch.nn.functional as F
from torch import tensor

from kdlab.grading.questions._common import FLOAT32, between, classes, normal
from kdlab.grading.spec import Case, Mistake, Question


def _losses(weights, inputs, targets, noise, sigma):
    """Return the loss at the weights, and at each of the noisy ones."""
    still = F.cross_entropy(inputs @ weights.T, targets)
    every = [F.cross_entropy(inputs @ (weights + sigma * drawn).T, targets) for drawn in noise]
    return still, torch.stack(every)


def _loss_rise(weights, inputs, targets, noise, sigma):
    still, noisy = _losses(weights, inputs, targets, noise, sigma)
    return noisy.mean() - still


def _without_base(*given):
    return _losses(*given)[1].mean()


def _turned(*given):
    return -_loss_rise(*given)


def _at_mean_noise(weights, inputs, targets, noise, sigma):
    return _loss_rise(weights, inputs, targets, noise.mean(dim=0, keepdim=True), sigma)


def _worst(*given):
    still, noisy = _losses(*given)
    return noisy.max() - still


def _summed(*given):
    still, noisy = _losses(*given)
    return (noisy - still).sum()


def _piled_up(weights, inputs, targets, noise, sigma):
    return _loss_rise(weights, inputs, targets, noise.cumsum(dim=0), sigma)


def _mean_scores(weights, inputs, targets, noise, sigma):
    still = F.cross_entropy(inputs @ weights.T, targets)
    each = torch.stack([(inputs @ (weights + sigma * n).T).softmax(dim=1) for n in noise])
    return F.nll_loss(each.mean(dim=0).log(), targets) - still


def _case(name, generator, draws, sigma):
    return Case(
        name,
        {
            "weights": normal(generator, 4, 5, scale=1.0),
            "inputs": normal(generator, 6, 5, scale=1.0),
            "targets": classes(generator, 6, of=4),
            "noise": normal(generator, draws, 4, 5, scale=1.0),
            "sigma": sigma,
        },
    )


def _draw(generator):
    sizes = between(generator, 0.4, 0.6), between(generator, 1.5, 2.5)
    return tuple(
        _case(f"{draws} draws", generator, draws, sigma)
        for draws, sigma in zip((3, 8), sizes, strict=True)
    )


LOSS_RISE = Question(
    id="KD06-E2",
    title="How flat it is here",
    minutes=10,
    signature=(
        'loss_rise(weights: Float[Tensor, "classes features"], '
        'inputs: Float[Tensor, "batch features"], targets: Int64[Tensor, "batch"], '
        'noise: Float[Tensor, "draws classes features"], sigma: float) -> Float[Tensor, ""]'
    ),
    statement=(
        "A linear network has the logits x W^T. Return how much its cross-entropy rises where "
        "sigma times the noise is added to its weights: the mean over the draws, less the loss "
        "without noise."
    ),
    reference=_loss_rise,
    cases=(
        Case(
            "two draws that are opposite",
            {
                "weights": tensor([[1.0, 0.0], [0.0, 1.0]]),
                "inputs": tensor([[2.0, 1.0], [0.0, 1.0], [1.0, 3.0]]),
                "targets": tensor([0, 1, 1]),
                "noise": tensor([[[1.0, 0.0], [0.0, 2.0]], [[-1.0, 0.0], [0.0, -2.0]]]),
                "sigma": 0.5,
            },
        ),
        Case(
            "three draws",
            {
                "weights": tensor([[0.5, -1.0], [0.0, 2.0], [1.0, 0.0]]),
                "inputs": tensor([[1.0, 0.0], [1.0, 2.0]]),
                "targets": tensor([2, 1]),
                "noise": tensor(
                    [
                        [[1.0, 0.0], [0.0, -1.0], [2.0, 0.0]],
                        [[0.0, 1.0], [-1.0, 0.0], [0.0, 1.0]],
                        [[-2.0, 1.0], [1.0, 1.0], [-1.0, 3.0]],
                    ]
                ),
                "sigma": 0.8,
            },
        ),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "the loss without noise is not subtracted",
            "This is the noisy loss itself. A network with a higher loss would look less flat "
            "without being so: subtract the loss at the weights as they are.",
            (_without_base,),
        ),
        Mistake("the other way round", "Noisy minus still: a rise is positive.", (_turned,)),
        Mistake(
            "the noise is averaged first",
            "The mean of the draws is nearly no noise at all. Take the loss for each draw, and "
            "then the mean.",
            (_at_mean_noise,),
        ),
        Mistake(
            "the predictions are averaged first",
            "This is the loss of an ensemble of the noisy networks. Take each one's loss, and "
            "then the mean.",
            (_mean_scores,),
        ),
        Mistake(
            "the largest rise",
            "This is the worst draw; it grows with their number. Take the mean.",
            (_worst,),
        ),
        Mistake("a sum over the draws", "Divide by the number of draws.", (_summed,)),
        Mistake(
            "noise on top of noise",
            "Each draw starts from the weights themselves. Here the noise of earlier draws "
            "stayed: perhaps the weights were changed in place.",
            (_piled_up,),
        ),
        Mistake(
            "sigma is not used",
            "The noise has standard deviation 1; multiply it by sigma.",
            (lambda w, x, y, noise, sigma: _loss_rise(w, x, y, noise, 1.0),),
        ),
        Mistake(
            "sigma taken for a variance",
            "sigma is the standard deviation: multiply by sigma, not by its root or its square.",
            (
                lambda w, x, y, noise, sigma: _loss_rise(w, x, y, noise, sigma**0.5),
                lambda w, x, y, noise, sigma: _loss_rise(w, x, y, noise, sigma**2),
            ),
        ),
    ),
)
