"""Losses on raw scores: what the student says against what the teacher says.

Every loss takes logits, never probabilities, holds T^2 inside, treats the teacher as
constant, and returns the batch mean as a scalar. Half precision is computed and returned
in float32: it rounds away q - p at a high T, and float16 overflows in T^2 KL.
"""

import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from kdlab._checks import (
    check_fraction,
    check_labelled,
    check_logits,
    check_same_shape,
    check_scores,
    check_temperature,
)
from kdlab.losses._common import widened


def soften(
    logits: Float[Tensor, "*batch classes"],
    *,
    temperature: float,
) -> Float[Tensor, "*batch classes"]:
    r"""Turn raw scores into probabilities, softened by a temperature.

    $q_i = \exp(z_i / T) / \sum_j \exp(z_j / T)$. T = 1 is the usual softmax; T to 0 puts
    everything on the largest score (shared equally between ties); T to infinity is uniform.

    Args:
        logits: Raw scores, any number of leading dimensions, classes last.
        temperature: $T > 0$; larger is softer.

    Returns:
        Probabilities of the same shape; each row sums to 1.

    Raises:
        ValueError: logits is no tensor of floating point numbers, or temperature is outside
            [1e-9, 1e9].

    References:
        Hinton et al. 2014, arXiv:1503.02531, equation 1.
    """
    check_scores(logits=logits)
    check_temperature(temperature=temperature)
    return F.softmax(widened(logits) / temperature, dim=-1)


def soft_target_loss(
    student_logits: Float[Tensor, "batch classes"],
    teacher_logits: Float[Tensor, "batch classes"],
    *,
    temperature: float,
) -> Float[Tensor, ""]:
    r"""Match the student's softened predictions to the teacher's.

    $T^2\,\frac1B\sum_b \mathrm{KL}(p_b \,\|\, q_b)$, teacher $p$ and student $q$ both
    softened by $T$. $T^2$ keeps gradients comparable across temperatures.

    Args:
        student_logits: Raw scores; gradients flow here.
        teacher_logits: Raw scores of the same shape; treated as constants.
        temperature: $T > 0$; larger is softer.

    Returns:
        Batch mean in nats times T^2; 0, up to rounding, when the predictions agree.
        T^2 multiplies the rounding too: from T = 1,000 on, give doubles.

    Raises:
        ValueError: Shapes differ, or temperature is outside [1e-9, 1e9].

    References:
        Hinton et al. 2014, arXiv:1503.02531. The paper writes the cross-entropy of the
        softened outputs; KL differs from it by the teacher's entropy, a constant, so the
        student's gradient is the same.
    """
    check_logits(student_logits=student_logits, teacher_logits=teacher_logits)
    check_same_shape(student_logits=student_logits, teacher_logits=teacher_logits)
    check_temperature(temperature=temperature)
    log_q = F.log_softmax(widened(student_logits) / temperature, dim=-1)
    log_p = F.log_softmax(widened(teacher_logits.detach()) / temperature, dim=-1)
    # "batchmean": "mean" would also divide by the number of classes.
    return temperature**2 * F.kl_div(log_q, log_p, reduction="batchmean", log_target=True)


def distillation_loss(
    student_logits: Float[Tensor, "batch classes"],
    teacher_logits: Float[Tensor, "batch classes"],
    targets: Int64[Tensor, "batch"],
    *,
    temperature: float,
    lambda_: float,
) -> Float[Tensor, ""]:
    r"""Weigh the labels against the teacher: Hinton's distillation.

    $(1 - \lambda)\,\mathrm{CE}(y, q^{(1)}) + \lambda\,T^2\,\mathrm{KL}(p^{(T)} \| q^{(T)})$.
    The label term always uses T = 1.

    Args:
        student_logits: Raw scores; gradients flow here.
        teacher_logits: Raw scores of the same shape; treated as constants.
        targets: Class of each example, in [0, classes).
        temperature: $T > 0$ of the teacher's term.
        lambda_: Weight of the teacher's term, in [0, 1]; 0 is labels only.

    Returns:
        Batch mean, a scalar.

    Raises:
        ValueError: Shapes differ, a target is no class, temperature is outside [1e-9, 1e9],
            or lambda_ is outside [0, 1].

    References:
        Hinton et al. 2014, arXiv:1503.02531, section 2, which gives no letter to the
        weights. Other texts write alpha = 1 - lambda, or leave the label term unweighted.
    """
    check_fraction(lambda_=lambda_)
    check_labelled(student_logits=student_logits, targets=targets)
    taught = soft_target_loss(student_logits, teacher_logits, temperature=temperature)
    labelled = F.cross_entropy(widened(student_logits), targets)
    return (1 - lambda_) * labelled + lambda_ * taught


