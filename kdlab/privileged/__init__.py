"""Teachers that see more than their students ever will, and what theory says of them."""

from kdlab.privileged.comparison import Comparison, compare_linear
from kdlab.privileged.generalized import distill_generalized, fit, generalized_loss
from kdlab.privileged.synthetic import SETUPS, LinearTruth, draw_linear_truth, draw_triplets
from kdlab.privileged.triplets import Triplets, standardize

__all__ = [
    "SETUPS",
    "Comparison",
    "LinearTruth",
    "Triplets",
    "compare_linear",
    "distill_generalized",
    "draw_linear_truth",
    "draw_triplets",
    "fit",
    "generalized_loss",
    "standardize",
]
