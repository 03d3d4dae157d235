"""Training schemes: one readable loop each.

A scheme gets models, batches and an optimizer; it never builds data.
"""

from kdlab.schemes.blocks import distill_blocks
from kdlab.schemes.checkpoint import Checkpoint
from kdlab.schemes.evaluation import evaluate, predict, predict_moved
from kdlab.schemes.hints import distill_features, learn_hints
from kdlab.schemes.history import History
from kdlab.schemes.maps import record, tapped
from kdlab.schemes.offline import distill
from kdlab.schemes.supervised import train

__all__ = [
    "Checkpoint",
    "History",
    "distill",
    "distill_blocks",
    "distill_features",
    "evaluate",
    "learn_hints",
    "predict",
    "predict_moved",
    "record",
    "tapped",
    "train",
]
