"""Generalized distillation: a teacher that sees x* teaches a student that sees only x.

Three steps: `fit` a teacher on (x*, y); let it answer on the training examples;
`distill_generalized` the answers into a student on x. With x* = x and a large teacher this is
Hinton's distillation; with another x* and a simple teacher it is Vapnik's learning using
privileged information.

Whole batches and L-BFGS, since theory speaks of the minimizer: a linear model gets to it. For
what needs batches or dropout, `kdlab.schemes.distill` takes the teacher's answers just the same:
it never asks where they come from.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from kdlab._checks import (
    check_features,
    check_fraction,
    check_same_length,
    check_same_shape,
    check_scores,
)
from kdlab.losses import distillation_loss, label_smoothing_loss
from kdlab.privileged.fitting import minimize

Targets = Int64[Tensor, "examples"] | Float[Tensor, "examples outputs"]


def generalized_loss(
    outputs: Float[Tensor, "examples outputs"],
    teacher_outputs: Float[Tensor, "examples outputs"],
    targets: Targets,
    *,
    lambda_: float,
    temperature: float = 1.0,
    known: Bool[Tensor, "examples"] | None = None,
) -> Float[Tensor, ""]:
    r"""Weigh the answers against the teacher's, who saw more than the student does.

    Classes: $(1 - \lambda)\,\mathrm{CE}(y, q^{(1)}) + \lambda\,T^2\,\mathrm{KL}(p^{(T)} \|
    q^{(T)})$ with $p = \mathrm{softmax}(f(x^*) / T)$. Numbers: $(1 - \lambda)(y - g)^2 +
    \lambda (s - g)^2$ with $s = f(x^*)$, the mean over outputs. Where x* is not known the
    label alone counts, with weight 1.

    Args:
        outputs: What the student says of x: logits, or numbers; gradients flow here.
        teacher_outputs: What the teacher says of x*, likewise; treated as constants. Rows
            where x* is not known are not read.
        targets: Classes, int64; or the true numbers.
        lambda_: Weight of the teacher's term, in [0, 1].
        temperature: T > 0 of the teacher's term; 1 for numbers, which nothing softens.
        known: For which examples x* is known; None is for all.

    Returns:
        Mean over all examples, a scalar.

    Raises:
        ValueError: Shapes do not fit, there is no example, a target is no class, lambda_ or
            temperature is out of range, or temperature is not 1 for numbers.

    References:
        Lopez-Paz et al. 2016, arXiv:1511.03643, section 4; `known` is the index set of
        Grabovoy and Strijov 2021. Equation 4 of the former leaves the student at T = 1 and has
        no T^2: that is `teacher_outputs / T` at temperature 1. Their released code has the T^2.
    """
    check_fraction(lambda_=lambda_)
    check_features(outputs=outputs)
    check_same_length(outputs=outputs, teacher_outputs=teacher_outputs, targets=targets)
    if known is None:
        return _weighed(outputs, teacher_outputs, targets, lambda_, temperature)
    _check_known(known, outputs)
    # Where x* is not known the student is its own teacher, with weight 0.
    parts = ((known, teacher_outputs, lambda_), (~known, outputs.detach(), 0.0))
    summed = [
        rows.sum() * _weighed(outputs[rows], said[rows], targets[rows], weight, temperature)
        for rows, said, weight in parts
        if rows.any()
    ]
    return torch.stack(summed).sum() / len(known)


def fit(
    model: nn.Module,
    inputs: Float[Tensor, "examples *shape"],
    targets: Targets,
    *,
    decay: float = 0.0,
    steps: int = 200,
) -> float:
    r"""Learn from the targets alone: a teacher on x*, or a student's control on x.

    Minimizes the mean cross-entropy or squared error, plus decay / 2 times the sum of
    squared weights.

    Args:
        model: From inputs to outputs, without dropout; changed in place, left in eval mode. A
            linear model, or several layers (which end in a local minimum).
        inputs: x or x*.
        targets: Classes, int64; or numbers, one row an example.
        decay: Weight of the penalty; biases, and all that is no matrix, go free. It is
            1 / (examples * C) of scikit-learn, for two classes 2 / (examples * C): there it
            penalizes the difference of our two rows.
        steps: L-BFGS stops after so many, or earlier when nothing changes any more. Classes
            that can be told apart without error have no minimizer without decay: then
            `steps` decides how sharp the model gets.

    Returns:
        What was minimized, at the end.

    Raises:
        ValueError: Shapes do not fit, a target is no class, decay is negative or not finite,
            or steps is no positive whole number.
    """
    check_same_length(inputs=inputs, targets=targets)
    return minimize(model, inputs, lambda outputs: _labelled(outputs, targets), decay, steps)


def distill_generalized(
    student: nn.Module,
    inputs: Float[Tensor, "examples *shape"],
    teacher_outputs: Float[Tensor, "examples outputs"],
    targets: Targets,
    *,
    lambda_: float,
    temperature: float = 1.0,
    known: Bool[Tensor, "examples"] | None = None,
    decay: float = 0.0,
    steps: int = 200,
) -> float:
    """Learn from the targets and from the answers of any teacher on x*.

    Minimizes the mean `generalized_loss`, plus decay / 2 times the sum of squared weights.

    Args:
        student: From x to outputs; changed in place, as in `fit`.
        inputs: x.
        teacher_outputs: What the teacher says of x*: `teacher(privileged)`, or anything of
            the same shape.
        targets, lambda_, temperature, known: As in `generalized_loss`.
        decay, steps: As in `fit`.

    Returns:
        What was minimized, at the end.

    Raises:
        ValueError: As in `generalized_loss` and `fit`.

    References:
        Lopez-Paz et al. 2016, arXiv:1511.03643, section 4.
    """
    check_same_length(inputs=inputs, teacher_outputs=teacher_outputs, targets=targets)
    teaching = {"lambda_": lambda_, "temperature": temperature, "known": known}

    def loss(outputs: Tensor) -> Tensor:
        return generalized_loss(outputs, teacher_outputs, targets, **teaching)

    return minimize(student, inputs, loss, decay, steps)


def _check_known(known: Tensor, outputs: Tensor) -> None:
    check_same_length(outputs=outputs, known=known)
    if known.dtype != torch.bool or known.ndim != 1:
        came = f"{known.dtype} of shape {list(known.shape)}"
        raise ValueError(f"known must be boolean, [examples], got {came}")


def _weighed(
    outputs: Tensor, teacher: Tensor, targets: Tensor, lambda_: float, temperature: float
) -> Tensor:
    if not targets.is_floating_point():
        weights = {"temperature": temperature, "lambda_": lambda_}
        return distillation_loss(outputs, teacher, targets, **weights)
    if temperature != 1:
        raise ValueError(f"temperature must be 1 for numbers, got {temperature!r}")
    taught = _labelled(outputs, teacher.detach())
    return (1 - lambda_) * _labelled(outputs, targets) + lambda_ * taught


def _labelled(outputs: Tensor, targets: Tensor) -> Tensor:
    if not targets.is_floating_point():
        return label_smoothing_loss(outputs, targets, smoothing=0.0)
    check_scores(outputs=outputs)
    check_same_shape(outputs=outputs, targets=targets)
    return F.mse_loss(outputs, targets)
