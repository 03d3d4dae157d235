"""Teachers that see more than their students ever will, and what theory says of them."""

from kdlab.privileged.comparison import Comparison, compare_linear
from kdlab.privileged.densities import (
    SUPPORTS,
    likeliest_student,
    log_constant,
    log_density,
    mean_answer,
    mode_answer,
    published_log_constant,
    sample_answers,
)
from kdlab.privileged.generalized import distill_generalized, fit, generalized_loss
from kdlab.privileged.integration import integrate
from kdlab.privileged.posterior import (
    Posterior,
    choose_lambda,
    log_evidence,
    student_posterior,
)
from kdlab.privileged.regression import (
    fit_student,
    pseudo_responses,
    weighted_log_likelihood,
)
from kdlab.privileged.synthetic import SETUPS, LinearTruth, draw_linear_truth, draw_triplets
from kdlab.privileged.triplets import Triplets, standardize

__all__ = [
    "Comparison",
    "LinearTruth",
    "Posterior",
    "SETUPS",
    "SUPPORTS",
    "Triplets",
    "choose_lambda",
    "compare_linear",
    "distill_generalized",
    "draw_linear_truth",
    "draw_triplets",
    "fit",
    "fit_student",
    "generalized_loss",
    "integrate",
    "likeliest_student",
    "log_constant",
    "log_density",
    "log_evidence",
    "mean_answer",
    "mode_answer",
    "pseudo_responses",
    "published_log_constant",
    "sample_answers",
    "standardize",
    "student_posterior",
    "weighted_log_likelihood",
]
