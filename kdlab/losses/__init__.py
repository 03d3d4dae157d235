"""One pure function a loss. Importing this room costs torch and no more."""

from kdlab.losses.features import (
    attention_map,
    attention_transfer_loss,
    block_loss,
    hint_loss,
)
from kdlab.losses.layers import flow_loss, instance_graph_loss
from kdlab.losses.logits import (
    distillation_gradient,
    distillation_loss,
    label_smoothing_loss,
    soft_target_gradient,
    soft_target_loss,
    soften,
)
from kdlab.losses.peers import mutual_loss
from kdlab.losses.relations import (
    cosine_table,
    cosine_table_loss,
    rkd_angle_loss,
    rkd_distance_loss,
    similarity_preserving_loss,
)

__all__ = [
    "attention_map",
    "attention_transfer_loss",
    "block_loss",
    "cosine_table",
    "cosine_table_loss",
    "distillation_gradient",
    "distillation_loss",
    "flow_loss",
    "hint_loss",
    "instance_graph_loss",
    "label_smoothing_loss",
    "mutual_loss",
    "rkd_angle_loss",
    "rkd_distance_loss",
    "similarity_preserving_loss",
    "soft_target_gradient",
    "soft_target_loss",
    "soften",
]
