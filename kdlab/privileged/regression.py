r"""A linear student that hears its labels and, for some examples, a teacher.

The statement: $y_i \sim N(w \cdot x_i, \sigma^2)$ for the label of every example, and
$s_i \sim N(w \cdot x_i, \sigma_s^2)$ for the teacher's answer where it is known, for i in I.
On I the two terms of the log-likelihood are weighed by $1 - \lambda$ and $\lambda$; off I a
label counts in full. As sigma and sigma_s are standard deviations, an example's terms weigh

$$a_i = (1 - \lambda)/\sigma^2, \quad b_i = \lambda/\sigma_s^2 \quad (i \in I), \qquad
a_i = 1/\sigma^2, \quad b_i = 0 \quad (i \notin I).$$

The weight lambda isn't part of a likelihood. It can be read as part of one: then the label has
variance $1/a_i$ and the answer variance $1/b_i$, and they are independent given x. Whatever
depends on w alone (the best w, its posterior) is the same for both readings.

All of it is computed and returned in double precision. A teacher's answer off I isn't read, and
may be NaN.

Source: Grabovoy and Strijov 2022, "Probabilistic Interpretation of the Distillation Problem",
doi:10.1134/S000511792201009X. The lecture's slides weigh by sigma^2 where 1/sigma^2 is right.
"""

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from kdlab.privileged._linear import (
    both_sides,
    check_inputs,
    check_weights,
    log_normal,
    precisions,
)


def weighted_log_likelihood(
    weights: Float[Tensor, "features"],
    inputs: Float[Tensor, "examples features"],
    targets: Float[Tensor, "examples"],
    teacher: Float[Tensor, "examples"],
    known: Bool[Tensor, "examples"],
    *,
    sigma: float,
    teacher_sigma: float,
    lambda_: float,
) -> Float64[Tensor, ""]:
    r"""Return what the student's weights are chosen to make largest.

    $\sum_{i \notin I} \log p(y_i) + (1-\lambda) \sum_{i \in I} \log p(y_i) + \lambda \sum_{i
    \in I} \log p(s_i)$, each p with its constant.

    Args:
        weights: w; gradients flow here.
        inputs: x, one row an example; a column of ones where a constant term is wanted.
        targets: y, the labels.
        teacher: s, the teacher's answers; only those that are known are read.
        known: True for the examples of I.
        sigma: Standard deviation > 0 of the labels' noise, in the labels' unit.
        teacher_sigma: That of the teacher's answers.
        lambda_: Weight of the teacher's term on I, in [0, 1].

    Returns:
        A sum over the examples, in nats.

    Raises:
        ValueError: Shapes do not fit, a tensor is of another type, sigma or teacher_sigma is
            not positive and finite, or lambda_ is outside [0, 1].
    """
    noise = {"sigma": sigma, "teacher_sigma": teacher_sigma, "lambda_": lambda_}
    labels, answers = both_sides(targets, teacher, known)
    x = check_inputs(inputs, targets=targets)
    label, taught = precisions(known, **noise)
    fitted = x @ check_weights(inputs, weights)
    # A power multiplies the density's constant too: sigma^2 a is the power, 1 - lambda on I.
    total = sigma**2 * label * log_normal(labels, fitted, sigma**-2)
    return (
        total + teacher_sigma**2 * taught * log_normal(answers, fitted, teacher_sigma**-2)
    ).sum()


def pseudo_responses(
    targets: Float[Tensor, "examples"],
    teacher: Float[Tensor, "examples"],
    known: Bool[Tensor, "examples"],
    *,
    sigma: float,
    teacher_sigma: float,
    lambda_: float,
) -> tuple[Float64[Tensor, "examples"], Float64[Tensor, "examples"]]:
    r"""Turn labels and teacher into the responses and weights of one linear regression.

    $y''_i = (a_i y_i + b_i s_i) / (a_i + b_i)$ with weight $a_i + b_i$, the diagonal of
    $\Sigma^{-1}$. The sum of squares that they give is smallest where the weighted likelihood
    is largest, and curved alike; the two differ by a constant, in which lambda does take part.

    Args and Raises as `weighted_log_likelihood`.

    Returns:
        y'' and the weights.
    """
    labels, answers = both_sides(targets, teacher, known)
    noise = {"sigma": sigma, "teacher_sigma": teacher_sigma, "lambda_": lambda_}
    label, taught = precisions(known, **noise)
    total = label + taught
    return (label * labels + taught * answers) / total, total


def fit_student(
    inputs: Float[Tensor, "examples features"],
    targets: Float[Tensor, "examples"],
    teacher: Float[Tensor, "examples"],
    known: Bool[Tensor, "examples"],
    *,
    sigma: float,
    teacher_sigma: float,
    lambda_: float,
) -> Float64[Tensor, "features"]:
    """Return the weights with the largest weighted likelihood; of several, the shortest.

    Args and Raises as `weighted_log_likelihood`.
    """
    noise = {"sigma": sigma, "teacher_sigma": teacher_sigma, "lambda_": lambda_}
    responses, total = pseudo_responses(targets, teacher, known, **noise)
    x, roots = check_inputs(inputs, targets=targets), total.sqrt()
    return torch.linalg.pinv(roots[:, None] * x) @ (roots * responses)
