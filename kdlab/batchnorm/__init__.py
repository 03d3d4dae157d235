"""Batch normalization from scratch: its formulas, its graph, a layer, and what is done with it."""

from kdlab.batchnorm.formulas import (
    Gradients,
    Statistics,
    batch_norm_backward,
    batch_norm_forward,
    batch_statistics,
    standardize,
)
from kdlab.batchnorm.graph import backward_nodes, forward_nodes
from kdlab.batchnorm.layer import BatchNorm
from kdlab.batchnorm.surgery import Normalizer, fold, recalibrate, undo

__all__ = [
    "BatchNorm",
    "Gradients",
    "Normalizer",
    "Statistics",
    "backward_nodes",
    "batch_norm_backward",
    "batch_norm_forward",
    "batch_statistics",
    "fold",
    "forward_nodes",
    "recalibrate",
    "standardize",
    "undo",
]
