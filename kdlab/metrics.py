"""What a set of predictions is worth: counts and means over logits, as plain numbers."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from kdlab._checks import (
    check_count,
    check_labelled,
    check_logits,
    check_same_shape,
    check_scores,
    check_temperature,
)


def errors(logits: Float[Tensor, "batch classes"], targets: Int64[Tensor, "batch"]) -> int:
    """Count the examples whose largest score is not the target's.

    Args:
        logits: Raw scores.
        targets: Class of each example, in [0, classes).

    Returns:
        A whole number, 0 to batch.

    Raises:
        ValueError: Shapes do not fit, or a target is no class.
    """
    check_labelled(logits=logits, targets=targets)
    return int((logits.argmax(dim=-1) != targets).sum())


def accuracy(logits: Float[Tensor, "batch classes"], targets: Int64[Tensor, "batch"]) -> float:
    """Return the share of examples whose largest score is the target's, 0 to 1.

    Args and Raises as `errors`.
    """
    return (len(targets) - errors(logits, targets)) / len(targets)


def entropy(
    logits: Float[Tensor, "*batch classes"], *, temperature: float = 1.0
) -> Float[Tensor, "*batch"]:
    r"""Measure how undecided each softened prediction is, in nats.

    $H = -\sum_i q_i \ln q_i$, from 0 (certain) to $\ln N$ (uniform over N classes).

    Args:
        logits: Raw scores, any number of leading dimensions, classes last.
        temperature: $T > 0$ of the softmax.

    Returns:
        One entropy a row.

    Raises:
        ValueError: logits is no tensor of floating point numbers, or temperature is outside
            [1e-9, 1e9].
    """
    check_scores(logits=logits)
    check_temperature(temperature=temperature)
    log_q = F.log_softmax(_widened(logits) / temperature, dim=-1)
    # 0 - x and not -x: a certain prediction has 0, which reads better than -0.
    return 0 - (log_q.exp() * log_q).sum(dim=-1)


def agreement(
    student_logits: Float[Tensor, "batch classes"], teacher_logits: Float[Tensor, "batch classes"]
) -> float:
    """Return the share of examples on which both name the same class, 0 to 1.

    Args:
        student_logits: Raw scores.
        teacher_logits: Raw scores of the same shape.

    Raises:
        ValueError: Shapes differ.

    References:
        Stanton et al. 2021, arXiv:2106.05945 (top-1 agreement as a measure of fidelity).
    """
    check_logits(student_logits=student_logits, teacher_logits=teacher_logits)
    check_same_shape(student_logits=student_logits, teacher_logits=teacher_logits)
    same = student_logits.argmax(dim=-1) == teacher_logits.argmax(dim=-1)
    return int(same.sum()) / len(same)


def calibration_error(
    logits: Float[Tensor, "batch classes"],
    targets: Int64[Tensor, "batch"],
    *,
    temperature: float = 1.0,
    bins: int = 15,
) -> float:
    r"""Measure how far confidence is from accuracy: expected calibration error.

    $\sum_b \frac{n_b}{n} |\mathrm{acc}_b - \mathrm{conf}_b|$ over equally wide bins of
    confidence.

    Args:
        logits: Raw scores.
        targets: Class of each example, in [0, classes).
        temperature: $T > 0$ of the softmax.
        bins: How many bins divide [0, 1].

    Returns:
        0 (calibrated) to 1.

    Raises:
        ValueError: Shapes do not fit, a target is no class, temperature is outside
            [1e-9, 1e9], or bins is not positive.

    References:
        Guo et al. 2017, arXiv:1706.04599.
    """
    check_labelled(logits=logits, targets=targets)
    check_temperature(temperature=temperature)
    check_count(bins=bins)
    confidence, predicted = F.softmax(_widened(logits) / temperature, dim=-1).max(dim=-1)
    # Summed on the CPU, since not every accelerator has float64.
    gap = ((predicted == targets).float() - confidence).cpu().double()
    # Bins are (left, right]; a confidence is never 0, so the first one loses nothing.
    index = (confidence * bins).ceil().long().clamp(1, bins).cpu() - 1
    summed = torch.zeros(bins, dtype=torch.double).index_add_(0, index, gap)
    return (summed.abs().sum() / len(targets)).item()


def confusion_matrix(
    logits: Float[Tensor, "batch classes"], targets: Int64[Tensor, "batch"]
) -> Int64[Tensor, "classes classes"]:
    """Count examples by true class (row) and predicted class (column).

    Args and Raises as `errors`.
    """
    check_labelled(logits=logits, targets=targets)
    classes = logits.shape[-1]
    pairs = targets * classes + logits.argmax(dim=-1)
    return torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def class_similarity(
    logits: Float[Tensor, "batch classes"],
    targets: Int64[Tensor, "batch"],
    *,
    temperature: float,
) -> Float[Tensor, "classes classes"]:
    """Average the softened predictions over each true class: the dark knowledge as a table.

    Args:
        logits: Raw scores.
        targets: Class of each example, in [0, classes).
        temperature: $T > 0$ of the softmax.

    Returns:
        Row = true class, column = mean probability given to it. Rows sum to 1; the row of
        a class with no example is NaN.

    Raises:
        ValueError: Shapes do not fit, a target is no class, or temperature is outside
            [1e-9, 1e9].
    """
    check_labelled(logits=logits, targets=targets)
    check_temperature(temperature=temperature)
    probabilities = F.softmax(_widened(logits) / temperature, dim=-1)
    one_hot = F.one_hot(targets, logits.shape[-1]).to(probabilities.dtype)
    return (one_hot.T @ probabilities) / one_hot.sum(dim=0)[:, None]


def _widened(logits: Tensor) -> Tensor:
    # Half precision cannot even count to 257.
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
