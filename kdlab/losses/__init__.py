"""One pure function a loss. Importing this room costs torch and no more."""

from kdlab.losses.logits import (
    distillation_gradient,
    distillation_loss,
    label_smoothing_loss,
    soft_target_gradient,
    soft_target_loss,
    soften,
)

__all__ = [
    "distillation_gradient",
    "distillation_loss",
    "label_smoothing_loss",
    "soft_target_gradient",
    "soft_target_loss",
    "soften",
]