def label_smoothing_loss(
    student_logits: Float[Tensor, "batch classes"],
    targets: Int64[Tensor, "batch"],
    *,
    smoothing: float,
) -> Float[Tensor, ""]:
    r"""Soften the labels with no teacher: the control for "any soft target helps".

    $\mathrm{CE}(p, q)$ with $p = (1 - \epsilon)\,\mathrm{onehot}(y) + \epsilon / N$ for $N$
    classes.

    Args:
        student_logits: Raw scores; gradients flow here.
        targets: Class of each example, in [0, classes).
        smoothing: $\epsilon$ in [0, 1]; 0 is cross-entropy.

    Returns:
        Batch mean in nats.

    Raises:
        ValueError: Shapes do not fit, a target is no class, or smoothing is outside [0, 1].

    References:
        Szegedy et al. 2016, arXiv:1512.00567, section 7.
    """
    check_fraction(smoothing=smoothing)
    check_labelled(student_logits=student_logits, targets=targets)
    return F.cross_entropy(widened(student_logits), targets, label_smoothing=smoothing)


def soft_target_gradient(
    student_logits: Float[Tensor, "batch classes"],
    teacher_logits: Float[Tensor, "batch classes"],
    *,
    temperature: float,
) -> Float[Tensor, "batch classes"]:
    r"""Gradient of one example's $T^2\,\mathrm{KL}$ on its own logits, in closed form.

    $\partial / \partial z_i = T\,(q_i - p_i)$, which tends to
    $(\tilde z_i - \tilde v_i) / N$ as T grows, for centred logits.

    Args:
        student_logits: Raw scores z.
        teacher_logits: Raw scores v of the same shape.
        temperature: $T > 0$.

    Returns:
        One gradient an example, not divided by the batch size: the gradient of
        `soft_target_loss` is this over the batch size.

    Raises:
        ValueError: Shapes differ, or temperature is outside [1e-9, 1e9].

    References:
        Hinton et al. 2014, arXiv:1503.02531, equations 2 to 4.
    """
    check_logits(student_logits=student_logits, teacher_logits=teacher_logits)
    check_same_shape(student_logits=student_logits, teacher_logits=teacher_logits)
    p = soften(teacher_logits.detach(), temperature=temperature)
    q = soften(student_logits.detach(), temperature=temperature)
    return temperature * (q - p)


def distillation_gradient(
    student_logits: Float[Tensor, "batch classes"],
    teacher_logits: Float[Tensor, "batch classes"],
    targets: Int64[Tensor, "batch"],
    *,
    temperature: float,
    lambda_: float,
) -> Float[Tensor, "batch classes"]:
    r"""Gradient of one example's distillation loss on its own logits, in closed form.

    $(1 - \lambda)\,(q^{(1)} - \mathrm{onehot}(y)) + \lambda\,T\,(q^{(T)} - p^{(T)})$.

    Args:
        student_logits: Raw scores z.
        teacher_logits: Raw scores v of the same shape.
        targets: Class of each example, in [0, classes).
        temperature: $T > 0$ of the teacher's term.
        lambda_: Weight of the teacher's term, in [0, 1].

    Returns:
        One gradient an example, not divided by the batch size.

    Raises:
        ValueError: As `distillation_loss`.
    """
    check_fraction(lambda_=lambda_)
    check_labelled(student_logits=student_logits, targets=targets)
    taught = soft_target_gradient(student_logits, teacher_logits, temperature=temperature)
    one_hot = F.one_hot(targets, student_logits.shape[-1])
    labelled = soften(student_logits.detach(), temperature=1.0) - one_hot
    return (1 - lambda_) * labelled + lambda_ * taught
