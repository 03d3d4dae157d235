"""A whole data set in a few learned images: condensing it, and telling what that is worth."""

from kdlab.condense.augment import Augmentation, Omega, augment, draw_omega
from kdlab.condense.coresets import pick_herding, pick_k_center, pick_random
from kdlab.condense.distances import (
    class_embedding_distance,
    embed,
    mean_embedding_distance,
)
from kdlab.condense.evaluate import Evaluation, evaluate_set, learn_from
from kdlab.condense.gradients import class_gradient_distance, gradient_distance
from kdlab.condense.matching import match_distributions, match_gradients
from kdlab.condense.running import Condensed
from kdlab.condense.synthetic import Synthetic, draw_noise, label_softly, take_real
from kdlab.condense.unrolled import follow, learn_unrolled, unroll

__all__ = [
    "Augmentation",
    "Condensed",
    "Evaluation",
    "Omega",
    "Synthetic",
    "augment",
    "class_embedding_distance",
    "class_gradient_distance",
    "draw_noise",
    "draw_omega",
    "embed",
    "evaluate_set",
    "follow",
    "gradient_distance",
    "label_softly",
    "learn_from",
    "learn_unrolled",
    "match_distributions",
    "match_gradients",
    "mean_embedding_distance",
    "pick_herding",
    "pick_k_center",
    "pick_random",
    "take_real",
    "unroll",
]
