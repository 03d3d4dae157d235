"""Training schemes: one readable loop each.

A scheme gets models, batches and an optimizer; it never builds data.
"""

from kdlab.schemes.checkpoint import Checkpoint
from kdlab.schemes.evaluation import evaluate, predict, predict_moved
from kdlab.schemes.history import History
from kdlab.schemes.offline import distill
from kdlab.schemes.supervised import train

__all__ = ["Checkpoint", "History", "distill", "evaluate", "predict", "predict_moved", "train"]
