"""What is known of a linear student's weights after labels and teacher, and which lambda fits.

The lecture's plan: the statement of `regression`, with a normal distribution of the weights
beforehand. Everything is in closed form, and in double precision.

Source: Bishop 2006, Pattern Recognition and Machine Learning, sections 3.3 and 3.5, with the
pseudo-responses for responses.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from kdlab._checks import check_length, check_positive
from kdlab.privileged._linear import both_sides, check_inputs, log_normal, precisions
from kdlab.privileged.regression import pseudo_responses


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known of the student's weights: a normal distribution.

    Attributes:
        mean: [features]; also where the posterior is highest.
        covariance: [features, features].
    """

    mean: Float64[Tensor, "features"]
    covariance: Float64[Tensor, "features features"]

    def predict(
        self, inputs: Float[Tensor, "examples features"]
    ) -> tuple[Float64[Tensor, "examples"], Float64[Tensor, "examples"]]:
        """Return the mean and the standard deviation of w x for each input, noise apart."""
        x = check_inputs(inputs)
        if x.shape[1] != len(self.mean):
            raise ValueError(f"inputs must have {len(self.mean)} features, got {x.shape[1]}")
        return x @ self.mean, ((x @ self.covariance) * x).sum(-1).sqrt()


def student_posterior(
    inputs: Float[Tensor, "examples features"],
    targets: Float[Tensor, "examples"],
    teacher: Float[Tensor, "examples"],
    known: Bool[Tensor, "examples"],
    *,
    sigma: float,
    teacher_sigma: float,
    lambda_: float,
    prior_sigma: float,
) -> Posterior:
    r"""Return the distribution of the student's weights, given labels and teacher.

    With $w \sim N(0, \sigma_w^2 I)$ before: precision $X^T \mathrm{diag}(a + b) X +
    I/\sigma_w^2$, mean the inverse of that times $X^T (a y + b s)$.

    Args:
        prior_sigma: Standard deviation > 0 of each weight before anything is seen.

    The other Args and Raises as `weighted_log_likelihood`.
    """
    check_positive(prior_sigma=prior_sigma)
    noise = {"sigma": sigma, "teacher_sigma": teacher_sigma, "lambda_": lambda_}
    responses, total = pseudo_responses(targets, teacher, known, **noise)
    x = check_inputs(inputs, targets=targets)
    before = torch.eye(x.shape[1], dtype=x.dtype, device=x.device) / prior_sigma**2
    factor = torch.linalg.cholesky((x.T * total) @ x + before)
    weighed = (x.T @ (total * responses)).unsqueeze(-1)
    mean = torch.cholesky_solve(weighed, factor).squeeze(-1)
    return Posterior(mean, torch.cholesky_inverse(factor))


def log_evidence(
    inputs: Float[Tensor, "examples features"],
    targets: Float[Tensor, "examples"],
    teacher: Float[Tensor, "examples"],
    known: Bool[Tensor, "examples"],
    *,
    sigma: float,
    teacher_sigma: float,
    lambda_: float,
    prior_sigma: float,
) -> float:
    r"""Return $\log p(y, s \mid X, \lambda)$, the student's weights averaged out.

    With lambda as a part of the variances. As a power of a density it would leave something
    that doesn't integrate to 1 over the data, and one lambda couldn't be held against another.

    Args:
        lambda_: In (0, 1): at either end one side isn't described at all.

    The other Args and Raises as `student_posterior`.

    Returns:
        A sum over labels and known answers, in nats.
    """
    if not 0 < lambda_ < 1:
        raise ValueError(f"lambda_ must be in (0, 1), got {lambda_!r}")
    noise = {"sigma": sigma, "teacher_sigma": teacher_sigma, "lambda_": lambda_}
    data = (inputs, targets, teacher, known)
    after = student_posterior(*data, **noise, prior_sigma=prior_sigma)
    labels, answers = both_sides(targets, teacher, known)
    label, taught = precisions(known, **noise)
    fitted = inputs.double() @ after.mean
    # p(data) = p(data | w) p(w) / p(w | data) for any w, so for the mean.
    joint = log_normal(labels, fitted, label).sum()
    joint += log_normal(answers, fitted, taught)[known].sum()
    joint += log_normal(torch.zeros_like(after.mean), after.mean, prior_sigma**-2).sum()
    spread = len(after.mean) * math.log(2 * math.pi) + torch.logdet(after.covariance)
    return float(joint + spread / 2)


def choose_lambda(
    inputs: Float[Tensor, "examples features"],
    targets: Float[Tensor, "examples"],
    teacher: Float[Tensor, "examples"],
    known: Bool[Tensor, "examples"],
    *,
    sigma: float,
    teacher_sigma: float,
    prior_sigma: float,
    candidates: Sequence[float],
) -> float:
    """Return the candidate with the largest evidence; of equal ones, the first.

    A teacher that is further off than teacher_sigma says gets a smaller lambda. One that is as
    good as it says, with labels that are too, gets about 1/2: the weights of a likelihood
    without lambda, halved.

    Args:
        candidates: Each in (0, 1), at least one.

    The other Args and Raises as `log_evidence`.
    """
    check_length(1, candidates=candidates)
    rest = {"sigma": sigma, "teacher_sigma": teacher_sigma, "prior_sigma": prior_sigma}
    data = (inputs, targets, teacher, known)
    return max(candidates, key=lambda value: log_evidence(*data, **rest, lambda_=value))
