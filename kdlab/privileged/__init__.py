"""Privileged information: what a teacher that sees more does to a linear student, in theory."""

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

__all__ = [
    "SUPPORTS",
    "Posterior",
    "choose_lambda",
    "fit_student",
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
    "student_posterior",
    "weighted_log_likelihood",
]
